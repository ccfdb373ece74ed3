package transcript

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestABodyIsKeptExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := Body(rapid.SliceOf(rapid.Byte()).Draw(t, "body"))
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		var again Body
		if err := json.Unmarshal(data, &again); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if !bytes.Equal(body, again) {
			t.Fatalf("%q came back as %q", body, again)
		}
	})
}

func TestABodyOfTextIsReadable(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(Body(`[{"name":"Ünal"}]`))
	if err != nil || !strings.Contains(string(data), "Ünal") {
		t.Errorf("got %s, %v", data, err)
	}
}

func TestReadRefusesWhatIsNoTranscript(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":          ``,
		"other schema":   `{"schema":"https://example.com","entries":[]}`,
		"unknown member": `{"schema":"` + Schema + `","verdict":"pass"}`,
		"trailing data":  `{"schema":"` + Schema + `"} {}`,
		"wrong body":     `{"schema":"` + Schema + `","entries":[{"exchange":{"request":{"body":5}}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Read(strings.NewReader(text)); err == nil {
				t.Error("it was read")
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	whole := &Transcript{Schema: Schema, Entries: []Entry{{Exchange: &Exchange{Response: &Response{Body: Body("\xff")}}}, {Watch: &Watch{Deliveries: []Delivery{{}}}}}}
	if err := whole.Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.String())
	f.Fuzz(func(t *testing.T, text string) {
		read, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := read.Write(&again); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if _, err := Read(&again); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}
