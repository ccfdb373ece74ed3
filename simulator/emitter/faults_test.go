package emitter_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter"
)

func TestFaultsAreWellFormed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range emitter.Faults() {
		if !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(f.Name) || seen[f.Name] {
			t.Errorf("name %q", f.Name)
		}
		seen[f.Name] = true
		if !strings.HasSuffix(f.Sentence, ".") || len(f.Rules) == 0 {
			t.Errorf("%s: %q, %v", f.Name, f.Sentence, f.Rules)
		}
	}
	t.Logf("%d faults", len(seen))
}

func TestFaultsAreSwitchedWhileRunning(t *testing.T) {
	t.Parallel()
	_, c := start(t, emitter.Options{Faults: []string{"create-200"}})
	c = c.environment("faulty")
	body := subscriptionBody(t, "https://127.0.0.1:1/", nil)
	c.must(http.StatusOK, http.MethodPost, c.path("/subscriptions"), body)
	c.must(http.StatusNoContent, http.MethodDelete, "/control/faults/create-200", "")
	c.must(http.StatusCreated, http.MethodPost, c.path("/subscriptions"), body)
	c.must(http.StatusNoContent, http.MethodPut, "/control/faults/create-200", "")
	c.must(http.StatusNoContent, http.MethodPut, "/control/faults/name-optional", "")
	c.must(http.StatusOK, http.MethodPost, c.path("/subscriptions"), body)
	var active []string
	for _, name := range gjson.Get(c.must(http.StatusOK, http.MethodGet, "/control/faults", ""), `faults.#(active==true)#.name`).Array() {
		active = append(active, name.String())
	}
	if !slices.Equal(active, []string{"create-200", "name-optional"}) {
		t.Errorf("active: %v", active)
	}
}

// probe posts lines and looks at what is delivered until the event named "end"
// is accepted, or until the fault itself shows.
type probe struct {
	fault   string
	changes map[string]any
	lines   []string
	answer  func(n int) int
	broken  func([]delivery) bool
}

func line(kind, id, more string) string {
	return fmt.Sprintf(`{"action":{"type":%q},"result":{"status":"SUCCESS","id":%q},"source":{"ipAddress":"192.0.2.9","userAgent":"probe"}%s}`, kind, id, more)
}

func plain(n int) (lines []string) {
	for i := range n {
		lines = append(lines, line("USER.CREATED", fmt.Sprint(i), ""))
	}
	return lines
}

func filtered(member string, values ...any) map[string]any {
	return map[string]any{"filterOptions": map[string]any{"includedActionTypes": []string{"USER.CREATED"}, member: values}}
}

func limit(kind string, size int) map[string]any {
	return map[string]any{"payloadOptions": map[string]any{"maximumPayloadLimit": map[string]any{"type": kind, "size": size}}}
}

func format(kind string, pretty bool) map[string]any {
	return map[string]any{"payloadOptions": map[string]any{"payloadFormat": map[string]any{"https": map[string]any{"format": kind, "prettyPrint": pretty}}}}
}

func anyBody(matches func(string) bool) func([]delivery) bool {
	return func(all []delivery) bool {
		return slices.ContainsFunc(all, func(d delivery) bool { return matches(d.body) })
	}
}

func has(text string) func([]delivery) bool {
	return anyBody(func(body string) bool { return strings.Contains(body, text) })
}

func count(body string) int64 { return gjson.Get(body, "#").Int() }

const inPopulation = `,"resources":[{"type":"USER","id":"u","population":{"id":"p"}}]`

