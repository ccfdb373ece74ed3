package driver

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// limited is a driver at a target that answers what the function says to the
// nth request, from 1.
func limited(t *testing.T, answer func(n int, w http.ResponseWriter)) (*Driver, *Client, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(int(asked.Add(1)), w) }))
	t.Cleanup(server.Close)
	client, err := NewClient(&targets.System{Emitter: targets.Emitter{API: server.URL, Auth: server.URL, Environment: "e", Token: "t"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return New(NewLive(client, "salt", 5*time.Second), &transcript.Transcript{Seed: "1", Salt: "salt"}), client, &asked
}

func TestARequestThatComesTooSoonIsMadeAgainWhenTheTargetSays(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]func() string{
		"in seconds": func() string { return "1" },
		"as a date":  func() string { return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _, asked := limited(t, func(n int, w http.ResponseWriter) {
				if n < 3 {
					w.Header().Set("Retry-After", after())
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				w.WriteHeader(http.StatusCreated)
			})
			begin := time.Now()
			x, err := d.Do(t.Context(), Call{Peer: Emitter, Method: http.MethodPost, Path: "/v1/things"})
			if err != nil || x.Response == nil || x.Response.Status != http.StatusCreated {
				t.Fatalf("got %+v, %v", x, err)
			}
			if asked.Load() != 3 || len(x.Refused) != 2 || time.Since(begin) < time.Second {
				t.Errorf("asked %d times, %d refusals recorded, in %v", asked.Load(), len(x.Refused), time.Since(begin))
			}
			if entries := d.Snapshot().Entries; len(entries) != 1 || entries[0].At.Before(x.Refused[1].At) {
				t.Errorf("the entry is not that of the last request: %+v", entries)
			}
		})
	}
}

func TestOnlyARefusalForTheRateIsRepeated(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusForbidden, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		d, _, asked := limited(t, func(_ int, w http.ResponseWriter) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(status)
		})
		x, err := d.Do(t.Context(), Call{Peer: Emitter, Method: http.MethodGet, Path: "/v1/things"})
		if err != nil || x.Response.Status != status || asked.Load() != 1 {
			t.Errorf("status %d: asked %d times, %v", status, asked.Load(), err)
		}
	}
}

func TestAPauseThatIsTooLongIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	d, _, asked := limited(t, func(_ int, w http.ResponseWriter) {
		w.Header().Set("Retry-After", "86400")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	x, err := d.Do(t.Context(), Call{Peer: Emitter, Method: http.MethodGet, Path: "/v1/things"})
	if err != nil || x.Response.Status != http.StatusTooManyRequests || asked.Load() != 1 {
		t.Errorf("asked %d times, got %+v, %v", asked.Load(), x, err)
	}
}

func TestARunThatEndsDoesNotWaitForAPause(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	d, _, _ := limited(t, func(_ int, w http.ResponseWriter) {
		w.Header().Set("Retry-After", "200")
		w.WriteHeader(http.StatusTooManyRequests)
		cancel()
	})
	begin := time.Now()
	if _, err := d.Do(ctx, Call{Peer: Emitter, Method: http.MethodPost, Path: "/v1/things"}); err != nil || time.Since(begin) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
}

func TestCallsKeepToTheRate(t *testing.T) {
	t.Parallel()
	d, client, asked := limited(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusOK) })
	client.pace = newPace(20)
	begin := time.Now()
	if _, err := d.DoAll(t.Context(), slices.Repeat([]Call{{Peer: Emitter, Method: http.MethodGet, Path: "/v1/things"}}, 20)); err != nil {
		t.Fatal(err)
	}
	// 20 calls at 20 a second: the last begins 19/20 s after the first.
	if took := time.Since(begin); asked.Load() != 20 || took < 900*time.Millisecond {
		t.Errorf("%d calls took %v", asked.Load(), took)
	}
}
