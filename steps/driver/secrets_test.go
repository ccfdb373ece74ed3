package driver

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// gossip is a target that repeats what it was sent, in the form that the path
// names.
func gossip(t *testing.T, emitter targets.Emitter) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := r.Header.Get("Authorization")
		bare := strings.TrimPrefix(sent, "Bearer ")
		quoted, err := json.Marshal(map[string]string{"told": sent, "by": r.URL.Path})
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Location", "/"+url.PathEscape(bare)+"?again="+url.QueryEscape(bare))
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write(append(quoted, " "+url.QueryEscape(bare)+" "+base64.StdEncoding.EncodeToString([]byte("x:"+bare))...))
	}))
	t.Cleanup(server.Close)
	emitter.API, emitter.Auth, emitter.Control = server.URL, server.URL, server.URL
	if emitter.Trigger != "" {
		emitter.Trigger = server.URL + emitter.Trigger
	}
	client, err := NewClient(&targets.System{Emitter: emitter})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// told is what becomes of a call in the transcript.
func told(t *testing.T, client *Client, peer string) string {
	t.Helper()
	d := New(NewLive(client, "salt", 5*time.Second), &transcript.Transcript{Seed: "1", Salt: "salt"})
	path := "/v1/any"
	if peer == Trigger {
		path = ""
	}
	if _, err := d.Do(t.Context(), Call{Peer: peer, Method: http.MethodPost, Path: path}); err != nil {
		t.Fatal(err)
	}
	var stored bytes.Buffer
	if err := d.Snapshot().Write(&stored); err != nil {
		t.Fatal(err)
	}
	return stored.String()
}

func TestATargetThatRepeatsASecretInAnotherFormDoesNotDiscloseIt(t *testing.T) {
	t.Parallel()
	const token, control, short = `canary"<a>/b c`, "canary+of/control", "canary7+"
	client := gossip(t, targets.Emitter{Environment: "env", Token: token, ControlToken: control, Trigger: "/hooks/canary-0815-path", TriggerToken: short})
	for peer, secret := range map[string]string{Emitter: token, Control: control, Trigger: short} {
		stored := told(t, client, peer)
		for _, left := range []string{"canary", base64.RawStdEncoding.EncodeToString([]byte("x:" + secret[:7]))[3:9]} {
			if strings.Contains(stored, left) {
				t.Errorf("%s: %q is in %s", peer, left, stored)
			}
		}
	}
}

func TestATokenEndpointThatRepeatsTheSecretDoesNotDiscloseIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		secret, answer string // %s is the secret, %b the header
		kept           string
	}{
		"in the code":           {"canary-client-secret", `{"error":"invalid_client %s"}`, "status 401"},
		"in the code, as sent":  {"canary-client-secret", `{"error":"%b"}`, "status 401"},
		"as the code":           {"canary_client_secret", `{"error":"%s"}`, "status 401"},
		"an ordinary code":      {"canary-client-secret", `{"error":"invalid_client"}`, "status 401 invalid_client"},
		"in what is no JSON":    {"canary-client-secret", `%s %b`, "status 401"},
		"in the described code": {"canary-client-secret", `{"error":"invalid_client","error_description":"%s"}`, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = w.Write([]byte(strings.NewReplacer("%s", c.secret, "%b", r.Header.Get("Authorization")).Replace(c.answer)))
			}))
			defer server.Close()
			client, err := NewClient(&targets.System{Emitter: targets.Emitter{API: server.URL, Auth: server.URL, Environment: "env", ClientID: "client", ClientSecret: c.secret}})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			err = client.Reach(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.kept) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "Y2xpZW50OmNhbmFy") {
				t.Errorf("the error is %v", err)
			}
			if stored := told(t, client, Emitter); strings.Contains(stored, "canary") || strings.Contains(stored, "Y2xpZW50OmNhbmFy") {
				t.Errorf("the transcript is %s", stored)
			}
		})
	}
}

func TestAnErrorWithMarksIsStillTheSameError(t *testing.T) {
	t.Parallel()
	client := gossip(t, targets.Emitter{Environment: "env", Token: "canary-token-of-the-run"})
	err := client.discreet(errors.Join(errors.New("sent canary-token-of-the-run"), context.Canceled))
	if strings.Contains(err.Error(), "canary") || !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

// teller reads back, and has a secret of its own that it repeats.
type teller struct{}

func (teller) Secrets() []string { return []string{`canary "of" the adapter`} }
func (teller) Events(context.Context, []string) ([]json.RawMessage, error) {
	return nil, errors.New(`it answers 500: {"sent":"canary \"of\" the adapter"}`)
}

func TestSecretsOfReadingBackAreMarked(t *testing.T) {
	t.Parallel()
	client, err := NewClient(&targets.System{Hook: targets.Hook{URL: "https://127.0.0.1:1/", ReadBack: teller{}}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if stored := told(t, client, ReadBack); strings.Contains(stored, "canary") || !strings.Contains(stored, "it answers 500") {
		t.Errorf("the transcript is %s", stored)
	}
}
