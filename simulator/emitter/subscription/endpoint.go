package subscription

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
)

const maxURL = 2048 // characters; the common bound of servers and proxies, none is documented

func endpointRequired(_ Rules, d Draft) {
	path := d.urlPath()
	if !d.Body.Sent(path) {
		d.Body.Required(path)
	} else if strings.TrimSpace(d.URL) == "" {
		d.empty(path)
	}
}

// urlPath names the member that carries the address for the draft's protocol.
func (d Draft) urlPath() string {
	if d.Protocol == TCPIP {
		return "connectionDetails.url"
	}
	return "httpEndpoint.url"
}

// httpsURL keeps every scheme but https out; TCP_IP takes any scheme (G1).
func httpsURL(_ Rules, d Draft) {
	if d.Protocol != TCPIP && d.URL != "" && !strings.HasPrefix(strings.ToLower(d.URL), "https://") {
		d.refuse(d.urlPath(), body.InvalidValue, "The URL must be an HTTPS URL.", &body.Inner{AllowedPattern: "^https://"})
	}
}

func urlForm(_ Rules, d Draft) {
	if d.URL == "" {
		return
	}
	address, err := url.Parse(d.URL)
	switch {
	case len(d.URL) > maxURL:
		d.refuse(d.urlPath(), body.InvalidValue, fmt.Sprintf("The URL must have at most %d characters.", maxURL), nil)
	case err != nil || address.Scheme == "" || address.Hostname() == "" || address.Opaque != "" ||
		strings.ContainsAny(address.Host, " <>\"{}|\\^`"):
		d.refuse(d.urlPath(), body.InvalidValue, "The value must be an absolute URL with a host.", nil)
	case !validPort(address):
		d.refuse(d.urlPath(), body.InvalidValue, "The port must be between 1 and 65535.", nil)
	}
}

func validPort(address *url.URL) bool {
	port := address.Port()
	if port == "" {
		return !strings.HasSuffix(address.Host, ":")
	}
	number, err := strconv.Atoi(port)
	return err == nil && 1 <= number && number <= 65535
}

// urlIPv4 refuses IPv6 literals: receivers are reached over IPv4 only (S1).
func urlIPv4(_ Rules, d Draft) {
	address, err := url.Parse(d.URL)
	if err != nil {
		return
	}
	if ip, err := netip.ParseAddr(address.Hostname()); err == nil && ip.Is6() {
		d.refuse(d.urlPath(), body.InvalidValue, "IPv6 addresses are not supported.", nil)
	} else if err != nil && net.ParseIP(address.Hostname()) == nil && strings.HasPrefix(address.Host, "[") {
		d.refuse(d.urlPath(), body.InvalidValue, "IPv6 addresses are not supported.", nil)
	}
}

// headersSendable refuses names and values that no HTTP request could carry: they would fail every delivery.
func headersSendable(_ Rules, d Draft) {
	endpoint := d.Body.Object("httpEndpoint")
	if d.Protocol == TCPIP {
		endpoint = d.Body.Object("connectionDetails")
	}
	headers := endpoint.Object("headers")
	for _, name := range slices.Sorted(maps.Keys(d.Headers)) {
		switch {
		case !validFieldName(name):
			d.refuse(headers.Path(name), body.InvalidValue, "The header name is not a valid HTTP field name.", nil)
		case !validFieldValue(d.Headers[name]):
			d.refuse(headers.Path(name), body.InvalidValue, "The header value is not a valid HTTP field value.", nil)
		}
	}
}

// validFieldName says whether name is a token of RFC 9110, section 5.6.2.
func validFieldName(name string) bool {
	for _, r := range name {
		letter := '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r) {
			return false
		}
	}
	return name != ""
}

// validFieldValue says whether value has no control character but tabs (RFC 9110, section 5.5).
func validFieldValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// connectionDetailsAgree lets an HTTPS subscription be sent back as it was shown, and nothing else: the server fills
// connectionDetails itself (T1).
func connectionDetailsAgree(_ Rules, d Draft) {
	if d.Protocol == TCPIP {
		return
	}
	const path = "connectionDetails"
	details := d.Body.Object(path)
	if details.Sent("url") && details.String("url") != d.URL {
		d.conflict(path+".url", "For HTTPS the URL is given by httpEndpoint.url.")
	}
	if details.Sent("headers") && !maps.Equal(details.StringMap("headers"), d.Headers) {
		d.conflict(path+".headers", "For HTTPS the headers are given by httpEndpoint.headers.")
	}
}

// tcpMembers refuses what belongs to HTTPS only (T1).
func tcpMembers(_ Rules, d Draft) {
	if d.Protocol == TCPIP {
		d.foreign("httpEndpoint", "format", "payloadOptions.maximumPayloadLimit", "payloadOptions.payloadFormat.https")
	}
}

// httpsMembers refuses what belongs to TCP_IP only (T1).
func httpsMembers(_ Rules, d Draft) {
	if d.Protocol == HTTPS {
		d.foreign("payloadOptions.payloadFormat.tcp")
	}
}

func (d Draft) foreign(paths ...string) {
	for _, path := range paths {
		if d.Body.Sent(path) {
			d.conflict(path, "The value is not allowed for the protocol "+d.Protocol+".")
		}
	}
}
