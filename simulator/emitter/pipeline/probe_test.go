package pipeline_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// tested makes a connection test of a subscription, changed from one that
// nothing matches and that is suspended, and returns what its receiver saw.
func tested(t *testing.T, change func(*subscription.Subscription), answer http.HandlerFunc) ([]seen, error) {
	t.Helper()
	w := newWorld()
	w.start()
	defer w.dispatcher.Close()
	r := serve(t, issue(t, authority(t), pki.Leaf{Hosts: loopback}), nil, answer)
	s := webhook("tested")
	s.URL, s.VerifyTLS, s.Enabled, s.Tags = r.URL+"/hook?a=b", false, false, []string{"none"}
	s.Headers = map[string]string{"Authorization": "Basic dTpw"}
	if change != nil {
		change(&s)
	}
	err := w.dispatcher.Test(t.Context(), s, event.Event{
		Type: "EVENT_DELIVERY_TEST", SubscriptionName: "tested", Source: event.Source{IPAddress: "192.0.2.1", UserAgent: "tester"},
	})
	r.Close()
	close(r.seen)
	return slices.Collect(func(yield func(seen) bool) {
		for s := range r.seen {
			if !yield(s) {
				return
			}
		}
	}), err
}

func TestAConnectionTestIsAHeadAndAPostOfOneEvent(t *testing.T) {
	t.Parallel()
	got, err := tested(t, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].method != http.MethodHead || got[1].method != http.MethodPost {
		t.Fatalf("the receiver saw %+v", got)
	}
	for _, s := range got {
		if s.target != "/hook?a=b" || s.header.Get("Authorization") != "Basic dTpw" {
			t.Errorf("%s %s %v", s.method, s.target, s.header)
		}
	}
	if got[0].body != "" || got[0].header.Get("Content-Type") != "" {
		t.Errorf("HEAD with %q %v", got[0].body, got[0].header)
	}
	body := gjson.Parse(got[1].body)
	if body.Get("#").Int() != 1 || body.Get("0.action.type").Str != "EVENT_DELIVERY_TEST" || body.Get("0.subscriptionName").Str != "tested" ||
		body.Get("0.recordedAt").Str == "" || body.Get("0.source").Exists() {
		t.Errorf("posted %s", got[1].body)
	}
}

func TestAConnectionTestHasTheSubscriptionsForm(t *testing.T) {
	t.Parallel()
	got, err := tested(t, func(s *subscription.Subscription) { s.PayloadFormat, s.ExposeUserAgent = subscription.NDJSON, true }, nil)
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if body := got[1].body; !strings.HasPrefix(body, "{") || gjson.Get(body, "source").Raw != `{"userAgent":"tester"}` {
		t.Errorf("posted %s", body)
	}
	if media := got[1].header.Get("Content-Type"); media != "application/x-ndjson" {
		t.Errorf("as %s", media)
	}
}

func TestAConnectionTestTellsWhatWentWrong(t *testing.T) {
	t.Parallel()
	status := func(head, post int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(head)
				return
			}
			w.WriteHeader(post)
		}
	}
	for name, c := range map[string]struct {
		change func(*subscription.Subscription)
		answer http.HandlerFunc
		posts  int
		wrong  string // empty: it goes well
	}{
		"a HEAD that fails":         {nil, status(405, 200), 1, ""},
		"a POST that fails":         {nil, status(200, 500), 1, "status 500"},
		"a POST that is redirected": {nil, status(200, 302), 1, "status 302"},
		"nobody there":              {func(s *subscription.Subscription) { s.URL = "https://127.0.0.1:1/" }, nil, 0, "refused"},
		"an unknown authority":      {func(s *subscription.Subscription) { s.VerifyTLS = true }, nil, 0, "certificate"},
		"a missing key":             {func(s *subscription.Subscription) { s.KeyID = "k" }, nil, 0, "key pair"},
		"TCP":                       {func(s *subscription.Subscription) { s.Protocol = subscription.TCPIP }, nil, 0, "TCP"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tested(t, c.change, c.answer)
			if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%v, want %q", err, c.wrong)
			}
			posts := slices.DeleteFunc(got, func(s seen) bool { return s.method != http.MethodPost })
			if len(posts) != c.posts {
				t.Errorf("%d POSTs, want %d", len(posts), c.posts)
			}
		})
	}
}

func TestAConnectionTestEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.start()
	defer w.dispatcher.Close()
	asked := make(chan struct{})
	r := serve(t, issue(t, authority(t), pki.Leaf{Hosts: loopback}), nil, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	s := webhook("tested")
	s.URL, s.VerifyTLS = r.URL, false
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if err := w.dispatcher.Test(ctx, s, event.Event{Type: "EVENT_DELIVERY_TEST"}); err == nil {
		t.Error("a test that was given up went well")
	}
}
