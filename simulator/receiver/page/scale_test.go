package page_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestTenThousandDeliveriesStayQuick(t *testing.T) {
	// Not parallel: it measures time.
	if testing.Short() {
		t.Skip("makes 10,000 deliveries")
	}
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"many"}`)
	const total, clients = 10_000, 4
	payload := batch(1, 5, time.Second, "USER.CREATED")
	var posting sync.WaitGroup
	for range clients {
		posting.Go(func() {
			for range total / clients {
				d.deliver(endpoint, "plain", payload)
			}
		})
	}
	posting.Wait()
	b.Look(1440, 900, "light")

	began := time.Now()
	b.open(d.url + "/")
	b.until(`document.querySelector("#rows .row") && document.getElementById("live").dataset.state === "live"`)
	b.press("j")
	b.until(`document.getElementById("grid").hasAttribute("aria-activedescendant")`)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the page answered a key %v after it was asked for, want 2s at most", took)
	} else {
		t.Logf("interactive after %v", took)
	}
	b.until(rowCount + ` === 10000`)
	t.Logf("all rows after %v", time.Since(began))
	if nodes := evaluate[int](b, `document.querySelectorAll("#rows .row").length`); nodes > 100 {
		t.Errorf("%d rows are in the document", nodes)
	}

	// Scrolling through everything, more than a screen a frame, drawn without
	// a graphics card: most frames take less than a blink.
	frames := evaluate[[]float64](b, `new Promise((done) => {
		const grid = document.getElementById("grid");
		const frames = [];
		let last = performance.now();
		const step = () => {
			const now = performance.now();
			frames.push(now - last);
			last = now;
			if (frames.length === 120) return done(frames);
			grid.scrollTop = (grid.scrollHeight - grid.clientHeight) * (frames.length / 119);
			requestAnimationFrame(step);
		};
		requestAnimationFrame(step);
	})`)
	slices.Sort(frames)
	if half := frames[len(frames)/2]; half > 100 {
		t.Errorf("half of the frames took more than %.0f ms while scrolling", half)
	}
	b.press("\x1b")
	evaluate[any](b, `document.getElementById("grid").focus()`)
	b.Do(chromedp.KeyEvent(kb.End))
	b.until(`document.getElementById("grid").getAttribute("aria-activedescendant") === "d-1"`)

	// What arrives now is shown as quickly as on an empty page.
	d.deliver(endpoint, "plain", payload)
	answered := time.Now()
	b.until(rowCount + ` === 10001`)
	if took := time.Since(answered); took > time.Second {
		t.Errorf("with 10,000 rows a delivery was shown after %v", took)
	}
}
