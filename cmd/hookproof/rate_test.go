package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/simulator/emitter"
)

// A target that answers 429 to what comes too fast is still conformant: each
// call is made again when the target says.
func TestAProfileIsKeptBehindARateLimit(t *testing.T) {
	t.Parallel()
	limiter := rate.NewLimiter(60, 60)
	var calls, refused atomic.Int64
	address := freeAddress(t)
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A slow machine may not come near the limit: the tenth call is too much anyway.
		if calls.Add(1) == 10 || !limiter.Allow() {
			refused.Add(1)
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	e, err := emitter.Start(t.Context(), emitter.Options{
		Listen: address, PublicURL: front.URL, Environment: sharedEnvironment, ClientID: "suite", ClientSecret: sharedSecret,
		Linger: 100 * time.Millisecond, RetryInitial: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	code, out := run(t, "run", "--profile", "filtering", "--out", t.TempDir(), "--target", front.URL,
		"--environment", sharedEnvironment, "--client-id", "suite", "--client-secret", sharedSecret, "--claim", "environments")
	if code != reports.ExitConformant || !strings.Contains(out, "CONFORMANT") || refused.Load() == 0 {
		t.Errorf("code %d, with %d calls refused: %s", code, refused.Load(), out)
	}
	t.Logf("%d calls refused", refused.Load())
}
