package steps_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/embedded"
)

// A talk is one request to the management API and its answer, to be spoiled.
type talk struct {
	method, path, sent string
	status             int
	header             http.Header
	body               string
}

// talkKey is where a request's context has its talk.
type talkKey struct{}

func (k *talk) on(method, path string) bool {
	return k.method == method && strings.HasSuffix(strings.TrimRight(k.path, "0123456789abcdef-"), path)
}
func (k *talk) create() bool { return k.on("POST", "/subscriptions") && k.status == 201 }
func (k *talk) put() bool    { return k.on("PUT", "/subscriptions/") && k.status == 200 }
func (k *talk) get() bool    { return k.on("GET", "/subscriptions/") && k.status == 200 }
func (k *talk) list() bool   { return k.on("GET", "/subscriptions") && k.status == 200 }
func (k *talk) one() bool    { return k.create() || k.put() || k.get() }

func (k *talk) set(path string, value any) { k.body, _ = sjson.Set(k.body, path, value) }
func (k *talk) drop(path string)           { k.body, _ = sjson.Delete(k.body, path) }
func (k *talk) its(path string) string     { return gjson.Get(k.body, path).String() }

// A spoiler is an implementation with one defect: the reference emitter
// behind a proxy that changes what is asked or what is answered.
type spoiler struct {
	name  string
	rules string   // those that must notice, by spaces; "" means that none may
	areas []string // in which none may
	ask   func(*talk)
	say   func(*talk)
}

// spoiled is the reference emitter behind a spoiler's proxy.
type spoiled struct {
	targets.Target
	system *targets.System
	spoil  spoiler
}

func (s spoiled) Start(context.Context) (*targets.System, error) {
	system := *s.system
	to, err := url.Parse(system.Emitter.API)
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
			r.Out.Host = r.In.Host
		},
		ModifyResponse: s.answer,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		k := talk{method: r.Method, path: r.URL.Path, sent: string(body), body: string(body)}
		if s.spoil.ask != nil {
			s.spoil.ask(&k)
			r.Method = k.method
			if k.status != 0 { // the proxy answers itself
				w.WriteHeader(k.status)
				_, _ = io.WriteString(w, k.body)
				return
			}
		}
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(k.body)), int64(len(k.body))
		proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), talkKey{}, &k)))
	}))
	system.Emitter.API = server.URL
	system.Close = func() error { server.Close(); return nil }
	return &system, nil
}

func (s spoiled) answer(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	// The reference's links lead past the proxy.
	body = bytes.ReplaceAll(body, []byte(s.system.Emitter.API), []byte("http://"+r.Request.Host))
	k := *r.Request.Context().Value(talkKey{}).(*talk)
	k.status, k.header, k.body = r.StatusCode, r.Header, string(body)
	if s.spoil.say != nil {
		s.spoil.say(&k)
	}
	r.StatusCode, r.ContentLength, r.Body = k.status, int64(len(k.body)), io.NopCloser(strings.NewReader(k.body))
	r.Header.Set("Content-Length", strconv.Itoa(len(k.body)))
	return nil
}

// Defects that no fault of the reference emitter stands for are noticed by
// the rules that they break, and liberties that implementations have are not.
func TestSpoiledAnswersAreNoticed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a run of the suite for each of some hundred defects")
	}
	inner := embedded.New(embedded.Options{})
	system, err := inner.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.Close(); err != nil {
			t.Error(err)
		}
	})
	deadlines := steps.DefaultDeadlines()
	deadlines.Delivery = 3 * time.Second
	all := slices.Concat(spoilers(), errorSpoilers())
	for _, taken := range []struct {
		liberties []spoiler
		areas     []string
	}{{liberties(), []string{"subscriptions", "validation"}}, {errorLiberties(), errorAreas()}} {
		for _, s := range taken.liberties {
			s.areas = taken.areas
			all = append(all, s)
		}
	}
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			selection := hookproof.Selection{Rules: strings.Fields(s.rules)}
			if s.rules == "" {
				selection = hookproof.Selection{Profiles: s.areas}
			}
			results, err := hookproof.Execute(t.Context(), spoiled{inner, system, s}, hookproof.Select(selection), hookproof.Wait(deadlines))
			if err != nil {
				t.Fatal(err)
			}
			for _, rule := range results.Rules {
				noticed := rule.Outcome == reports.Fail || rule.Outcome == reports.Warn
				switch {
				case slices.Contains(selection.Rules, rule.ID) && !noticed:
					t.Errorf("rule %s is %s %s", rule.ID, rule.Outcome, rule.Reason)
				case s.rules == "" && noticed, rule.Outcome == reports.Error:
					t.Errorf("rule %s is %s: %s", rule.ID, rule.Outcome, rule.Reason)
				}
			}
		})
	}
}
