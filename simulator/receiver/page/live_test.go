package page_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const rowCount = `Number(document.getElementById("grid").getAttribute("aria-rowcount")) - 1`

func TestADeliveryAppearsWithinASecondWithoutReload(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"live"}`)
	b.open(d.url + "/")
	b.until(`document.getElementById("live").dataset.state === "live"`)
	evaluate[any](b, `window.stays = true`)
	var took []time.Duration
	for i := range 5 {
		if status := d.deliver(endpoint, "plain", batch(10*i, 3, time.Second, "USER.CREATED")); status != 200 {
			t.Fatalf("status %d", status)
		}
		answered := time.Now()
		b.until(fmt.Sprintf(`%s === %d && document.querySelectorAll("#rows .row:not([hidden])").length === %d`, rowCount, i+1, i+1))
		took = append(took, time.Since(answered))
	}
	// One may be late on a busy machine; a page that asks only now and then is
	// late most of the time.
	if slices.Sort(took); took[len(took)/2] > time.Second {
		t.Errorf("deliveries were shown %v after their answers", took)
	}
	if !evaluate[bool](b, `window.stays === true`) {
		t.Error("the page was loaded again")
	}
	row := b.text("#rows .row")
	for _, part := range []string{"live", "USER.CREATED", "3", "200"} {
		contains(t, row, part)
	}
	// The counts at the side go along.
	b.until(`[...document.querySelectorAll("nav button")].every(b => b.querySelector(".count").textContent === "5")`)
}

func TestWhilePausedNothingMovesAndAfterwardsNothingIsMissing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"paused"}`)
	d.deliver(endpoint, "plain", batch(1, 1, 0, "USER.CREATED"))
	b.open(d.url + "/")
	b.until(rowCount + ` === 1 && document.getElementById("live").dataset.state === "live"`)
	b.press("p")
	b.until(`document.getElementById("live").dataset.state === "paused"`)
	d.deliver(endpoint, "plain", batch(2, 1, 0, "USER.CREATED"))
	b.until(`document.getElementById("live-text").textContent.includes("1 waiting")`)
	if rows := evaluate[int](b, rowCount); rows != 1 {
		t.Errorf("%d rows while paused", rows)
	}
	b.press("p")
	b.until(rowCount + ` === 2`)
}

func TestWhatIsReadStaysWhereItIsWhenMoreArrives(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"busy"}`)
	for i := range 120 {
		d.deliver(endpoint, "plain", batch(i, 1, 0, "USER.CREATED"))
	}
	b.Look(1200, 700, "light")
	b.open(d.url + "/")
	b.until(rowCount + ` === 120`)
	evaluate[any](b, `document.getElementById("grid").scrollTop = 1600`)
	seen := `(() => { const g = document.getElementById("grid").getBoundingClientRect();
		return document.elementFromPoint(g.left + 40, g.top + 200).closest(".row")?.id; })()`
	b.until(`!["d-120", undefined].includes(` + seen + `)`)
	before := evaluate[string](b, seen)
	for i := range 7 {
		d.deliver(endpoint, "plain", batch(1000+i, 1, 0, "USER.CREATED"))
	}
	b.until(rowCount + ` === 127 && (` + seen + `) !== undefined`)
	if after := evaluate[string](b, seen); after != before {
		t.Errorf("what was read moved: %s is where %s was", after, before)
	}
}

func TestClearedDeliveriesLeaveThePage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	one, two := d.endpoint(`{"name":"one"}`), d.endpoint(`{"name":"two"}`)
	d.deliver(one, "plain", batch(1, 1, 0, "USER.CREATED"))
	d.deliver(two, "plain", batch(2, 1, 0, "USER.CREATED"))
	b.open(d.url + "/")
	b.until(rowCount + ` === 2`)
	b.click(`nav [data-endpoint="` + one.Get("id").String() + `"]`)
	b.until(rowCount + ` === 1`)
	b.click(`[data-key="clear"]`)
	b.until(`document.querySelector("dialog[open] .primary")`)
	b.press("\r")
	b.until(rowCount + ` === 0 && !document.getElementById("empty").hidden`)
	b.click(`nav [data-endpoint=""]`)
	b.until(rowCount + ` === 1`)
	contains(t, b.text("#rows .row"), "two")
}

// A browser has six connections to a server; a page that is left must not keep
// one, for the next would wait a minute for it.
func TestAPageThatIsLeftKeepsNoConnection(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"walked through"}`)
	visited := time.Now()
	for i := range 8 {
		b.open(fmt.Sprintf("%s/?%d", d.url, i))
		b.until(`document.getElementById("live").dataset.state === "live"`)
	}
	if took := time.Since(visited); took > patience/2 {
		t.Errorf("eight pages took %v", took)
	}
	// The way back shows the page as it was left, and then what has come since.
	evaluate[any](b, `dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))`)
	d.deliver(endpoint, "plain", batch(1, 1, 0, "USER.CREATED"))
	evaluate[any](b, `dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
	b.until(rowCount + ` === 1`)
	d.deliver(endpoint, "plain", batch(2, 1, 0, "USER.CREATED"))
	b.until(rowCount + ` === 2`)
}
