package remote_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/targets/remote"
)

// adapter answers every request with this text.
type adapter string

func (a adapter) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(a)))}, nil
}

func FuzzReadBack(f *testing.F) {
	for _, seed := range []string{"", "{\"id\":\"a\"}\n\n{\"id\":\"b\"}\r\n", "{}", "[{}]", "{}\n{", "\"{}\"", "\xff", "{\"a\":\"\u2028\"}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		events, err := remote.HTTPReadBack{URL: "http://adapter.invalid/", Client: &http.Client{Transport: adapter(text)}}.Events(t.Context(), []string{"a"})
		if err != nil && events != nil {
			t.Errorf("events along with the error %v", err)
		}
		for _, e := range events {
			if !json.Valid(e) || e[0] != '{' || !strings.Contains(text, string(e)) {
				t.Errorf("%q is read out of %q", e, text)
			}
		}
		if lines := len(strings.Fields(text)); err == nil && len(events) > lines {
			t.Errorf("%d events out of %q", len(events), text)
		}
	})
}
