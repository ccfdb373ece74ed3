package pipeline_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	r := event.Record{Type: "USER.CREATED", Populations: []string{"p1", "p2"}, Applications: []string{"a1"}, Tags: []string{"t1"}}
	for name, c := range map[string]struct {
		filter pipeline.Filter
		want   bool
	}{
		"type":                     {pipeline.Filter{Types: []string{"USER.CREATED"}}, true},
		"one of several types":     {pipeline.Filter{Types: []string{"USER.DELETED", "USER.CREATED"}}, true},
		"other type":               {pipeline.Filter{Types: []string{"USER.DELETED"}}, false},
		"types are exact":          {pipeline.Filter{Types: []string{"USER", "USER.CREATE", "user.created", "USER.CREATED2"}}, false},
		"no type":                  {pipeline.Filter{}, false},
		"any population":           {pipeline.Filter{Types: []string{"USER.CREATED"}, Populations: []string{"x", "p2"}}, true},
		"other population":         {pipeline.Filter{Types: []string{"USER.CREATED"}, Populations: []string{"x"}}, false},
		"application":              {pipeline.Filter{Types: []string{"USER.CREATED"}, Applications: []string{"a1"}}, true},
		"other application":        {pipeline.Filter{Types: []string{"USER.CREATED"}, Applications: []string{"p1"}}, false},
		"tag":                      {pipeline.Filter{Types: []string{"USER.CREATED"}, Tags: []string{"t1"}}, true},
		"other tag":                {pipeline.Filter{Types: []string{"USER.CREATED"}, Tags: []string{"t2"}}, false},
		"all kinds":                {pipeline.Filter{Types: []string{"USER.CREATED"}, Populations: []string{"p1"}, Applications: []string{"a1"}, Tags: []string{"t1"}}, true},
		"all but the population":   {pipeline.Filter{Types: []string{"USER.CREATED"}, Populations: []string{"x"}, Applications: []string{"a1"}, Tags: []string{"t1"}}, false},
		"population but no type":   {pipeline.Filter{Types: []string{"X"}, Populations: []string{"p1"}}, false},
		"all but the application":  {pipeline.Filter{Types: []string{"USER.CREATED"}, Populations: []string{"p1"}, Applications: []string{"x"}, Tags: []string{"t1"}}, false},
		"all but the tag":          {pipeline.Filter{Types: []string{"USER.CREATED"}, Populations: []string{"p1"}, Applications: []string{"a1"}, Tags: []string{"x"}}, false},
		"empty kinds do not limit": {pipeline.Filter{Types: []string{"USER.CREATED"}, Populations: []string{}, Tags: []string{}}, true},
	} {
		if got := pipeline.Match(c.filter, r); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if pipeline.Match(pipeline.Filter{Types: []string{"A"}, Tags: []string{"t"}, Populations: []string{"p"}}, event.Record{Type: "A"}) {
		t.Error("an event without population and tag passed filters for them")
	}
}

