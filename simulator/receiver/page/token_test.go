package page_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/receiver"
)

func TestThePageWorksBehindAToken(t *testing.T) {
	t.Parallel()
	d := newDeskWith(t, receiver.Options{InspectToken: "the-token"})
	b := newTab(d)
	bearer := http.Header{"Authorization": {"Bearer the-token"}}
	status, made := d.send(http.MethodPost, d.url+"/inspect/endpoints", bearer, []byte(`{"name":"guarded"}`))
	if status != http.StatusCreated {
		t.Fatalf("status %d: %s", status, made)
	}
	for _, path := range []string{"/", "/assets/app.js", "/inspect/deliveries", "/inspect/stream"} {
		if status, _ := d.send(http.MethodGet, d.url+path, nil, nil); status != http.StatusUnauthorized {
			t.Errorf("%s without the token: status %d", path, status)
		}
	}
	// A part that the browser asks for before it knows the password is refused
	// first, which it reports, and asked for again.
	b.Refused = "401 (Unauthorized)"
	// A person types the token as the password when the browser asks.
	b.open(strings.Replace(d.url, "http://", "http://me:the-token@", 1) + "/")
	b.until(`document.getElementById("live").dataset.state === "live"`)
	d.deliver(gjson.ParseBytes(made), "plain", batch(1, 2, 0, "USER.CREATED"))
	b.until(rowCount + ` === 1`)
	b.openNewest()
	contains(t, b.text("#panel"), "USER.CREATED")
	if strings.Contains(evaluate[string](b, everything), "the-token") {
		t.Error("the page holds the token")
	}
}
