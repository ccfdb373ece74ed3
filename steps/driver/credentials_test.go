package driver

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// tellers is a target whose answers tell secrets, and that accepts nothing
// but them.
func tellers(t *testing.T) *Client {
	t.Helper()
	mux := http.NewServeMux()
	tell := func(w http.ResponseWriter, body string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	}
	mux.HandleFunc("GET /v1/secret", func(w http.ResponseWriter, _ *http.Request) { tell(w, `{"secret":"canary: of an app"}`) })
	mux.HandleFunc("POST /env/as/token", func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch user + " " + password {
		case "app canary%3A+of+an+app": // form-escaped
			tell(w, `{"access_token":"canary-of-app"}`)
		case "client " + secretOfClient:
			tell(w, `{"access_token":"canary-of-client"}`)
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	mux.HandleFunc("GET /v1/use", func(w http.ResponseWriter, r *http.Request) {
		tell(w, `{"got":"`+strings.ReplaceAll(r.Header.Get("Authorization"), "canary", "yes")+`"}`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	client, err := NewClient(&targets.System{Emitter: targets.Emitter{
		API: server.URL, Auth: server.URL, Environment: "env", ClientID: "client", ClientSecret: secretOfClient, Token: "t",
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestSecretsThatAnswersToldCanBeSentByTheirMarks(t *testing.T) {
	t.Parallel()
	d := New(NewLive(tellers(t), "salt", 5*time.Second), &transcript.Transcript{Seed: "1", Salt: "salt"})
	ask := func(c Call) gjson.Result {
		t.Helper()
		x, err := d.Do(t.Context(), c)
		if err != nil || x.Response == nil || x.Response.Status != http.StatusOK {
			t.Fatalf("%+v, %v", x, err)
		}
		return gjson.ParseBytes(x.Response.Body)
	}
	secret := ask(Call{Peer: Emitter, Method: http.MethodGet, Path: "/v1/secret"}).Get("secret").Str
	token := Call{Peer: Auth, Method: http.MethodPost, Path: "/env/as/token"}
	token.As = &Credentials{ID: "app", Secret: secret}
	ofApp := ask(token).Get("access_token").Str
	token.As = &Credentials{}
	ofClient := ask(token).Get("access_token").Str
	for mark, want := range map[string]string{ofApp: "Bearer yes-of-appx", ofClient: "Bearer yes-of-clientx"} {
		if got := ask(Call{Peer: Emitter, Method: http.MethodGet, Path: "/v1/use", Authorization: "Bearer " + mark + "x"}).Get("got").Str; got != want {
			t.Errorf("sent %q, want %q", got, want)
		}
	}
	unknown := d.Mark("never told")
	if got := ask(Call{Peer: Emitter, Method: http.MethodGet, Path: "/v1/use", Authorization: unknown}).Get("got").Str; got != unknown {
		t.Errorf("a mark that nobody knows was sent as %q", got)
	}
	var stored bytes.Buffer
	if err := d.Snapshot().Write(&stored); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(stored.String(), "canary") {
		t.Error("a secret was recorded")
	}
}
