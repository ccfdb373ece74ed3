package page_test

import (
	"context"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/hookproof/hookproof/fixtures/browser"
)

const patience = browser.Patience

// tab is a page in a browser of its own.
type tab struct{ *browser.Tab }

// newTab opens a browser for pages of the desk. It is closed before the desk
// is: a page whose receiver goes away complains on its console that its stream
// was cut off, which would fail the test.
func newTab(d *desk) *tab {
	d.Helper()
	return &tab{browser.Open(d.T)}
}

func (b *tab) open(url string) {
	b.Helper()
	b.Do(chromedp.Navigate(url))
}

// evaluate runs JavaScript, which may be a promise, and returns its value.
func evaluate[T any](b *tab, script string) T {
	b.Helper()
	return browser.Evaluate[T](b.Tab, script)
}

// until waits until a JavaScript expression is true.
func (b *tab) until(expression string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context, patience+time.Second)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(patience/3)))
	if err != nil {
		b.Fatalf("waiting for %s: %v\nthe page reads: %s", expression, err, evaluate[string](b, `document.querySelector("dialog[open]")?.innerText ?? ["endpoint", "rows", "detail"].map((id) => document.getElementById(id)?.innerText ?? "").join("\n").slice(0, 1200)`))
	}
}

// click presses what the selector finds, with the mouse.
func (b *tab) click(selector string) {
	b.Helper()
	b.Do(chromedp.Click(selector))
}

// press presses keys, on whatever has the focus. A key writes its letter only
// if the page lets it, as with a person's keyboard.
func (b *tab) press(keys string) {
	b.Helper()
	for _, key := range keys {
		if key < ' ' {
			b.Do(chromedp.KeyEvent(string(key)))
			continue
		}
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
			event := input.DispatchKeyEventParams{Type: kind, Key: string(key)}
			if kind == input.DispatchKeyEventTypeKeyDown {
				event.Text = string(key)
			}
			answer(b, input.DispatchKeyEvent, event)
		}
	}
}

// text is what a reader sees of the first that the selector finds.
func (b *tab) text(selector string) string {
	b.Helper()
	return evaluate[string](b, `document.querySelector(`+quote(selector)+`)?.innerText ?? ''`)
}

func (b *tab) picture() []byte {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.Fatal(err)
	}
	return png
}

// quote makes a JavaScript string.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
}

// answer calls a command of the browser's protocol.
func answer[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.Fatal(err)
	}
	return result
}
