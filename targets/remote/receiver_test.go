package remote_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/remote"
)

func texts[T ~[]byte](events []T) []string {
	var list []string
	for _, e := range events {
		list = append(list, string(e))
	}
	return list
}

func TestEventsAreReadBackOverHTTP(t *testing.T) {
	t.Parallel()
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) != `{"ids":["a","b"]}` || r.Header.Get("X-Token") != "t" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	h := remote.HTTPReadBack{URL: server.URL, Headers: map[string]string{"X-Token": "t"}}
	for text, want := range map[string]string{
		"": "", "{\"id\":\"a\"}\n\n{\"id\":\"b\"}\n": `{"id":"a"} {"id":"b"}`,
	} {
		answer = text
		events, err := h.Events(t.Context(), []string{"a", "b"})
		if got := strings.Join(texts(events), " "); err != nil || got != want {
			t.Errorf("%q gives %q, %v", text, got, err)
		}
	}
	answer = "{}\n[1]\n"
	if _, err := h.Events(t.Context(), []string{"a", "b"}); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error %v, want one that names line 2", err)
	}
	if _, err := h.Events(t.Context(), []string{"c"}); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("error %v, want one that names the status", err)
	}
}

func TestWhatIsReadBackIsBounded(t *testing.T) {
	t.Parallel()
	long := adapter(strings.Repeat("{}\n", 64<<20/3+1)) // a byte or two more than the 64 MiB that are read
	_, err := remote.HTTPReadBack{URL: "http://adapter.invalid/", Client: &http.Client{Transport: long}}.Events(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("error %v, want one about the length", err)
	}
}

func TestEventsAreReadBackByACommand(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "read-back")
	text := "#!/bin/sh\nwhile read -r id; do printf '{\"id\":\"%s\",\"arg\":\"%s\"}\\n' \"$id\" \"$1\"; done\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	events, err := remote.CommandReadBack{Args: []string{"/bin/sh", script, "$HOME;x"}}.Events(t.Context(), []string{"a", "b"})
	want := []string{`{"id":"a","arg":"$HOME;x"}`, `{"id":"b","arg":"$HOME;x"}`}
	if diff := cmp.Diff(want, texts(events)); err != nil || diff != "" {
		t.Errorf("error %v, events %s", err, diff)
	}
	_, err = remote.CommandReadBack{Args: []string{"/bin/sh", "-c", "echo no such store >&2; exit 3"}}.Events(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "no such store") {
		t.Errorf("error %v, want what the command complained about", err)
	}
	_, err = remote.CommandReadBack{Args: []string{"/bin/sh", "-c", "exit 3"}}.Events(t.Context(), nil)
	if err == nil || !strings.HasSuffix(err.Error(), "exit status 3") {
		t.Errorf("error %q, want one that ends with the status", err)
	}
}

func TestACommandThatPrintsWithoutEndIsEnded(t *testing.T) {
	t.Parallel()
	_, err := remote.CommandReadBack{Args: []string{"/bin/sh", "-c", `exec yes '{"id":"a"}'`}}.Events(t.Context(), []string{"a"})
	if err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("error %v, want one about the length", err)
	}
}

func TestACommandMayComplainAtLengthAndSucceed(t *testing.T) {
	t.Parallel()
	c := remote.CommandReadBack{Args: []string{"/bin/sh", "-c", `yes | head -c 100000 >&2; echo '{"id":"a"}'`}}
	if events, err := c.Events(t.Context(), []string{"a"}); err != nil || len(events) != 1 {
		t.Errorf("got %d events, %v", len(events), err)
	}
}

func TestAnAdapterThatRepeatsItsTokenDoesNotDiscloseIt(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "unknown token "+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+" in "+r.Header.Get("Authorization"), http.StatusForbidden)
	}))
	defer server.Close()
	_, err := remote.HTTPReadBack{URL: server.URL, Headers: map[string]string{"Authorization": "Bearer canary-of-the-adapter"}}.Events(t.Context(), nil)
	if err == nil || !strings.HasSuffix(err.Error(), "unknown token [redacted] in [redacted]") {
		t.Errorf("the error is %v", err)
	}
}

func TestAnAdapterThatRepeatsItsTokenInAnotherFormDoesNotDiscloseIt(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		quoted, err := json.Marshal(sent)
		if err != nil {
			t.Error(err)
		}
		http.Error(w, fmt.Sprintf("unknown token %s, %s, %s", quoted, url.QueryEscape(sent), base64.StdEncoding.EncodeToString([]byte("x:"+sent))), http.StatusInternalServerError)
	}))
	defer server.Close()
	for _, secret := range []string{`canary"of<the>adapter`, `canary"`} {
		_, err := remote.HTTPReadBack{URL: server.URL, Headers: map[string]string{"Authorization": "Bearer " + secret}}.Events(t.Context(), nil)
		if err == nil || !strings.Contains(err.Error(), "unknown token") || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "jYW5hcn") {
			t.Errorf("the error is %v", err)
		}
	}
}