func TestShape(t *testing.T) {
	t.Parallel()
	r := event.Event{ID: "x", Type: `A"B`, RecordedAt: time.UnixMilli(1530205017627), Source: event.Source{IPAddress: "192.0.2.1", UserAgent: "ua"}}.Record()
	bare := string(r.JSON(false, false))
	both := string(r.JSON(true, true))
	for name, c := range map[string]struct {
		s    subscription.Subscription
		want string
	}{
		"activity":        {subscription.Subscription{Format: subscription.Activity}, bare},
		"no format":       {subscription.Subscription{}, bare},
		"both exposed":    {subscription.Subscription{ExposeIP: true, ExposeUserAgent: true}, both},
		"ip exposed":      {subscription.Subscription{ExposeIP: true}, string(r.JSON(true, false))},
		"splunk":          {subscription.Subscription{Format: subscription.Splunk}, `{"time":1530205017627,"host":"pingidentity.com","source":"pingone","event":` + bare + `}`},
		"splunk exposed":  {subscription.Subscription{Format: subscription.Splunk, ExposeIP: true, ExposeUserAgent: true}, `{"time":1530205017627,"host":"pingidentity.com","source":"pingone","event":` + both + `}`},
		"newrelic":        {subscription.Subscription{Format: subscription.NewRelic}, `{"timestamp":1530205017627,"source":"pingone","message":"A\"B","event":` + bare + `}`},
		"pretty newrelic": {subscription.Subscription{Format: subscription.NewRelic, PrettyPrint: true}, "\n"},
	} {
		got := string(pipeline.Shape([]byte("x"), c.s, r))
		if c.want == "\n" {
			if !strings.Contains(got, "\n") || !json.Valid([]byte(got[1:])) {
				t.Errorf("%s: %s", name, got)
			}
			continue
		}
		if diff := cmp.Diff("x"+c.want, got); diff != "" {
			t.Error(name, diff)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		s             subscription.Subscription
		events, bytes int
	}{
		"none":     {subscription.Subscription{}, 500, 16 << 20},
		"events":   {subscription.Subscription{LimitType: subscription.EventsPerPayload, LimitSize: 7}, 7, 16 << 20},
		"kb":       {subscription.Subscription{LimitType: subscription.KBPerPayload, LimitSize: 4096}, 0, 4096 * 1024},
		"a size 0": {subscription.Subscription{LimitType: subscription.EventsPerPayload}, 500, 16 << 20},
	} {
		if got := pipeline.LimitsOf(c.s); got.Events != c.events || got.Bytes != c.bytes {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func framings() map[string]subscription.Subscription {
	return map[string]subscription.Subscription{
		"default": {}, "array": {PayloadFormat: subscription.JSONArray},
		"pretty": {PayloadFormat: subscription.JSONArray, PrettyPrint: true}, "ndjson": {PayloadFormat: subscription.NDJSON},
	}
}

// Whatever the records, the limits and the framing: no batch exceeds its limit
// unless it holds one record, none is empty, all come in order, the size that
// was counted is the size of the body, and the body is what the format says.
func TestBatchesKeepTheirLimits(t *testing.T) {
	t.Parallel()
	for name, s := range framings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				limits := pipeline.Limits{Events: rapid.IntRange(0, 6).Draw(t, "events"), Bytes: rapid.IntRange(1, 3000).Draw(t, "bytes")}
				n := rapid.IntRange(1, 40).Draw(t, "records")
				var bodies []string
				batch := pipeline.Batch{Limits: limits, Framing: pipeline.FramingOf(s)}
				flush := func() {
					body := batch.Body()
					switch {
					case batch.Len() == 0:
						t.Fatal("an empty batch")
					case len(body) != batch.Size():
						t.Fatalf("counted %d bytes of %d", batch.Size(), len(body))
					case batch.Len() > 1 && len(body) > limits.Bytes:
						t.Fatalf("%d bytes of %d", len(body), limits.Bytes)
					case limits.Events > 0 && batch.Len() > limits.Events:
						t.Fatalf("%d events of %d", batch.Len(), limits.Events)
					}
					bodies = append(bodies, string(body))
					batch = pipeline.Batch{Limits: limits, Framing: batch.Framing}
				}
				for i := range n {
					r := event.Event{ID: fmt.Sprint(i), Type: "A", Description: strings.Repeat("d", rapid.IntRange(0, 900).Draw(t, "size"))}.Record()
					shaped := pipeline.Shape(nil, s, r)
					if !batch.Add(shaped) {
						flush()
						if !batch.Add(shaped) {
							t.Fatal("an empty batch took nothing")
						}
					}
				}
				flush()
				var got, want []string
				for i := range n {
					want = append(want, fmt.Sprint(i))
				}
				for _, body := range bodies {
					got = append(got, ids(body)...)
					checkForm(t, name, body)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatal(diff)
				}
			})
		})
	}
}

