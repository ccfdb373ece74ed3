package page_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%q lacks %q", text, part)
	}
}

func lacks(t *testing.T, text, part string) {
	t.Helper()
	if strings.Contains(text, part) {
		t.Errorf("%q holds %q", text, part)
	}
}

// choose sets a select as a person does who picks an option.
func (b *tab) choose(selector, value string) {
	b.Helper()
	if !evaluate[bool](b, fmt.Sprintf(`(() => {
		const s = document.querySelector(%s);
		s.value = %s;
		s.dispatchEvent(new Event("change", { bubbles: true }));
		return s.value === %[2]s;
	})()`, quote(selector), quote(value))) {
		b.Fatalf("%s has no option %q", selector, value)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	good := d.endpoint(`{"name":"good"}`)
	bad := d.endpoint(`{"name":"bad","behaviour":{"then":{"status":503}}}`)
	d.deliver(good, "plain", batch(1, 2, 0, "USER.CREATED"))
	d.deliver(good, "trusted", batch(10, 2, 5*time.Second, "USER.DELETED"))
	d.deliver(bad, "plain", batch(20, 2, 0, "PASSWORD.RESET"))
	d.deliver(bad, "plain", []byte("{ this is no JSON, and says needle-in-a-body"), "X-Kind", "needle-in-a-header")
	b.open(d.url + "/")
	b.until(rowCount + ` === 4`)
	// The annotations come after the rows.
	b.until(`document.querySelectorAll("#rows .note").length >= 2`)

	search := func(scope, text string) func() {
		return func() {
			b.choose(`[aria-label="Search in"]`, scope)
			evaluate[any](b, `document.getElementById("search").value = ""`)
			b.Do(chromedp.SendKeys("#search", text))
		}
	}
	for name, filter := range map[string]struct {
		set  func()
		rows int
		says string
	}{
		"by endpoint":               {func() { b.click(`nav [data-endpoint="` + bad.Get("id").String() + `"]`) }, 2, "bad"},
		"by answer":                 {func() { b.choose(`[aria-label="Answer"]`, "5xx") }, 2, "503"},
		"by note":                   {func() { b.choose(`[aria-label="Notes"]`, "not-json") }, 1, "not JSON"},
		"by any note":               {func() { b.choose(`[aria-label="Notes"]`, "any") }, 2, "held > 2 s"},
		"by listener":               {func() { b.choose(`#filters [aria-label="Listener"]`, "trusted") }, 1, "USER.DELETED"},
		"by period":                 {func() { b.choose(`[aria-label="Period"]`, "300") }, 4, ""},
		"by text in a body":         {search("q", "needle-in-a-body"), 1, "not JSON"},
		"by text in a header":       {search("q", "needle-in-a-header"), 1, "not JSON"},
		"by action type":            {search("type", "USER.CREATED"), 1, "USER.CREATED"},
		"by the start of an action": {search("type", "USER.*"), 2, "USER.DELETED"},
		"by event id":               {search("event", id(21)), 1, "PASSWORD.RESET"},
		"by what is not there":      {search("q", "no-such-thing"), 0, ""},
	} {
		filter.set()
		t.Logf("filter %s: want %d rows", name, filter.rows)
		b.until(fmt.Sprintf(`%s === %d`, rowCount, filter.rows))
		shown := b.text("#rows")
		if filter.says != "" {
			contains(t, shown, filter.says)
		}
		if t.Failed() {
			t.Fatal(name)
		}
		evaluate[any](b, `document.activeElement.blur()`)
		b.choose(`[aria-label="Answer"]`, "")
		b.click(`nav [data-endpoint=""]`)
		evaluate[any](b, `[...document.querySelectorAll("#filters button")].find(b => b.textContent === "Clear").click()`)
		b.until(rowCount + ` === 4`)
	}
}

func TestAFilterHoldsForWhatArrivesLater(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*tab){
		"one that the page can judge": func(b *tab) {
			b.choose(`[aria-label="Search in"]`, "type")
			b.Do(chromedp.SendKeys("#search", "USER.*"))
		},
		"one that only the receiver can judge": func(b *tab) { b.Do(chromedp.SendKeys("#search", "USER.")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			b := newTab(d)
			endpoint := d.endpoint(`{"name":"filtered"}`)
			d.deliver(endpoint, "plain", batch(1, 1, 0, "GROUP.CREATED"))
			b.open(d.url + "/")
			b.until(rowCount + ` === 1 && document.getElementById("live").dataset.state === "live"`)
			set(b)
			b.until(rowCount + ` === 0`)
			d.deliver(endpoint, "plain", batch(2, 1, 0, "GROUP.DELETED"))
			d.deliver(endpoint, "plain", batch(3, 1, 0, "USER.UPDATED")) // arrives after the one that must not show
			b.until(rowCount + ` > 0`)
			if rows := evaluate[int](b, rowCount); rows != 1 {
				t.Errorf("%d rows", rows)
			}
			// What is in it may come a moment later, when the receiver has looked into it.
			b.until(`document.querySelector("#rows .row").innerText.includes("USER.UPDATED")`)
			// And it survives a reload.
			b.Do(chromedp.Reload())
			b.until(rowCount + ` === 1`)
		})
	}
}

func TestDraggingOverTheTimelineNarrowsThePeriod(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"timeline"}`)
	for i := range 3 {
		d.deliver(endpoint, "plain", batch(i, 1, 0, "USER.CREATED"))
	}
	b.Look(1200, 800, "light")
	b.open(d.url + "/")
	b.until(rowCount + ` === 3 && document.querySelector("canvas").getAttribute("aria-label").includes("3 deliveries")`)
	// All three stand in the middle; the left tenth is empty.
	box := evaluate[[]float64](b, `(() => { const r = document.querySelector("canvas").getBoundingClientRect(); return [r.left, r.top, r.width]; })()`)
	b.Do(chromedp.DragAndDropXY(box[0]+20, box[1]+30, box[0]+20+box[2]/10, box[1]+30))
	b.until(rowCount + ` === 0 && document.querySelector('[aria-label="Period"]').value === "range"`)
	b.choose(`[aria-label="Period"]`, "0")
	b.until(rowCount + ` === 3`)
}
