package receiver

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
	"github.com/hookproof/hookproof/simulator/receiver/emulation"
)

//go:embed openapi.yaml
var openAPISource []byte

// openAPI is the document in JSON.
var openAPI = sync.OnceValues(func() ([]byte, error) {
	var document map[string]any
	if err := yaml.Unmarshal(openAPISource, &document); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	return json.Marshal(document)
})

// getOpenAPI serves the OpenAPI document of the inspection API.
func getOpenAPI(w http.ResponseWriter, _ *http.Request) {
	document, err := openAPI()
	if err != nil {
		writeFailure(w, err)
		return
	}
	writeJSON(w, http.StatusOK, json.RawMessage(document))
}

// listBehaviours serves the behaviours that have a name.
func listBehaviours(w http.ResponseWriter, _ *http.Request) {
	all, err := behaviour.All()
	if err != nil {
		writeFailure(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"behaviours": all})
}

// getCA serves what a client must trust to accept a listener, the trusted one
// unless the query names another.
func (r *Receiver) getCA(w http.ResponseWriter, req *http.Request) {
	mode := Trusted
	if text := req.URL.Query().Get("listener"); text != "" {
		mode = Mode(text)
	}
	l, ok := r.listeners[mode]
	if !ok || l.Certificate() == "" {
		writeFailure(w, badRequest("listener: %q is none that presents a certificate", mode))
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Header().Set("Content-Disposition", `attachment; filename="`+string(mode)+`-ca.pem"`)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(l.Certificate()))
}

// postClientCertificate makes a client certificate that the listener
// mtls-verified accepts. Its private key is in the answer and nowhere else.
func (r *Receiver) postClientCertificate(w http.ResponseWriter, req *http.Request) {
	data, err := readRequest(w, req)
	if err != nil {
		writeFailure(w, err)
		return
	}
	wish := struct {
		Name     string `json:"name"`
		Password string `json:"password"`
	}{}
	if err := decodeStrict(data, &wish); err != nil {
		writeFailure(w, err)
		return
	}
	if wish.Name == "" || len(wish.Name) > 64 {
		writeFailure(w, badRequest("name: must have 1 to 64 bytes"))
		return
	}
	answer, err := r.clientCertificate(wish.Name, wish.Password)
	if err != nil {
		writeFailure(w, fmt.Errorf("make client certificate: %w", err))
		return
	}
	writeJSON(w, http.StatusCreated, answer)
}

func (r *Receiver) clientCertificate(name, password string) (map[string]any, error) {
	// RSA, because the platform imports such keys from PKCS #12.
	identity, err := r.authorities.root.Issue(pki.Leaf{Name: name, Client: true, Intermediate: true, RSA: true})
	if err != nil {
		return nil, err
	}
	key, err := identity.KeyPEM()
	if err != nil {
		return nil, err
	}
	packed, err := identity.PKCS12(password)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"certificate": string(identity.ChainPEM()), "key": string(key), "pkcs12": packed, "sha256": identity.Fingerprint(),
	}, nil
}

// getSubscription serves a subscription to the endpoint.
func (r *Receiver) getSubscription(w http.ResponseWriter, req *http.Request) {
	e := r.pathEndpoint(w, req)
	if e == nil {
		return
	}
	mode := Trusted
	if text := req.URL.Query().Get("listener"); text != "" {
		mode = Mode(text)
	}
	url, ok := r.describe(e).URLs[mode]
	if !ok {
		writeFailure(w, badRequest("listener: %q is none of %v", mode, Modes()))
		return
	}
	writeJSON(w, http.StatusOK, subscriptionTo(e, url))
}

// Subscription returns, as JSON, the body of a request to an emitter that
// subscribes an endpoint on one of the shared listeners.
func (r *Receiver) Subscription(endpoint string, mode Mode) ([]byte, error) {
	e, err := r.endpoints.withID(endpoint)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(subscriptionTo(e, r.describe(e).URLs[mode]), "", "  ")
}

// subscriptionTo is the body of POST
// /v1/environments/{environment}/subscriptions that sends events about users
// to the URL. It works as pasted: it does not verify the certificate, whose
// root no service knows before it is uploaded.
func subscriptionTo(e *endpoint, url string) map[string]any {
	type object = map[string]any
	format, to := "ACTIVITY", object{"url": url}
	if o := e.emulation; o != nil {
		token := o.Token
		if token == "" {
			token = "any"
		}
		switch o.Kind {
		case emulation.Splunk:
			format, to["headers"] = "SPLUNK", object{"Authorization": "Splunk " + token}
		case emulation.NewRelic:
			format, to["headers"] = "NEWRELIC", object{"Api-Key": token, "Content-Type": "application/json"}
		}
	}
	name := e.name
	if name == "" {
		name = "hookproof receiver"
	}
	return object{
		"name": name, "enabled": true, "protocol": "HTTPS", "format": format, "httpEndpoint": to,
		"verifyTlsCertificates": false,
		"filterOptions": object{
			"includedActionTypes": []string{"USER.CREATED", "USER.UPDATED", "USER.DELETED"},
			"ipAddressExposed":    false,
			"userAgentExposed":    false,
		},
	}
}
