package emitter_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter"
	"github.com/hookproof/hookproof/simulator/emitter/seed"
)

const seededEnvironment = "11111111-1111-4111-8111-111111111111"

// tenant is a seed with one environment whose users' creation goes to a
// receiver.
func tenant(receiver string) *seed.File {
	return &seed.File{Name: "tenant.yaml", Content: strings.NewReader(fmt.Sprintf(`
environments:
  - id: %s
    name: Seeded
    type: SANDBOX
    region: EU
    users:
      - {username: ann, email: ann@example.com}
    subscriptions:
      - name: s
        enabled: true
        httpEndpoint: {url: %q, headers: {Authorization: canary-header}}
        filterOptions: {includedActionTypes: [USER.CREATED]}
        verifyTlsCertificates: false
`, seededEnvironment, receiver))}
}

func TestASeededSubscriptionIsDeliveredWhatHappensLater(t *testing.T) {
	t.Parallel()
	r := receive(t, nil)
	_, c := start(t, emitter.Options{Seed: tenant(r.URL)})
	c.env = seededEnvironment
	c.must(http.StatusCreated, http.MethodPost, c.path("/users"), `{"username":"bob","email":"bob@example.com"}`)
	got := r.until(t, "a delivery", func(d []delivery) bool { return len(d) > 0 })[0]
	events := gjson.Parse(got.body).Array()
	if len(events) != 1 || events[0].Get("resources.0.name").Str != "bob" {
		t.Errorf("delivered %s", got.body)
	}
}

func TestTheBootstrapEnvironmentCanBeSeeded(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{Environment: seededEnvironment, Seed: tenant("https://receiver.example")})
	c.env = seededEnvironment
	if name := gjson.Get(c.must(http.StatusOK, http.MethodGet, c.path(""), ""), "name").Str; name != "Seeded" {
		t.Errorf("it is called %q", name)
	}
	if n := gjson.Get(c.must(http.StatusOK, http.MethodGet, "/v1/environments", ""), "count").Int(); n != 1 {
		t.Errorf("there are %d environments", n)
	}
}

func TestExportWritesWhatIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := emitter.Start(t.Context(), emitter.Options{Dir: dir, Seed: tenant("https://receiver.example")})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := emitter.Export(t.Context(), emitter.Options{Dir: dir}, &text, false); err == nil {
		t.Error("what another process uses is exported")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for _, secrets := range []bool{false, true} {
		text.Reset()
		if err := emitter.Export(t.Context(), emitter.Options{Dir: dir}, &text, secrets); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), "username: ann") || strings.Contains(text.String(), "canary-header") != secrets {
			t.Errorf("secrets %v: %s", secrets, text.String())
		}
	}
}

func TestTheDocumentIsServedToEverybody(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{})
	c.token = ""
	body := c.must(http.StatusOK, http.MethodGet, "/openapi.json", "")
	if gjson.Get(body, "openapi").Str != "3.1.0" || len(gjson.Get(body, "paths").Map()) < 30 {
		t.Errorf("%.200s", body)
	}
}