func TestACommandThatRepeatsItsPasswordDoesNotDiscloseIt(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "read-back.sh")
	if err := os.WriteFile(script, []byte("echo \"$0: not let in with $*\" >&2; exit 3"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := remote.CommandReadBack{Args: []string{"/bin/sh", script, "--password=canary-one", "-p", "canary-two", "postgres://u:canary-three@db/events"}}.Events(t.Context(), nil)
	if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), script+": not let in with --password=") {
		t.Errorf("the error is %v", err)
	}
}

func TestAReceiverThatCannotBeTestedAsClaimedIsRefused(t *testing.T) {
	t.Parallel()
	good := targets.Hook{URL: "https://receiver.example/canary"}
	for name, c := range map[string]struct {
		options remote.ReceiverOptions
		want    string // in the error
	}{
		"no URL":                {remote.ReceiverOptions{Hook: targets.Hook{URL: "https://canary:canary"}}, "no URL"},
		"no host":               {remote.ReceiverOptions{Hook: targets.Hook{URL: "https:/canary"}}, "no URL"},
		"no TLS":                {remote.ReceiverOptions{Hook: targets.Hook{URL: "http://canary@receiver.example/canary"}}, "begins with http://receiver.example, and deliveries go over HTTPS only"},
		"credentials in URL":    {remote.ReceiverOptions{Hook: targets.Hook{URL: "https://u:canary@receiver.example/"}}, "at https://receiver.example holds credentials"},
		"no way to read back":   {remote.ReceiverOptions{Hook: good, Claims: []targets.Capability{targets.CanReadBack}}, "--read-back"},
		"no credentials":        {remote.ReceiverOptions{Hook: good, Claims: []targets.Capability{targets.Authentication}}, "HOOKPROOF_HOOK_HEADER"},
		"no client certificate": {remote.ReceiverOptions{Hook: good, Claims: []targets.Capability{targets.MutualTLS}}, "--client-certificate"},
		"junk to trust":         {remote.ReceiverOptions{Hook: targets.Hook{URL: good.URL, CA: []byte("junk")}}, "PEM"},
		"nothing to trust":      {remote.ReceiverOptions{Hook: targets.Hook{URL: good.URL, CA: []byte{}}}, "PEM"},
		"a key alone":           {remote.ReceiverOptions{Hook: targets.Hook{URL: good.URL, ClientKey: []byte("x")}}, "client certificate"},
	} {
		if _, err := remote.NewReceiver(c.options); err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	made, err := remote.NewReceiver(remote.ReceiverOptions{Hook: targets.Hook{URL: good.URL, ReadBack: remote.CommandReadBack{Args: []string{"x"}}}})
	if err != nil || !made.Info().Has(targets.CanReadBack) || made.Info().URL != "https://receiver.example" {
		t.Errorf("info %+v, error %v", made, err)
	}
}

// A library's user meets the same refusal as one of the command, before
// anything is reached.
func TestCredentialsThatNoReportCouldHideAreRefused(t *testing.T) {
	t.Parallel()
	emitter := func(e targets.Emitter) error {
		e.API, e.Environment = "http://127.0.0.1:1", "e"
		_, err := remote.New(remote.Options{Emitter: e})
		return err
	}
	receiver := func(h targets.Hook) error {
		h.URL = "https://127.0.0.1:1"
		_, err := remote.NewReceiver(remote.ReceiverOptions{Hook: h})
		return err
	}
	const good = "a-long-credential"
	for what, err := range map[string]error{
		"the client secret":            emitter(targets.Emitter{ClientID: "c", ClientSecret: "secret"}),
		"the token":                    emitter(targets.Emitter{Token: "12345678"}),
		"the token of the control API": emitter(targets.Emitter{Token: good, ControlToken: "local"}),
		"the token of the event hook":  emitter(targets.Emitter{Token: good, TriggerToken: "t"}),
		"the header Authorization":     receiver(targets.Hook{Headers: map[string]string{"Authorization": "Bearer short"}}),
		"the header X-Api-Key":         receiver(targets.Hook{ReadBack: remote.HTTPReadBack{URL: "http://127.0.0.1:1", Headers: map[string]string{"X-Api-Key": "k"}}}),
	} {
		if err == nil || !strings.Contains(err.Error(), what+" is too short") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, err := range map[string]error{
		"client secret": emitter(targets.Emitter{ClientID: "c", ClientSecret: good}), "token": emitter(targets.Emitter{Token: good}),
		"header": receiver(targets.Hook{Headers: map[string]string{"Authorization": "Bearer " + good, "X-Environment": "e"}}),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestJunkIsNoAuthorityOfAnEmitter(t *testing.T) {
	t.Parallel()
	authority, err := pki.NewAuthority("root")
	if err != nil {
		t.Fatal(err)
	}
	broken := "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	for name, c := range map[string]struct {
		ca   []byte
		want string
	}{
		"nothing said": {nil, ""}, "an authority": {authority.PEM(), ""}, "junk": {[]byte("junk"), "CA takes certificates in PEM"}, "nothing in it": {[]byte{}, "CA takes certificates in PEM"},
		"a broken one beside it": {append(authority.PEM(), broken...), "certificate 2"},
	} {
		o := remote.Options{Emitter: targets.Emitter{API: "https://emitter.example", Environment: "e", Token: "0123456789abcdef0123456789abcdef", CA: c.ca}}
		if _, err := remote.New(o); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
