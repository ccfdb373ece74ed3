package image

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the reader is told stands last, on one screen with the error.
func TestAContainerThatIsNotReadyIsToldFromItsOutput(t *testing.T) {
	t.Parallel()
	cause := errors.New("GET http://127.0.0.1:1/readyz was not answered")
	var printed strings.Builder
	for i := range 40 {
		fmt.Fprintf(&printed, "\x1b[31mline %d\x1b[0m\r\n\n", i)
	}
	printed.WriteString(strings.Repeat("é", 300) + "\nhookproof: \x07no error\xff\n\tStop with Ctrl-C.")
	err := unready(cause, []byte(printed.String()), "the image has to answer 200 to GET /readyz on port 8080")
	if !errors.Is(err, cause) {
		t.Errorf("the cause is lost: %v", err)
	}
	want := cause.Error() + "\nIt printed:\n  │ line 0\n  │ line 1\n  │ line 2\n  │ line 3\n  │ …\n"
	for i := 35; i < 40; i++ {
		want += fmt.Sprintf("  │ line %d\n", i)
	}
	want += "  │ " + strings.Repeat("é", 200) + "…\n  │ hookproof: no error�\n  │  Stop with Ctrl-C.\n" +
		"The container did not become ready: the image has to answer 200 to GET /readyz on port 8080, see docs/containers.md"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	if got := unready(cause, []byte(" \n"), "x").Error(); !strings.Contains(got, "\nIt printed nothing.\n") {
		t.Errorf("got %q", got)
	}
}

func TestARequestThatNobodyAnsweredSaysSoOnce(t *testing.T) {
	t.Parallel()
	a := answering{url: "http://127.0.0.1:1/readyz"}
	for _, err := range []error{io.EOF, syscall.ECONNRESET} {
		got := a.late(cause(&url.Error{Op: "Get", URL: a.url, Err: err}))
		if strings.Count(got, a.url) != 1 || !strings.Contains(got, "with status 200") || !strings.Contains(got, "nothing listens") {
			t.Errorf("got %q", got)
		}
	}
	if got := cause(&url.Error{Op: "Get", URL: a.url, Err: errors.New("no such host")}); got != "no such host" {
		t.Errorf("got %q", got)
	}
}

func TestAReaperThatCannotBePulledHasARemedy(t *testing.T) {
	t.Parallel()
	const variable = "TESTCONTAINERS_RYUK_DISABLED=true"
	cause := errors.New("reaper: new reaper: run container: dial tcp: lookup registry: no such host")
	if err := withRemedy(cause); !errors.Is(err, cause) || !strings.Contains(err.Error(), variable) {
		t.Errorf("got %v", err)
	}
	if err := withRemedy(errors.New("no such image")); strings.Contains(err.Error(), variable) {
		t.Errorf("got %v", err)
	}
}
