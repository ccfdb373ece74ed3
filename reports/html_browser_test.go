package reports_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"

	"github.com/hookproof/hookproof/fixtures/browser"
	"github.com/hookproof/hookproof/reports"
)

// open shows the report of a run with every outcome, without a network.
func open(t *testing.T, width, height int64, scheme string) *browser.Tab {
	t.Helper()
	b := browser.Open(t)
	b.Look(width, height, scheme)
	b.Do(chromedp.Navigate((&url.URL{Scheme: "file", Path: reportFolder(t) + "/" + reports.HTMLName}).String()))
	return b
}

// reportFolder holds the page of a run with every outcome, as an absolute path.
func reportFolder(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	reports.WriteSample(t, dir)
	return dir
}

func TestThePageShowsTheFailureAndItsDiagramOffline(t *testing.T) {
	t.Parallel()
	b := open(t, 1280, 900, "light")
	text := browser.Evaluate[string](b, `document.body.innerText`)
	for _, want := range []string{"NON-CONFORMANT", "SUB-LIMIT-051", "LIMIT_EXCEEDED", "failed here: it is refused", "7 more like this"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in sight:\n%.2000s", want, text)
		}
	}
	if requests := browser.Evaluate[[]string](b, `performance.getEntriesByType("resource").map(e => e.name)`); len(requests) > 0 {
		t.Errorf("the page asked for %v", requests)
	}
	if got := browser.Evaluate[string](b, `getComputedStyle(document.querySelector(".stamp")).borderStyle`); got != "solid" {
		t.Errorf("the page's own style is not applied: the verdict's border is %q", got)
	}
}

// A row that opens is marked for the eye only: a screen reader says it of the
// element itself.
func TestRowsThatOpenAreMarked(t *testing.T) {
	t.Parallel()
	b := open(t, 1280, 900, "light")
	const marks = `[...document.querySelectorAll(".sequence .message summary, .sequence .fold > details > summary > .what")]
		.map(e => getComputedStyle(e, "::before").content)`
	for _, want := range []string{`"▸ " / ""`, `"▾ " / ""`} {
		got := browser.Evaluate[[]string](b, marks)
		if len(got) < 2 || strings.Join(got, "") != strings.Repeat(want, len(got)) {
			t.Errorf("the marks are %q, want %q", got, want)
		}
		browser.Evaluate[bool](b, `(document.querySelectorAll(".sequence details").forEach(d => { d.open = true; }), true)`)
	}
}

func TestTheListOfRulesIsFiltered(t *testing.T) {
	t.Parallel()
	b := open(t, 1280, 900, "light")
	if got := browser.Evaluate[string](b, `(() => {
		const find = document.getElementById("find");
		find.value = "FIFTY-FIRST refused";
		find.dispatchEvent(new Event("input", { bubbles: true }));
		return document.getElementById("found").textContent + ", " + [...document.querySelectorAll(".rule:not([hidden]) .id")].map(e => e.textContent);
	})()`); got != "2 of 11 rules, SUB-SG,SUB-LIMIT-051" {
		t.Errorf("got %s", got)
	}
	// A link to a rule that is filtered away shows it all the same.
	if !browser.Evaluate[bool](b, `new Promise((done) => { addEventListener("hashchange", () => setTimeout(() => done(document.getElementById("rule-RTY-013").open && !document.getElementById("rule-RTY-013").hidden))); location.hash = "#rule-RTY-013"; })`) {
		t.Error("the rule is not shown")
	}
}