func checkForm(t *rapid.T, name, body string) {
	if name == "ndjson" {
		if !strings.HasSuffix(body, "\n") {
			t.Fatal("the last line has no end")
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(body, "\n"), "\n") {
			if !json.Valid([]byte(line)) || line[0] != '{' {
				t.Fatalf("line %q", line)
			}
		}
		return
	}
	if !json.Valid([]byte(body)) || !gjson.Parse(body).IsArray() {
		t.Fatalf("not an array: %s", body)
	}
	if got := strings.Contains(body, "\n"); got != (name == "pretty") {
		t.Fatalf("line breaks: %v in %s", got, body)
	}
}

func TestPrettyPrintKeepsTheData(t *testing.T) {
	t.Parallel()
	r, err := event.Parse([]byte(`{"action":{"type":"A.B"},"n":1.50e3,"s":"a\u0041\/\n","e":{},"a":[],"deep":[{"x":[1,2]}]}`), time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	s := framings()["pretty"]
	batch := pipeline.Batch{Framing: pipeline.FramingOf(s)}
	batch.Add(pipeline.Shape(nil, s, r))
	batch.Add(pipeline.Shape(nil, s, r))
	body := batch.Body()
	var all any
	if err := json.Unmarshal(body, &all); err != nil {
		t.Fatal(err)
	}
	want, err := json.MarshalIndent(json.RawMessage("["+r.Body+","+r.Body+"]"), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(body)); diff != "" {
		t.Error(diff)
	}
}

func TestBackoffDoublesUpToItsBound(t *testing.T) {
	t.Parallel()
	backoff := pipeline.Backoff(time.Second, time.Minute)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1_000_000).Draw(t, "attempt")
		whole := time.Minute
		if n < 7 {
			whole = min(time.Second<<(n-1), time.Minute)
		}
		if got := backoff(n); got < whole/2 || got > whole {
			t.Fatalf("attempt %d waits %v of %v", n, got, whole)
		}
	})
}

func benchmarkRecord() event.Record {
	return event.Event{
		Type: "USER.CREATED", Client: &event.Actor{ID: "a", Name: "Worker"},
		Resources: []event.Resource{{Type: "USER", ID: "11111111-2222-4333-8444-555555555555", Name: "somebody", EnvironmentID: "e", PopulationID: "p"}},
		Source:    event.Source{IPAddress: "192.0.2.1", UserAgent: "Mozilla/5.0"},
	}.Record()
}

func BenchmarkMatch(b *testing.B) {
	types := make([]string, 340)
	for i := range types {
		types[i] = fmt.Sprint("TYPE.", i)
	}
	f := pipeline.Filter{Types: append(types, "USER.CREATED"), Populations: []string{"x", "y", "p"}, Applications: []string{"a"}}
	r := benchmarkRecord()
	b.ReportAllocs()
	for b.Loop() {
		if !pipeline.Match(f, r) {
			b.Fatal("no match")
		}
	}
}

func BenchmarkShape(b *testing.B) {
	for name, s := range map[string]subscription.Subscription{
		"activity": {}, "exposed": {ExposeIP: true, ExposeUserAgent: true},
		"splunk": {Format: subscription.Splunk}, "pretty": {PrettyPrint: true},
	} {
		b.Run(name, func(b *testing.B) {
			r, dst := benchmarkRecord(), []byte(nil)
			b.ReportAllocs()
			for b.Loop() {
				dst = pipeline.Shape(dst[:0], s, r)
			}
			b.SetBytes(int64(len(dst)))
		})
	}
}

func BenchmarkBatch(b *testing.B) {
	record := pipeline.Shape(nil, subscription.Subscription{}, benchmarkRecord())
	b.ReportAllocs()
	for b.Loop() {
		batch := pipeline.Batch{Limits: pipeline.Limits{Events: 500}, Framing: pipeline.FramingOf(subscription.Subscription{})}
		for batch.Add(record) {
		}
		batch.Body()
	}
	b.ReportMetric(float64(b.N)*500/b.Elapsed().Seconds(), "events/s")
}
