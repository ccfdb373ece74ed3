package event_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/simulator/emitter/event"
)

var at = time.Date(2026, 3, 4, 5, 6, 7, 891_234_567, time.FixedZone("", 3600))

func full() event.Event {
	return event.Event{
		ID: "e1", CorrelationID: "c1", RecordedAt: at, Type: "USER.CREATED", Description: "User Created",
		Client: &event.Actor{ID: "adminui", Name: "adminui"},
		User:   &event.Actor{ID: "u0", Name: "admin", EnvironmentID: "env", PopulationID: "p0", Href: "https://x/u0"},
		Resources: []event.Resource{
			{Type: "USER", ID: "u1", Name: "a <b> & \"c\"", EnvironmentID: "env", PopulationID: "p1", Href: "https://x/u1"},
			{Type: "POPULATION", ID: "p2"}, {Type: "APPLICATION", ID: "a2"}, {Type: "SCOPE", ID: "s", PopulationID: "p9"},
		},
		Result: event.Result{Description: "Created User a"}, Tags: []string{"adminIdentityEvent"},
		Source: event.Source{IPAddress: "192.0.2.7", UserAgent: "Mozilla \"5\" <x>"},
	}
}

func TestAnEventIsEncodedInTheShapeOfTheSamples(t *testing.T) {
	t.Parallel()
	r := full().Record()
	want := `{"id":"e1","recordedAt":"2026-03-04T04:06:07.891Z","correlationId":"c1",` +
		`"actors":{"client":{"id":"adminui","name":"adminui","type":"CLIENT"},` +
		`"user":{"id":"u0","name":"admin","environment":{"id":"env"},"population":{"id":"p0"},"href":"https://x/u0","type":"USER"}},` +
		`"action":{"type":"USER.CREATED","description":"User Created"},` +
		`"resources":[{"type":"USER","id":"u1","name":"a <b> & \"c\"","environment":{"id":"env"},"population":{"id":"p1"},"href":"https://x/u1"},` +
		`{"type":"POPULATION","id":"p2"},{"type":"APPLICATION","id":"a2"},{"type":"SCOPE","id":"s","population":{"id":"p9"}}],` +
		`"result":{"status":"SUCCESS","description":"Created User a"},"tags":["adminIdentityEvent"],"_embedded":{}}`
	if diff := cmp.Diff(want, string(r.JSON(false, false))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]string{{"p1", "p2"}, {"adminui", "a2"}, {"adminIdentityEvent"}},
		[][]string{r.Populations, r.Applications, r.Tags}); diff != "" {
		t.Error("match keys:", diff)
	}
}

func TestSourceIsExposedByHalves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ip, userAgent bool
		want          string
	}{
		"nothing":    {false, false, ""},
		"ip":         {true, false, `{"ipAddress":"192.0.2.7"}`},
		"user agent": {false, true, `{"userAgent":"Mozilla \"5\" <x>"}`},
		"both":       {true, true, `{"ipAddress":"192.0.2.7","userAgent":"Mozilla \"5\" <x>"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := full().Record().JSON(c.ip, c.userAgent)
			if !json.Valid(got) {
				t.Fatalf("not JSON: %s", got)
			}
			if source := gjson.GetBytes(got, "source").Raw; source != c.want {
				t.Errorf("source is %q, want %q", source, c.want)
			}
		})
	}
}

func TestWithoutSourceThereIsNothingToExpose(t *testing.T) {
	t.Parallel()
	got := string(event.Event{Type: "A.B"}.Record().JSON(true, true))
	if gjson.Get(got, "source").Exists() || gjson.Get(got, "actors").Exists() {
		t.Error(got)
	}
	if gjson.Get(got, "id").String() == "" || gjson.Get(got, "recordedAt").String() == "" {
		t.Errorf("id and recordedAt are not filled: %s", got)
	}
}

// Encoding and reading back must agree on everything but the source's place.
func TestParseReadsWhatRecordWrites(t *testing.T) {
	t.Parallel()
	text := rapid.String()
	rapid.Check(t, func(t *rapid.T) {
		e := full()
		e.ID = rapid.StringN(1, -1, -1).Draw(t, "id")
		e.Type = rapid.StringN(1, -1, -1).Draw(t, "type")
		e.Resources[0].Name, e.Resources[0].PopulationID = text.Draw(t, "name"), text.Draw(t, "population")
		e.Client.ID, e.Tags = text.Draw(t, "client"), rapid.SliceOfN(text, 0, 3).Draw(t, "tags")
		e.Source = event.Source{IPAddress: text.Draw(t, "ip"), UserAgent: text.Draw(t, "user agent")}
		made := e.Record()
		read, err := event.Parse(made.JSON(true, true), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if len(made.Tags) == 0 {
			made.Tags = nil
		}
		if diff := cmp.Diff(made, read); diff != "" {
			t.Fatal(diff)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	e := full()
	b.ReportAllocs()
	for b.Loop() {
		e.Record()
	}
}
