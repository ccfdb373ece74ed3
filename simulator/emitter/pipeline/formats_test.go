package pipeline_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// formatted are the subscriptions of every format in every form.
func formatted() map[string]subscription.Subscription {
	all := map[string]subscription.Subscription{}
	for _, format := range []string{subscription.Activity, subscription.Splunk, subscription.NewRelic} {
		for form, s := range framings() {
			s.Format = format
			all[format+" "+form] = s
		}
	}
	return all
}

// records are the records of a body, and whether they look as the format says.
func records(s subscription.Subscription, body string) (list []gjson.Result, err error) {
	if s.PayloadFormat == subscription.NDJSON {
		if !strings.HasSuffix(body, "\n") {
			return nil, fmt.Errorf("the last line does not end: %s", body)
		}
		for line := range strings.Lines(body) {
			if !json.Valid([]byte(line)) {
				return nil, fmt.Errorf("no JSON in a line: %s", line)
			}
			list = append(list, gjson.Parse(line))
		}
		return list, nil
	}
	if !json.Valid([]byte(body)) || body[0] != '[' {
		return nil, fmt.Errorf("no array: %s", body)
	}
	if pretty := strings.Contains(body, "\n  {\n    "); pretty != s.PrettyPrint {
		return nil, fmt.Errorf("indented: %t", pretty)
	}
	return gjson.Parse(body).Array(), nil
}

// Whatever the events and the configured limit: in every format and form, the
// body as it is sent, envelope and indentation included, keeps the limit unless
// it holds one event, and all events are in it, in order.
func TestEveryFormatKeepsTheConfiguredLimit(t *testing.T) {
	t.Parallel()
	for name, s := range formatted() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				s := s
				s.LimitType, s.LimitSize = subscription.KBPerPayload, rapid.IntRange(1, 4).Draw(t, "KB")
				if rapid.Bool().Draw(t, "by count") {
					s.LimitType = subscription.EventsPerPayload
				}
				s.ExposeIP, s.ExposeUserAgent = rapid.Bool().Draw(t, "ip"), rapid.Bool().Draw(t, "user agent")
				batch := pipeline.Batch{Limits: pipeline.LimitsOf(s), Framing: pipeline.FramingOf(s)}
				var got, want []string
				flush := func() {
					body := string(batch.Body())
					list, err := records(s, body)
					switch {
					case err != nil:
						t.Fatal(err)
					case len(list) != batch.Len():
						t.Fatalf("%d records of %d", len(list), batch.Len())
					case s.LimitType == subscription.EventsPerPayload && len(list) > s.LimitSize:
						t.Fatalf("%d events, allowed are %d", len(list), s.LimitSize)
					case s.LimitType == subscription.KBPerPayload && len(list) > 1 && len(body) > s.LimitSize*1024:
						t.Fatalf("%d bytes, allowed are %d KB", len(body), s.LimitSize)
					}
					for _, record := range list {
						e := record
						if s.Format != subscription.Activity {
							e = record.Get("event")
						}
						got = append(got, e.Get("id").String()+e.Get("result.description").String())
					}
					batch = pipeline.Batch{Limits: batch.Limits, Framing: batch.Framing}
				}
				for i := range rapid.IntRange(1, 12).Draw(t, "events") {
					description := strings.Repeat("ä", rapid.IntRange(0, 900).Draw(t, "length"))
					r := event.Event{ID: fmt.Sprint(i), Type: "USER.CREATED", Result: event.Result{Description: description},
						Source: event.Source{IPAddress: "192.0.2.1", UserAgent: `a "quoted" agent`}}.Record()
					want = append(want, fmt.Sprint(i)+description)
					shaped := pipeline.Shape(nil, s, r)
					if !batch.Add(shaped) {
						flush()
						batch.Add(shaped)
					}
				}
				flush()
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatal(diff)
				}
			})
		})
	}
}
