package page_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// openNewest opens the newest delivery and waits until it is shown.
func (b *tab) openNewest() {
	b.Helper()
	b.until(`document.querySelector("#rows .row")`)
	b.click(`#rows .row[aria-rowindex="2"]`)
	b.until(`!document.getElementById("detail").hidden`)
}

// show chooses a tab of the detail.
func (b *tab) show(name string) {
	b.Helper()
	b.click("#tab-" + name)
	b.until(`document.getElementById("tab-` + name + `").getAttribute("aria-selected") === "true"`)
}

func TestDetailShowsADeliveryByteForByte(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"bytes"}`)
	// A number that a decoder would round, a member that is there twice, and
	// an escape: the layout must show each as it was sent.
	d.deliver(endpoint, "trusted", []byte(`[{"id":"a","big":12345678901234567890.10,"twice":1,"twice":2,"text":"é\u00e9","action":{"type":"USER.CREATED"},"recordedAt":"2026-01-02T03:04:05Z"}]`),
		"User-Agent", "webhooks/1", "X-Trace", "abc")
	b.open(d.url + "/")
	b.openNewest()
	contains(t, b.text("#panel"), "USER.CREATED")

	b.click("#panel .event")
	b.until(`document.querySelector("#panel .text-line.marked")`)
	pretty := b.text("#panel .text-lines")
	for _, part := range []string{`"big": 12345678901234567890.10,`, `"twice": 1,`, `"twice": 2,`, `"é\u00e9"`} {
		contains(t, pretty, part)
	}
	b.click(`#panel .segments button:nth-child(2)`)
	b.until(`document.querySelector('[aria-label="Body, as sent"]')`)
	contains(t, strings.ReplaceAll(b.text("#panel .text-lines"), "\n", ""), `"twice":1,"twice":2`)
	b.click(`#panel .segments button:nth-child(3)`)
	b.until(`document.querySelector('[aria-label="Body, in hexadecimal"]')`)
	contains(t, b.text("#panel .text-lines"), "5b 7b 22 69 64 22")

	b.show("Headers")
	contains(t, b.text("#panel"), "webhooks/1")
	b.show("Connection")
	contains(t, b.text("#panel"), "TLS 1.3")
	contains(t, b.text("#panel"), "none presented")
}

func TestBodiesThatAreNoBatchAreShownToo(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"odd"}`)
	for name, body := range map[string]struct{ sent, view, says string }{
		"empty":        {"", "Body, as sent", "0 B"},
		"not JSON":     {"<a>no</a>", "Body, as sent", "not JSON"},
		"not UTF-8":    {"\xff\xfe\x00", "Body, as sent", "not UTF-8"},
		"an object":    {`{"event":{"action":{"type":"X.Y"}}}`, "1 event", "X.Y"},
		"one by one":   {`{"event":{"id":"1"}}{"event":{"id":"2"}}`, "2 events", "2"},
		"nested":       {strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "Body, as sent", "not JSON"},
		"a long line":  {`"` + strings.Repeat("x", 2<<20) + `"`, "1 event", "no action type"},
		"a long batch": {string(batch(0, 3000, 0, "USER.CREATED")), "3,000 events", "USER.CREATED"},
	} {
		d.deliver(endpoint, "plain", []byte(body.sent))
		newest := d.inspect("/inspect/deliveries?limit=1").Get("deliveries.0.number").Int()
		b.open(fmt.Sprintf("%s/?%d#delivery=%[2]d", d.url, newest))
		b.until(fmt.Sprintf(`document.querySelector(%s)`, quote(`#panel [aria-label="`+body.view+`"]`)))
		contains(t, b.text("#panel"), body.says)
		b.show("Body")
		b.until(`document.querySelector("#panel .text-line") || document.querySelector("#panel .text-lines").children.length === 0`)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// What arrives may have been made to harm whoever looks at it.
func TestHostileDeliveriesAreOnlyText(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	const attack = `<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>`
	endpoint := d.endpoint(`{"name":"<img src=x onerror=\"window.harmed=1\">"}`)
	d.deliver(endpoint, "plain", []byte(attack), "X-Attack", attack)
	d.deliver(endpoint, "plain", []byte(`[{"id":"<b>id</b>","action":{"type":"<script>window.harmed=1</script>"},"recordedAt":"`+`<i>"}]`))
	b.open(d.url + "/")
	b.until(rowCount + ` === 2`)
	b.openNewest()
	contains(t, b.text("#panel"), "<script>window.harmed=1</script>")
	b.press("j")
	b.until(`document.querySelector("#detail h2").textContent.includes("#1 ")`)
	b.press("s")
	for _, name := range []string{"Body", "Headers", "Attempts"} {
		b.show(name)
		b.until(`document.getElementById("panel").childElementCount > 0`)
	}
	if evaluate[bool](b, `"harmed" in window || document.querySelector("main img, aside img, nav img, aside script") !== null`) {
		t.Error("what was delivered became part of the page")
	}
}

