package api

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestForwardedAddressIsBelievedOnlyOfTrustedProxies(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for _, c := range []struct {
		name, remote string
		forwarded    []string
		trusted      []netip.Prefix
		want         string
	}{
		{"no proxy", "192.0.2.1:1", nil, proxies, "192.0.2.1"},
		{"nobody is trusted", "10.0.0.1:1", []string{"192.0.2.9"}, nil, "10.0.0.1"},
		{"a stranger's claim", "192.0.2.1:1", []string{"192.0.2.9"}, proxies, "192.0.2.1"},
		{"a proxy's claim", "10.0.0.1:1", []string{"192.0.2.9"}, proxies, "192.0.2.9"},
		{"two proxies", "10.0.0.1:1", []string{"192.0.2.9, 10.0.0.2"}, proxies, "192.0.2.9"},
		{"a client that lies to the proxy", "10.0.0.1:1", []string{"198.51.100.7, 192.0.2.9"}, proxies, "192.0.2.9"},
		{"two headers", "10.0.0.1:1", []string{"192.0.2.9", "10.0.0.2"}, proxies, "192.0.2.9"},
		{"nonsense", "10.0.0.1:1", []string{"192.0.2.9, x"}, proxies, "10.0.0.1"},
		{"a proxy alone", "10.0.0.1:1", nil, proxies, "10.0.0.1"},
		{"only proxies", "10.0.0.1:1", []string{"10.0.0.3"}, proxies, "10.0.0.3"},
		{"IPv6", "[2001:db8::1]:1", []string{"2001:DB8:1::5, 2001:db8::2"}, proxies, "2001:db8:1::5"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:1", []string{"::ffff:192.0.2.9"}, proxies, "192.0.2.9"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header["X-Forwarded-For"] = c.forwarded
		a := &API{opts: Options{TrustedProxies: c.trusted}}
		if got := a.clientAddress(r); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
