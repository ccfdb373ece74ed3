package api

import (
	"net/http"
	"net/netip"
	"strings"
)

const maxForwarded = 32 // proxies that are looked past

// clientAddress is the address a request came from. Proxies that are trusted are believed about who they forward for,
// from the nearest to the farthest; whatever stands before the first address that is not trusted, anybody may have
// written.
func (a *API) clientAddress(r *http.Request) string {
	client := address(r.RemoteAddr)
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for n := 0; n < maxForwarded && a.trusts(client); n++ {
		if len(forwarded) == 0 {
			break
		}
		next := strings.TrimSpace(forwarded[len(forwarded)-1])
		forwarded = forwarded[:len(forwarded)-1]
		parsed, err := netip.ParseAddr(next)
		if err != nil {
			break
		}
		client = parsed.Unmap().WithZone("").String()
	}
	return client
}

func (a *API) trusts(client string) bool {
	parsed, err := netip.ParseAddr(client)
	if err != nil {
		return false
	}
	for _, proxies := range a.opts.TrustedProxies {
		if proxies.Contains(parsed.Unmap()) {
			return true
		}
	}
	return false
}