func TestEveryControlOfThePageHasANameAndIsReachedByKeyboard(t *testing.T) {
	t.Parallel()
	b := open(t, 1280, 900, "light")
	tree, err := chromedp.Run(b.Context, func(ctx context.Context, _ *chromedp.Target) (accessibility.GetFullAXTreeResult, error) {
		return chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, node := range tree.Nodes {
		role := axText(node.Role)
		if node.Ignored || role != "button" && role != "link" && role != "searchbox" && role != "combobox" && role != "DisclosureTriangle" {
			continue
		}
		if seen++; strings.TrimSpace(axText(node.Name)) == "" {
			t.Errorf("a %s has no name", role)
		}
	}
	if seen < 20 {
		t.Errorf("looked at only %d controls", seen)
	}
	if lost := browser.Evaluate[[]string](b, `[...document.querySelectorAll("a, button, input, select, summary, pre")].filter(e => e.checkVisibility() && e.tabIndex < 0).map(e => e.outerHTML.slice(0, 120))`); len(lost) > 0 {
		t.Errorf("the Tab key never reaches %v", lost)
	}
	if skipped := browser.Evaluate[[]string](b, `(() => { let last = 1; return [...document.querySelectorAll("h1, h2, h3, h4")].filter(h => { const level = +h.tagName[1], bad = level > last + 1; last = level; return bad; }).map(h => h.outerHTML.slice(0, 80)); })()`); len(skipped) > 0 {
		t.Errorf("headings skip a level: %v", skipped)
	}
}

func axText(value *accessibility.Value) string {
	var text string
	if value != nil {
		_ = json.Unmarshal(value.Value, &text)
	}
	return text
}

// faint lists the texts whose contrast to what they stand on is below 4.5 : 1
// (WCAG 2.2, success criterion 1.4.3), as the browser shows them.
const faint = `(() => {
	const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
	const parse = (text) => {
		context.clearRect(0, 0, 1, 1);
		context.fillStyle = text;
		context.fillRect(0, 0, 1, 1);
		const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
		return { rgb: [r, g, b], a: a / 255 };
	};
	const light = (rgb) => rgb.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	// Every ground of this page is opaque or absent.
	const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a === 1) return c.rgb; } return [255, 255, 255]; };
	for (const d of document.querySelectorAll("details")) d.open = true;
	const found = [];
	let looked = 0;
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const e = walker.currentNode.parentElement;
		if (!walker.currentNode.data.trim() || !e.checkVisibility() || e.closest("svg")) continue;
		looked++;
		const a = light(parse(getComputedStyle(e).color).rgb), b = light(ground(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) found.push(walker.currentNode.data.trim().slice(0, 40) + " (" + e.className + "): " + ratio.toFixed(2));
	}
	if (looked < 100) found.push("only " + looked + " texts were looked at");
	return found;
})()`

func TestEveryTextOfThePageHasContrast(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			b := open(t, 1280, 900, scheme)
			if found := browser.Evaluate[[]string](b, faint); len(found) > 0 {
				t.Errorf("too faint: %s", strings.Join(found, "\n"))
			}
		})
	}
}

// wide lists what stands outside of the window, and does not scroll, nor is it
// cut, in its own place.
const wide = `(() => {
	for (const d of document.querySelectorAll("details")) d.open = true;
	const width = document.documentElement.clientWidth;
	const held = (e) => { for (; e && e !== document.body; e = e.parentElement) if (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX)) return true; return false; };
	const found = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > width + 1 && !held(e.parentElement)).map((e) => e.outerHTML.slice(0, 120));
	if (document.documentElement.scrollWidth > width) found.push("the page, " + document.documentElement.scrollWidth + " pixels");
	return found;
})()`

func TestNothingOfThePageIsCutOffInANarrowWindow(t *testing.T) {
	t.Parallel()
	for _, width := range []int64{400, 485, 685} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			b := open(t, width, 800, "light")
			for _, found := range browser.Evaluate[[]string](b, wide) {
				t.Errorf("wider than the window: %s", found)
			}
		})
	}
}

func TestNoCallOfADiagramLeavesItsLane(t *testing.T) {
	t.Parallel()
	for _, width := range []int64{700, 1280} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			b := open(t, width, 800, "light")
			for _, found := range browser.Evaluate[[]string](b, `[...document.querySelectorAll(".arrow > span")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > e.parentElement.getBoundingClientRect().right).map((e) => e.textContent)`) {
				t.Errorf("it goes on over the line: %s", found)
			}
		})
	}
}
