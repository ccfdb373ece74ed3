package page_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// patience is the longest that a test waits for something that must happen. It
// is spent only when a test fails, so it is long enough for a busy machine.
const patience = time.Minute

// tab is a page in a browser of its own, with an empty profile.
type tab struct {
	*testing.T
	ctx context.Context

	// refused is what the console may say, for a request that is refused on
	// purpose.
	refused string

	mu       sync.Mutex
	complain []string // what the console said that it should not have
}

// newTab starts a browser. Where there is none the test is skipped, unless
// HOOKPROOF_REQUIRE_CHROMIUM says that there must be one.
func newTab(t *testing.T) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("HOOKPROOF_REQUIRE_CHROMIUM") == "1" {
			t.Fatal("there is no chromium, and HOOKPROOF_REQUIRE_CHROMIUM=1")
		}
		t.Skip("there is no chromium to look at the page with")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*patience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{T: t, ctx: ctx}
	b.do(chromedp.Navigate("about:blank"))
	b.listen()
	b.look(1440, 900, "light")
	return b
}

// listen collects the errors and warnings of the console; those that are there
// at the end fail the test.
func (b *tab) listen() {
	ctx, stop := context.WithCancel(b.ctx)
	messages := chromedp.Console(ctx)
	var reading sync.WaitGroup
	reading.Go(func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == "error" || m.Type == "warning" || m.Type == "assert" {
				b.mu.Lock()
				b.complain = append(b.complain, m.String()+" "+m.URL)
				b.mu.Unlock()
			}
		}
	})
	b.Cleanup(func() {
		stop()
		reading.Wait()
		b.complain = slices.DeleteFunc(b.complain, func(said string) bool {
			return b.refused != "" && strings.Contains(said, b.refused)
		})
		if len(b.complain) > 0 {
			b.Errorf("the console said:\n%s", strings.Join(b.complain, "\n"))
		}
	})
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(b.ctx); err != nil { // the browser lives as long as the tab, not as the step
		b.Fatal(err)
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

// look sets the size of the window and the system's colours.
func (b *tab) look(width, height int64, scheme string) {
	b.Helper()
	b.do(func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: width, Height: height, DeviceScaleFactor: 1.5, Mobile: width < 500,
		})
		if err == nil {
			_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
			})
		}
		return chromedp.Void{}, err
	})
}

func (b *tab) open(url string) {
	b.Helper()
	b.do(chromedp.Navigate(url))
}

// evaluate runs JavaScript, which may be a promise, and returns its value.
func evaluate[T any](b *tab, script string) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("%s: %v", script, err)
	}
	return value
}

// until waits until a JavaScript expression is true.
func (b *tab) until(expression string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience+time.Second)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(patience/3)))
	if err != nil {
		b.Fatalf("waiting for %s: %v\nthe page reads: %s", expression, err, evaluate[string](b, `document.querySelector("dialog[open]")?.innerText ?? ["endpoint", "rows", "detail"].map((id) => document.getElementById(id)?.innerText ?? "").join("\n").slice(0, 1200)`))
	}
}

// click presses what the selector finds, with the mouse.
func (b *tab) click(selector string) {
	b.Helper()
	b.do(chromedp.Click(selector))
}

// press presses keys, on whatever has the focus. A key writes its letter only
// if the page lets it, as with a person's keyboard.
func (b *tab) press(keys string) {
	b.Helper()
	for _, key := range keys {
		if key < ' ' {
			b.do(chromedp.KeyEvent(string(key)))
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
	ctx, cancel := context.WithTimeout(b.ctx, patience)
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
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.Fatal(err)
	}
	return result
}
