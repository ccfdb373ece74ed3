package page_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/tidwall/gjson"
)

// clipboard is what was copied last.
func (b *tab) clipboard() string {
	b.Helper()
	return evaluate[string](b, `navigator.clipboard.readText()`)
}

func (b *tab) allowClipboard() {
	b.Helper()
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		ctx, cancel := context.WithTimeout(b.Context, patience)
		_, err := chromedp.CallBrowser(ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted,
		})
		cancel()
		if err != nil {
			b.Fatal(err)
		}
	}
}

func TestAnEndpointWithABehaviourIsMadeByKeyboard(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	named := d.inspect("/inspect/behaviours").Get("behaviours.#.name").Array()
	if len(named) == 0 {
		t.Fatal("no behaviour has a name")
	}
	b.allowClipboard()
	b.open(d.url + "/")
	b.until(`document.getElementById("live").dataset.state === "live"`)
	b.press("n")
	b.until(`document.activeElement.id === "field-name"`)
	b.press("from the page\t")
	b.choose("#field-behaviour", "custom")
	b.Do(chromedp.SetValue("#field-script", "steps:\n  - status: 418\nthen:\n  status: 202\n"))
	b.Do(chromedp.Focus("#dialog [type=submit]"))
	b.press("\r")
	b.until(`document.getElementById("dialog-title")?.textContent === "Endpoint made"`)
	b.click(`#dialog [data-key="url"]`)
	b.until(`document.getElementById("toast").textContent === "URL copied"`)
	url := b.clipboard()
	b.click(`#dialog [data-key="subscription"]`)
	b.until(`document.getElementById("toast").textContent === "Subscription copied"`)
	if got := gjson.Get(b.clipboard(), "httpEndpoint.url").String(); got != url {
		t.Errorf("the subscription names %q, the endpoint is at %q", got, url)
	}
	b.press("\x1b")
	b.until(`document.querySelector("#endpoint h2")?.textContent === "from the page"`)
	for _, want := range []int{418, 202, 202} {
		if got, _ := d.send(http.MethodPost, url, nil, []byte("[]")); got != want {
			t.Errorf("answered %d, want %d", got, want)
		}
	}
	b.until(rowCount + ` === 3`)
}

func TestABehaviourCanBeSwitchedWhileRunning(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"switched"}`)
	b.open(d.url + "/#endpoint=" + endpoint.Get("id").String())
	b.until(`document.querySelector('[data-key="behaviour"]')`)
	b.click(`[data-key="behaviour"]`)
	b.until(`document.querySelector("dialog[open] textarea")`)
	b.choose("#field-behaviour", "custom")
	b.Refused = "400 (Bad Request)" // the browser itself reports what the receiver refuses
	b.Do(chromedp.SetValue("#field-script", `{"then":{"status":99}}`))
	b.click("#dialog [type=submit]")
	b.until(`document.querySelector("#dialog .error")?.hidden === false`)
	contains(t, b.text("#dialog .error"), "99")
	b.Do(chromedp.SetValue("#field-script", `{"then":{"status":429}}`))
	b.click("#dialog [type=submit]")
	b.until(`!document.querySelector("dialog[open]") && document.querySelector("#endpoint .title").innerText.includes("429")`)
	if status := d.deliver(endpoint, "plain", []byte("[]")); status != http.StatusTooManyRequests {
		t.Errorf("status %d", status)
	}
}

func TestADeletedEndpointLeavesThePage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"short-lived"}`)
	b.open(d.url + "/#endpoint=" + endpoint.Get("id").String())
	b.until(`document.querySelector('[data-key="delete"]')`)
	b.click(`[data-key="delete"]`)
	b.until(`document.querySelector("dialog[open] .primary")`)
	b.press("\r")
	b.until(`!document.querySelector("nav").innerText.includes("short-lived") && document.getElementById("endpoint").hidden`)
	if status := d.deliver(endpoint, "plain", []byte("[]")); status != http.StatusNotFound {
		t.Errorf("status %d", status)
	}
}

func TestAPortCanBeClosedAndOpenedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	endpoint := d.endpoint(`{"name":"own port","listener":{"mode":"plain","dedicated":true,"open":true}}`)
	b.open(d.url + "/#endpoint=" + endpoint.Get("id").String())
	for _, state := range []string{"closed", "open"} {
		b.until(`document.querySelector('[data-key="port"]')`)
		b.click(`[data-key="port"]`)
		b.until(`document.getElementById("endpoint").innerText.includes("(plain): ` + state + `")`)
	}
}

func TestADialogThatFollowsAnotherAtOnceIsWhole(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	b.open(d.url + "/")
	b.until(`document.getElementById("live").dataset.state === "live"`)
	b.press("n")
	b.until(`document.querySelector("dialog[open] input")`)
	evaluate[any](b, `(() => {
		document.getElementById("dialog").close();
		document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "?", bubbles: true }));
	})()`)
	b.settle()
	if title := b.text("#dialog-title"); title != "Keys" {
		t.Errorf("the dialog is called %q", title)
	}
}