// A hold ends with the first attempt. The wait for the next ones is the
// receiver's doing, and is shown as what it is.
func TestWhatIsSentAgainIsNotCalledHeld(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"retried","behaviour":{"steps":[{"status":503}],"then":{"status":200}}}`)
	payload := batch(1, 2, 5*time.Second, "USER.UPDATED")
	for range 2 {
		d.deliver(endpoint, "plain", payload)
	}
	b.open(d.url + "/")
	b.until(`[...document.querySelectorAll("#rows .note")].some((n) => n.textContent === "seen before")`)
	first, again := `#rows .row[aria-rowindex="3"] `, `#rows .row[aria-rowindex="2"] `
	contains(t, b.text(first+".c-notes"), "held > 2 s")
	if text := b.text(again + ".c-notes"); strings.Contains(text, "held") {
		t.Errorf("what is sent again has the notes %q", text)
	}
	for row, want := range map[string]string{first: "c-hold long 5.", again: "c-hold +"} {
		cell := evaluate[string](b, `(({className, textContent}) => className + " " + textContent)(document.querySelector(`+quote(row+".c-hold")+`))`)
		if !strings.HasPrefix(cell, want) {
			t.Errorf("the hold is %q, want %q", cell, want)
		}
	}
	contains(t, evaluate[string](b, `document.querySelector("#timeline canvas").getAttribute("aria-label")`), "1 held longer than 2 s")

	b.click(again)
	b.until(`document.querySelector("#detail h2")?.textContent.includes("#2 ") && document.querySelector("#panel .event .held")`)
	contains(t, b.text("#detail .facts"), "Again after")
	if text := b.text("#panel"); !strings.Contains(text, " s old") || strings.Contains(text, "held") {
		t.Errorf("the events read %q", text)
	}
	b.press("j")
	b.until(`document.querySelector("#detail h2").textContent.includes("#1 ")`)
	contains(t, b.text("#detail .facts"), "Hold")
	contains(t, b.text("#panel"), "held 5.")
}

func TestAttemptsOfABatchStandSideBySide(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"retried","behaviour":{"steps":[{"status":503},{"status":503}],"then":{"status":200}}}`)
	payload := batch(1, 40, time.Second, "USER.UPDATED")
	for i := range 3 {
		d.deliver(endpoint, "plain", payload, "User-Agent", fmt.Sprintf("webhooks/%d", i+1))
	}
	changed := []byte(strings.Replace(string(payload), "ada.lovelace", "grace.hopper", 1))
	d.deliver(endpoint, "plain", changed, "User-Agent", "webhooks/3")
	b.open(d.url + "/")
	b.until(rowCount + ` === 4`)

	b.click(`#rows .row[aria-rowindex="3"]`)
	b.until(`document.getElementById("tab-Attempts")?.textContent === "Attempts 3"`)
	b.show("Attempts")
	b.until(`document.querySelector(".difference .only-a")`)
	if rows := evaluate[int](b, `document.querySelectorAll(".attempts tbody tr").length`); rows != 3 {
		t.Errorf("%d attempts are listed", rows)
	}
	contains(t, b.text(".attempts"), "503")
	shown := b.text(".difference")
	for _, part := range []string{"User-Agent: webhooks/2", "User-Agent: webhooks/3", "Both bodies are the same"} {
		contains(t, shown, part)
	}
	b.choose(".compare select", "1")
	b.until(`document.querySelector(".difference").innerText.includes("webhooks/1")`)

	// The batch after it differs in one name; the equal rest is left out.
	b.click(`#rows .row[aria-rowindex="2"]`)
	b.until(`document.querySelector(".difference")?.innerText.includes("grace.hopper")`)
	if lines := evaluate[int](b, `document.querySelectorAll(".difference .only-b:not(:empty)").length`); lines != 1 {
		t.Errorf("%d lines differ", lines)
	}
	contains(t, b.text(".difference"), "equal lines")
}

func TestNoKeyIsNeededTwiceToWalkThroughDeliveries(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"keys"}`)
	for i := range 30 {
		d.deliver(endpoint, "plain", batch(i, 1, 0, "USER.CREATED"))
	}
	number := func(n int) string {
		return fmt.Sprintf(`document.querySelector("#detail h2")?.textContent.includes("#%d ")`, n)
	}
	b.open(d.url + "/")
	b.until(rowCount + ` === 30`)
	b.press("jj") // the first press chooses the newest
	b.until(`document.getElementById("grid").getAttribute("aria-activedescendant") === "d-29"`)
	evaluate[any](b, `document.getElementById("grid").focus()`)
	b.press("\r")
	b.until(number(29) + ` && document.activeElement.getAttribute("role") === "tab"`)
	b.press("b")
	b.until(`document.getElementById("tab-Body").getAttribute("aria-selected") === "true"`)
	b.press("k")
	b.until(number(30))
	b.press("jjj")
	b.until(number(27))
	b.press("\x1b")
	b.until(`document.getElementById("detail").hidden && document.activeElement.id === "grid"`)
	b.press("/")
	b.until(`document.activeElement.id === "search"`)
	b.press("p") // while writing, keys are letters
	b.until(`document.getElementById("search").value === "p"`)
	if state := evaluate[string](b, `document.getElementById("live").dataset.state`); state != "live" {
		t.Errorf("state %q", state)
	}
}

func TestADeliveryCanBeSentAgainElsewhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	from, to := d.endpoint(`{"name":"from"}`), d.endpoint(`{"name":"to"}`)
	payload := batch(1, 2, 0, "USER.CREATED")
	d.deliver(from, "plain", payload)
	b.open(d.url + "/")
	b.openNewest()
	b.click(`[data-key="resend"]`)
	b.until(`document.querySelector("dialog[open] input")`)
	b.press(to.Get("urls.plain").String() + "\r")
	b.until(`document.getElementById("dialog").innerText.includes("Answered 200")`)
	b.until(rowCount + ` === 2`)
	newest := d.inspect("/inspect/deliveries?limit=2")
	if a, b := newest.Get("deliveries.0"), newest.Get("deliveries.1"); a.Get("batch").String() != b.Get("batch").String() || a.Get("endpointName").String() != "to" {
		t.Errorf("it came as %s", a)
	}
}
