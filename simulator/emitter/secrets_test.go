package emitter_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/hookproof/hookproof/simulator/emitter"
)

// shared is a buffer that several goroutines write.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestTheLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	var log shared
	o := emitter.Options{
		ClientSecret: "canary-client-secret",
		Log:          slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	e, c := start(t, o)
	c = c.environment("secret")
	r := receive(t, func(n int) int {
		if n == 1 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	canary := map[string]any{"httpEndpoint": map[string]any{
		"url": r.URL + "/canary-path?key=canary-query", "headers": map[string]string{"Authorization": "canary-header", "X-Key": "canary-own"}}}
	c.subscribe(r.URL, canary)
	refused := receive(t, nil)
	canary["httpEndpoint"].(map[string]any)["url"] = refused.URL + "/canary-refused"
	canary["verifyTlsCertificates"] = true // its certificate is not trusted
	c.subscribe(refused.URL, canary)
	c.inject("USER.CREATED", 1, 1)
	r.untilNumbers(t, []string{"1"})
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	text := log.String()
	if !strings.Contains(text, "delivery failed") || !strings.Contains(text, "accepts again") {
		t.Errorf("the log says nothing of the failure:\n%s", text)
	}
	for _, secret := range []string{"canary", controlToken, c.token} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the log:\n%s", secret, text)
		}
	}
}
