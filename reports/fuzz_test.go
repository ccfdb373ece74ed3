package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzParseBaseline: a baseline that is accepted can be compared with a run,
// written, and read as the same.
func FuzzParseBaseline(f *testing.F) {
	written, err := FormatBaseline([]Known{{ID: "limits/a", Reason: "issue 12: «off» by one", Expires: "2027-01-31", Message: "expected 50, got *"}})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(written), "", "known:\n", "known: []\n", "known:\n  - id: a\n", "known: [a]", "other: 1", "known:\n  - {id: a, reason: r, expires: 2027-01-31, message: '*', more: 1}\n",
		"a: &a [*a]", "known: &k\n  - <<: *k\n", "known:\n  - id: a\n    reason: |\n      r\n    expires: 2027-02-30\n    message: \"\\0\"\n", "---\n---\n", "\xff", "? - :\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := ParseBaseline("b.yaml", data)
		if err != nil {
			if !strings.Contains(err.Error(), "b.yaml") {
				t.Errorf("an error that does not name the file: %v", err)
			}
			return
		}
		for _, k := range list {
			s := with(Fail).Scenarios[0]
			s.ID = k.ID
			if o := s.Against(list).Outcome; o != Fail && o != ExpectedFail {
				t.Errorf("a failure becomes %s", o)
			}
		}
		text, err := FormatBaseline(list)
		if err != nil {
			t.Fatalf("accepted and not writable: %v", err)
		}
		again, err := ParseBaseline("b.yaml", text)
		if err != nil {
			t.Fatalf("accepted, written and refused: %v\n%s", err, text)
		}
		if diff := cmp.Diff(list, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("changed by writing:\n%s", diff)
		}
	})
}

// FuzzEvidence: whatever a transcript holds, a page can be made of it, and
// nothing in it becomes markup.
func FuzzEvidence(f *testing.F) {
	f.Add(scene(f, `{"status":"here"}`))
	f.Add(scene(f, "</code></script><img src=x onerror=alert(1)>"))
	for _, seed := range []string{"", "{}", `{"entries":null}`, `{"entries":[{"exchange":{}},{"watch":{"deliveries":[{"body":{"base64":"/w=="}}]}},{"caused":{}}]}`, `{"entries":[{"step":"it is refused"}]} x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, folder := everything(), fstest.MapFS{}
		for i := range r.Scenarios {
			if s := &r.Scenarios[i]; s.Outcome == Fail {
				sum := sha256.Sum256(text)
				s.TranscriptSHA256, s.Failure.Step = hex.EncodeToString(sum[:]), "it is refused"
				folder[s.Transcript] = &fstest.MapFile{Data: text}
			}
		}
		var page bytes.Buffer
		if err := WriteHTML(&page, r, folder); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(page.String(), "<script"); got != 1 {
			t.Errorf("%d scripts in the page, want its own", got)
		}
		if err := WriteCucumber(io.Discard, r, folder); err != nil {
			t.Fatal(err)
		}
	})
}