func probes() []probe {
	population := map[string]any{"id": "11111111-1111-4111-8111-111111111111"}
	inside := `,"resources":[{"type":"USER","id":"u","population":{"id":"11111111-1111-4111-8111-111111111111"}}]`
	actor := `,"actors":{"user":{"population":{"id":"11111111-1111-4111-8111-111111111111"}}}`
	firstly := func(status int) func(int) int {
		return func(n int) int {
			if n == 1 {
				return status
			}
			return 200
		}
	}
	end := func(more string) string { return line("USER.CREATED", "end", more) }
	wrong := line("USER.CREATED", "wrong", inPopulation)
	missing := func(id string) func([]delivery) bool {
		return func(all []delivery) bool {
			return len(all) > 0 && !slices.ContainsFunc(all, func(d delivery) bool {
				return d.status == 200 && strings.Contains(d.body, fmt.Sprintf(`"id":"%s"`, id))
			})
		}
	}
	one := limit("EVENTS_PER_PAYLOAD", 1)
	return []probe{
		{"filters-or", filtered("includedPopulations", population), []string{wrong, end(inside)}, nil, has(`"wrong"`)},
		{"population-ignored", filtered("includedPopulations", population), []string{wrong, end(inside)}, nil, has(`"wrong"`)},
		{"actor-population", filtered("includedPopulations", population), []string{
			line("USER.CREATED", "wrong", actor), end(actor + inside)}, nil, has(`"wrong"`)},
		{"applications-ignored", filtered("includedApplications", population), []string{wrong,
			end(`,"actors":{"client":{"id":"11111111-1111-4111-8111-111111111111"}}`)}, nil, has(`"wrong"`)},
		{"tags-ignored", filtered("includedTags", "adminIdentityEvent"), []string{wrong, end(`,"tags":["adminIdentityEvent"]`)}, nil, has(`"wrong"`)},
		{"type-prefix", nil, []string{line("USER.DELETED", "wrong", ""), end("")}, nil, has(`"wrong"`)},
		{"tagged-hidden", one, []string{line("USER.CREATED", "tagged", `,"tags":["adminIdentityEvent"]`), end("")}, nil, missing("tagged")},
		{"ids-repeated", nil, []string{end("")}, nil, has("11111111-1111-4111-8111-111111111111")},
		{"recorded-at-local", nil, []string{end("")}, nil, has("+02:00")},
		{"tags-missing", nil, []string{end(`,"tags":["adminIdentityEvent"]`)}, nil, anyBody(func(b string) bool { return !strings.Contains(b, "tags") })},
		{"ip-leaked", nil, []string{end("")}, nil, has("192.0.2.9")},
		{"user-agent-leaked", nil, []string{end("")}, nil, has("probe")},
		{"ip-missing", filteredFlag("ipAddressExposed"), []string{end("")}, nil, anyBody(func(b string) bool { return !strings.Contains(b, "192.0.2.9") })},
		{"user-agent-missing", filteredFlag("userAgentExposed"), []string{end("")}, nil, anyBody(func(b string) bool { return !strings.Contains(b, "probe") })},
		{"opt-ins-coupled", filteredFlag("userAgentExposed"), []string{end("")}, nil, has("192.0.2.9")},
		{"put-instead-of-post", nil, []string{end("")}, nil, func(all []delivery) bool { return all[0].method != "POST" }},
		{"headers-dropped", nil, []string{end("")}, nil, func(all []delivery) bool { return all[0].header.Get("X-Probe") == "" }},
		{"authorization-dropped", nil, []string{end("")}, nil, func(all []delivery) bool { return all[0].header.Get("Authorization") == "" }},
		{"query-dropped", nil, []string{end("")}, nil, func(all []delivery) bool { return all[0].target != "/?a=b" }},
		{"batch-501", nil, append(plain(501), end("")), nil, anyBody(func(b string) bool { return count(b) > 500 })},
		{"batch-over-count", limit("EVENTS_PER_PAYLOAD", 2), append(plain(5), end("")), nil, anyBody(func(b string) bool { return count(b) > 2 })},
		{"size-over", limit("KB_PER_PAYLOAD", 1), append(plain(50), end("")), nil, anyBody(func(b string) bool { return len(b) > 1024 })},
		{"oversize-dropped", limit("KB_PER_PAYLOAD", 1), []string{line("USER.CREATED", "large", fmt.Sprintf(`,"x":%q`, strings.Repeat("x", 2000))), end("")}, nil, missing("large")},
		{"one-by-one", nil, append(plain(5), end("")), nil, anyBody(func(b string) bool { return count(b) == 1 })},
		{"empty-batch", nil, []string{end("")}, nil, anyBody(func(b string) bool { return b == "[]" })},
		{"single-object", nil, []string{end("")}, nil, anyBody(func(b string) bool { return strings.HasPrefix(b, "{") })},
		{"array-missing", nil, append(plain(1), end("")), nil, anyBody(func(b string) bool { return strings.HasPrefix(b, "{") })},
		{"pretty-ignored", format("JSON_ARRAY", true), []string{end("")}, nil, anyBody(func(b string) bool { return !strings.Contains(b, "\n") })},
		{"always-pretty", format("JSON_ARRAY", false), []string{end("")}, nil, has("\n")},
		{"ndjson-array", format("ND_JSON", false), []string{end("")}, nil, anyBody(func(b string) bool { return strings.HasPrefix(b, "[") })},
		{"content-type-text", nil, []string{end("")}, nil, func(all []delivery) bool { return all[0].header.Get("Content-Type") == "text/plain" }},
		{"give-up-on-500", one, append(plain(1), end("")), firstly(500), missing("0")},
		{"give-up-on-4xx", one, append(plain(1), end("")), firstly(404), missing("0")},
		{"redirect-accepted", one, append(plain(1), end("")), firstly(302), missing("0")},
		{"skip-after-third", one, append(plain(1), end("")), func(n int) int {
			if n <= 3 {
				return 500
			}
			return 200
		}, missing("0")},
		{"resend-after-200", one, append(plain(1), end("")), nil, func(all []delivery) bool { return len(all) > 1 && all[0].body == all[1].body }},
		{"new-ids-on-retry", one, []string{end("")}, firstly(500), func(all []delivery) bool { return len(all) > 1 && all[0].body != all[1].body }},
		{"overtake", one, append(plain(1), end("")), firstly(500), func(all []delivery) bool { return strings.Contains(all[1].body, `"end"`) }},
		{"reorder", nil, append(plain(1), end("")), nil, func(all []delivery) bool { return gjson.Get(all[0].body, "0.result.id").String() == "end" }},
	}
}

