package driver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/targets"
)

// What was found before something could not be listed is not lost, and a list
// without a filter has an end as well.
func TestLeftoversAreFoundBesideWhatCannotBeListed(t *testing.T) {
	t.Parallel()
	user := `{"id":"u%d","username":"hookproof-6c0510a8-user-%08x"}`
	for name, c := range map[string]struct {
		answer func(page int, filtered bool) (status int, users string, more bool)
		found  int
		says   string
	}{
		"a second page is refused": {func(page int, _ bool) (int, string, bool) { return []int{200, 403}[page], user, page == 0 }, 1, "is answered 403"},
		"a filter is refused": {func(page int, filtered bool) (int, string, bool) {
			return map[bool]int{true: 400, false: 200}[filtered], user, page < 2
		}, 3, ""},
		"all is refused, filter or no": {func(int, bool) (int, string, bool) { return 400, "", false }, 0, "is answered 400"},
		"pages without end":            {func(int, bool) (int, string, bool) { return 200, user, true }, maxListed, "more than 1000 pages"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/users") {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				page := 0
				_, _ = fmt.Sscan(r.FormValue("page"), &page) // the first has no number
				status, users, more := c.answer(page, r.Form.Has("filter"))
				w.WriteHeader(status)
				if strings.Contains(users, "%") {
					users = fmt.Sprintf(users, page, page)
				}
				next := ""
				if more {
					next = fmt.Sprintf(`,"_links":{"next":{"href":"http://%s%s?page=%d"}}`, r.Host, r.URL.Path, page+1)
				}
				fmt.Fprintf(w, `{"_embedded":{"users":[%s]}%s}`, users, next)
			}))
			t.Cleanup(server.Close)
			client, err := NewClient(&targets.System{Emitter: targets.Emitter{API: server.URL, Environment: "env", Token: tokenOfClient}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.Close)
			found, err := client.Leftovers(t.Context(), nil)
			if len(found) != c.found || (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("found %d, want %d; %v, want %q", len(found), c.found, err, c.says)
			}
		})
	}
}
