package judge

import (
	"strings"

	"github.com/hookproof/hookproof/steps/transcript"
)

// NoRequest fails if any request reached the endpoint, complete or not.
// (DLV-TLS-002, DLV-TLS-005, DLV-TLS-008, DLV-TLS-009)
func NoRequest(t *transcript.Transcript, endpoint string) Outcome {
	for _, d := range t.Deliveries(endpoint) {
		return Fail("no request at receiver %q", endpoint).Got("%s with a body of %s, on a connection with %s", d.Method, count(len(d.Body), "byte"), describeTLS(d.TLS))
	}
	return Pass
}

func describeTLS(s *transcript.TLS) string {
	if s == nil {
		return "no TLS"
	}
	return s.Version
}

// Attempts is how many connections to the endpoint's own listener are known
// to have ended without becoming fit for a request: the client broke off the
// handshake, or said something that is no HTTP to a listener without TLS. A
// client that looks at the certificate only after the handshake has given up
// a connection when it makes the next.
func Attempts(t *transcript.Transcript, endpoint string) int {
	n, connections := 0, t.Connections(endpoint)
	for i, c := range connections {
		switch {
		case c.Handshake == "failed", c.Handshake == "none" && c.Error != "":
			n++
		case c.Handshake == "ok" && i < len(connections)-1:
			n++
		}
	}
	return n
}

// Presented fails unless on every delivery's connection the client presented
// the certificate with this SHA-256. (DLV-TLS-006)
func Presented(t *transcript.Transcript, endpoint, sha256 string) Outcome {
	return eachDelivery(t, endpoint, func(d transcript.Delivery) Outcome {
		if d.TLS == nil || len(d.TLS.ClientCertificates) == 0 {
			return Fail("the client certificate with SHA-256 %s", sha256).Got("none, with %s", describeTLS(d.TLS))
		}
		// The first is the client's own, the others lead to its root
		// (RFC 8446, 4.4.2).
		if own := d.TLS.ClientCertificates[0]; !strings.EqualFold(own.SHA256, sha256) {
			return Fail("the client certificate with SHA-256 %s", sha256).Got("%s (%s)", own.SHA256, own.Subject)
		}
		return Pass
	})
}

// NonePresented fails if on a delivery's connection the client presented a
// certificate. (DLV-TLS-007)
func NonePresented(t *transcript.Transcript, endpoint string) Outcome {
	return eachDelivery(t, endpoint, func(d transcript.Delivery) Outcome {
		if d.TLS == nil {
			return Fail("a TLS connection").Got("none")
		}
		for _, c := range d.TLS.ClientCertificates {
			return Fail("no client certificate").Got("%s (%s)", c.SHA256, c.Subject)
		}
		return Pass
	})
}
