package page_test

import (
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/simulator/receiver/page"
)

func get(t *testing.T, target string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, target, nil)
	for name, values := range header {
		request.Header[name] = values
	}
	w := httptest.NewRecorder()
	page.Handler().ServeHTTP(w, request)
	return w
}

func TestEveryPartIsServedUnderAStrictPolicy(t *testing.T) {
	t.Parallel()
	targets := map[string]string{"/": "text/html"}
	entries, err := os.ReadDir("assets")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != "index.html" {
			targets["/assets/"+entry.Name()] = map[string]string{".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}[path.Ext(entry.Name())]
		}
	}
	for target, want := range targets {
		w := get(t, target, nil)
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%s: status %d, %d bytes", target, w.Code, w.Body.Len())
		}
		if got, _, err := mime.ParseMediaType(w.Header().Get("Content-Type")); err != nil || got != want {
			t.Errorf("%s is called %q (%v), want %q", target, got, err, want)
		}
		policy := w.Header().Get("Content-Security-Policy")
		for _, directive := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "require-trusted-types-for 'script'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, directive) {
				t.Errorf("%s: the policy %q lacks %q", target, policy, directive)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy %q allows what is unsafe", target, policy)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s may be sniffed", target)
		}
	}
}

func TestNothingElseIsServed(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/assets/", "/assets/index.html/", "/assets/none.js", "/page.go", "/assets/../page.go"} {
		if w := get(t, target, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", target, w.Code)
		}
	}
}

func TestAnUnchangedPartIsNotSentAgain(t *testing.T) {
	t.Parallel()
	tag := get(t, "/assets/app.js", nil).Header().Get("ETag")
	w := get(t, "/assets/app.js", http.Header{"If-None-Match": {tag}})
	if tag == "" || w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("tag %q: status %d with %d bytes", tag, w.Code, w.Body.Len())
	}
}

// The page must work without a network: whatever it names is its own.
func TestNoPartComesFromElsewhereOrIsInline(t *testing.T) {
	t.Parallel()
	elsewhere := regexp.MustCompile(`(?i)(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}|@import|\burl\(`)
	inline := regexp.MustCompile(`(?i)<style|<script(?:\s+type="module")?\s*>|\sstyle=|\son[a-z]+=|javascript:`)
	entries, err := os.ReadDir("assets")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(path.Join("assets", entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(content), "http://www.w3.org/2000/svg", "")
		if found := elsewhere.FindString(text); found != "" {
			t.Errorf("%s names %q", entry.Name(), found)
		}
		if strings.HasSuffix(entry.Name(), ".html") {
			if found := inline.FindString(text); found != "" {
				t.Errorf("%s holds %q", entry.Name(), found)
			}
		}
	}
}
