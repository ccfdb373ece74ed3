package api

import (
	"crypto/subtle"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

const (
	tokenLifetime = time.Hour // expires_in 3600, what the platform's clients are told
	maxTokenForm  = 64 << 10  // bytes of a token request's form
)

// grant is whom a token stands for.
type grant struct {
	client      string
	name        string
	environment string // the client's own
	everywhere  bool
	reaches     []reach
}

// authenticate finds the grant of a request's bearer token. A token dies with its time, its application and its
// environment.
func (a *API) authenticate(r *http.Request) (grant, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return grant{}, invalidToken("There is no bearer token.")
	}
	c, err := a.opts.TokenKey.verify(strings.TrimSpace(token), a.opts.Now())
	switch {
	case errors.Is(err, errTokenExpired):
		return grant{}, invalidToken("The token has expired.")
	case err != nil:
		return grant{}, invalidToken("The token is not known.")
	}
	if boot := a.opts.Bootstrap; c.Client == boot.ID && c.Environment == boot.EnvironmentID {
		return bootstrapGrant(boot), nil
	}
	application, err := a.directory.Get(c.Environment, directory.Application, c.Client)
	if err != nil || !application.Flag("enabled") {
		return grant{}, invalidToken("The token's application is not there any more.")
	}
	g := workerGrant(application)
	g.reaches = a.reaches(application)
	return g, nil
}

func bootstrapGrant(c Client) grant {
	return grant{client: c.ID, name: c.Name, environment: c.EnvironmentID, everywhere: true}
}

func workerGrant(application directory.Entity) grant {
	return grant{client: application.ID, name: application.Name(), environment: application.EnvironmentID}
}

// serveToken answers a token request with OAuth's own error bodies (RFC 6749, section 5.2).
func (a *API) serveToken(w http.ResponseWriter, r *http.Request, environment string) {
	w.Header().Set("Cache-Control", "no-store")
	refuse := func(status int, code, description string) {
		response{status, map[string]string{"error": code, "error_description": description}}.write(w)
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(http.StatusMethodNotAllowed, "invalid_request", "A token is asked for with POST.")
		return
	}
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/x-www-form-urlencoded" {
		refuse(http.StatusBadRequest, "invalid_request", "The request must be a form.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenForm)
	if err := r.ParseForm(); err != nil {
		refuse(http.StatusBadRequest, "invalid_request", "The form could not be read.")
		return
	}
	g, ok := a.client(environment, r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
		refuse(http.StatusUnauthorized, "invalid_client", "The client is not known or its secret is wrong.")
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
	case "":
		refuse(http.StatusBadRequest, "invalid_request", "grant_type is required.")
		return
	default:
		refuse(http.StatusBadRequest, "unsupported_grant_type", "Only client_credentials is supported.")
		return
	}
	base := a.base(r)
	token, err := a.opts.TokenKey.sign(g, base+"/"+environment+"/as", base, a.opts.Now())
	if err != nil {
		a.opts.Log.Error("token could not be signed", "error", err)
		refuse(http.StatusInternalServerError, "server_error", "The token could not be signed.")
		return
	}
	response{http.StatusOK, map[string]any{
		"access_token": token, "token_type": "Bearer", "expires_in": int(tokenLifetime.Seconds()),
	}}.write(w)
}

// client identifies who asks for a token: by HTTP Basic, else by the form.
func (a *API) client(environment string, r *http.Request) (grant, bool) {
	id, secret, basic := r.BasicAuth()
	if basic {
		id, secret = unescaped(id), unescaped(secret)
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	boot := a.opts.Bootstrap
	if boot.ID != "" && id == boot.ID && environment == boot.EnvironmentID {
		return bootstrapGrant(boot), same(secret, boot.Secret)
	}
	application, err := a.directory.Get(environment, directory.Application, id)
	if err != nil || !same(secret, application.Secret) || !worker(application) {
		return grant{}, false
	}
	return workerGrant(application), true
}

// worker says whether an application acts for itself.
func worker(application directory.Entity) bool {
	grants, sent := application.Members["grantTypes"].([]any)
	return application.Text("type") == "WORKER" && application.Flag("enabled") &&
		(!sent || slices.Contains(grants, any("CLIENT_CREDENTIALS")))
}

func same(given, secret string) bool {
	return secret != "" && subtle.ConstantTimeCompare([]byte(given), []byte(secret)) == 1
}

// unescaped undoes the form escaping of RFC 6749, section 2.3.1; clients that do not escape are understood as far as
// their value is no escape.
func unescaped(value string) string {
	if plain, err := url.QueryUnescape(value); err == nil {
		return plain
	}
	return value
}