func filteredFlag(name string) map[string]any {
	return map[string]any{"filterOptions": map[string]any{"includedActionTypes": []string{"USER.CREATED"}, name: true}}
}

// Every probe holds without its fault and breaks with it.
func TestFaultsBreakWhatTheySay(t *testing.T) {
	t.Parallel()
	_, clean := start(t, emitter.Options{})
	for _, p := range probes() {
		t.Run(p.fault, func(t *testing.T) {
			t.Parallel()
			if p.run(t, clean) {
				t.Error("broken without the fault")
			}
			_, faulty := start(t, emitter.Options{Faults: []string{p.fault}})
			if !p.run(t, faulty) {
				t.Error("the fault does nothing")
			}
		})
	}
}

func (p probe) run(t *testing.T, c *client) bool {
	t.Helper()
	own := *c
	own.t = t
	c = own.environment(p.fault)
	r := receive(t, p.answer)
	changes := map[string]any{"httpEndpoint": map[string]any{
		"url": r.URL + "/?a=b", "headers": map[string]string{"Authorization": "Basic dTpw", "X-Probe": "1"}}}
	for k, v := range p.changes {
		changes[k] = v
	}
	c.subscribe(r.URL, changes)
	status, body := c.do(http.MethodPost, c.control+"/control/environments/"+c.env+"/events", "application/x-ndjson", strings.Join(p.lines, "\n"))
	if status != http.StatusAccepted {
		t.Fatalf("injection answered %d: %s", status, body)
	}
	got := r.until(t, "the end", func(all []delivery) bool {
		return slices.ContainsFunc(all, func(d delivery) bool { return d.status == 200 && strings.Contains(d.body, `"end"`) }) &&
			(p.fault != "overtake" || len(all) > 1)
	})
	return p.broken(got)
}
