package auditlog

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/simulator/emitter/event"
)

func drawn() *rapid.Generator[Chunk] {
	return rapid.Custom(func(t *rapid.T) Chunk {
		text := rapid.String()
		moment := rapid.Custom(func(t *rapid.T) time.Time {
			return time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "seconds"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanoseconds")).UTC()
		})
		c := Chunk{Accepted: moment.Draw(t, "accepted"), Records: []event.Record{}}
		for range rapid.SampledFrom([]int{0, 1, 2, 5, 60}).Draw(t, "records") { // the last are compressed
			list := func(name string) []string {
				l := rapid.SliceOfN(text, 0, 3).Draw(t, name)
				if len(l) == 0 {
					return nil
				}
				return l
			}
			c.Records = append(c.Records, event.Record{
				ID: text.Draw(t, "id"), Type: text.Draw(t, "type"), RecordedAt: moment.Draw(t, "at"),
				Populations: list("populations"), Applications: list("applications"), Tags: list("tags"),
				Body: text.Draw(t, "body"), IPAddress: text.Draw(t, "ip"), UserAgent: text.Draw(t, "ua"),
			})
		}
		return c
	})
}

func encoded(t *rapid.T, c Chunk) []byte {
	var e encoder
	if _, err := e.encode(Chunk{Records: []event.Record{{Body: "what was encoded before leaves nothing behind"}}}); err != nil {
		t.Fatal(err)
	}
	data, err := e.encode(c)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestChunksAreReadAsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawn().Draw(t, "chunk")
		got, err := decode(encoded(t, want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestDamagedChunksAreErrors(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		data := encoded(t, drawn().Draw(t, "chunk"))
		if _, err := decode(data[:rapid.IntRange(0, len(data)-1).Draw(t, "cut")]); err == nil {
			t.Fatal("a chunk that was cut off was read")
		}
		at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
		data[at] ^= rapid.ByteRange(1, 255).Draw(t, "flip")
		_, _ = decode(data) // must not panic
	})
}
