package page_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// everything is all that the page holds, seen or not.
const everything = `document.documentElement.outerHTML + [...document.querySelectorAll("input, textarea")].map(i => i.value).join(" ") + location.href`

func TestSecretsAreHiddenUntilAskedFor(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	const canary = "canary-7f3a9c"
	endpoint := d.endpoint(`{"name":"secret"}`)
	token := endpoint.Get("token").String()
	d.deliver(endpoint, "plain", batch(1, 1, 0, "USER.CREATED"), "Authorization", "Bearer "+canary, "X-Api-Key", canary+"-too")
	d.deliver(endpoint, "plain", batch(1, 1, 0, "USER.CREATED"), "Authorization", "Bearer "+canary+"-2")
	carried := b.carried()
	b.open(d.url + "/#endpoint=" + endpoint.Get("id").String())
	b.openNewest()
	for _, name := range []string{"Events", "Body", "Headers", "Connection", "Attempts"} {
		b.show(name)
		b.until(`document.getElementById("panel").childElementCount > 0`)
		all := evaluate[string](b, everything)
		for _, secret := range []string{canary, token} {
			if strings.Contains(all, secret) {
				t.Errorf("%s: the page holds the secret %s", name, secret)
			}
		}
	}
	// What is not asked for does not even come to the browser.
	if text := carried(); strings.Contains(text, canary) {
		t.Error("the secret came to the browser")
	}
	b.show("Headers")
	contains(t, b.text("#panel"), "•••")

	b.press("s")
	b.until(`document.getElementById("panel").innerText.includes("` + canary + `")`)
	contains(t, b.text("#endpoint"), token)
	b.press("s")
	b.until(`!(` + everything + `).includes("` + canary + `")`)
	lacks(t, evaluate[string](b, everything), token)
}

func TestCopiedCommandsHoldSecretsOnlyIfTheyAreShown(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := newTab(d)
	const canary = "canary-51bd02"
	endpoint := d.endpoint(`{"name":"copied"}`)
	d.deliver(endpoint, "plain", batch(1, 1, 0, "USER.CREATED"), "Authorization", "Splunk "+canary)
	b.allowClipboard()
	b.open(d.url + "/")
	b.openNewest()
	b.click(`[data-key="copy-curl"]`)
	b.until(`document.getElementById("toast").textContent.startsWith("curl command, its secrets masked")`)
	masked := b.clipboard()
	contains(t, masked, "curl")
	lacks(t, masked, canary)
	b.show("Headers")
	b.press("s")
	b.until(`document.getElementById("panel").innerText.includes("` + canary + `")`)
	b.click(`[data-key="copy-curl"]`)
	b.until(`document.getElementById("toast").textContent === "curl command copied"`)
	contains(t, b.clipboard(), canary)
}

// carried collects the answers that the browser receives from now on, save the
// list of endpoints, whose tokens the page needs to copy their addresses.
func (b *tab) carried() func() string {
	b.Helper()
	b.Do(func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return chromedp.Void{}, err
	})
	var mu sync.Mutex
	var finished []network.RequestID
	if err := chromedp.Listen(b.Context, func(event any) {
		if e, ok := event.(*network.EventLoadingFinished); ok {
			mu.Lock()
			finished = append(finished, e.RequestID)
			mu.Unlock()
		}
	}); err != nil {
		b.Fatal(err)
	}
	return func() string {
		b.Helper()
		mu.Lock()
		seen := slices.Clone(finished)
		mu.Unlock()
		if len(seen) < 10 {
			b.Fatalf("only %d answers were seen: the test looks at the wrong place", len(seen))
		}
		var all strings.Builder
		for _, request := range seen {
			all.Write(answer(b, network.GetResponseBody, network.GetResponseBodyParams{RequestID: request}).Body)
		}
		return all.String()
	}
}
