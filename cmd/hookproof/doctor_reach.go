package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/internal/docker"
)

// Bounds of the checks.
const (
	checkWithin = 10 * time.Second
	// skewAtMost is how far the target's clock may be off before retention
	// and times of events look odd; the Date header has whole seconds.
	skewAtMost = 5 * time.Second
	// certificateLeft is how long the target's certificate should be valid:
	// longer than any run.
	certificateLeft = 24 * time.Hour
)

// machine checks what every run needs of this machine.
func (d *diagnosis) machine() {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		d.fail("IPv4", "the receiver simulator listens on 127.0.0.1; give this machine an IPv4 loopback interface", "%v", err)
		return
	}
	_ = l.Close()
	d.ok("IPv4", "the loopback interface takes listeners")
}

// docker checks that containers can be started.
func (d *diagnosis) docker(ctx context.Context) {
	if err := docker.Answers(ctx); err != nil {
		d.fail("Docker", "start Docker, or set DOCKER_HOST to where it is", "%v", err)
		return
	}
	d.ok("Docker", "it answers")
}

// way is a way to an address that is to be checked.
type way struct {
	name, address string
	method        string // of the request
	header        http.Header
	tls           *tls.Config
}

// address checks the way to one that --ca is about.
func (d *diagnosis) address(ctx context.Context, name, address, ca string) {
	roots, err := rootsWith(ca)
	if err != nil {
		d.fail(name+": TLS", "--ca takes a PEM file", "%v", err)
		return
	}
	d.reach(ctx, way{name: name, address: address, method: http.MethodGet, tls: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}})
}

// reach checks a way: the name, the connection, the chain of the certificate,
// the clock. It gives the status of the answer, if there is one.
func (d *diagnosis) reach(ctx context.Context, w way) (status int, reached bool) {
	name := w.name
	u, err := url.Parse(w.address)
	if err != nil {
		d.fail(name, "give a URL", "its address is none")
		return 0, false
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	if !d.resolve(ctx, name, u.Hostname()) {
		return 0, false
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = w.tls
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, w.method, w.address, nil)
	if err != nil {
		d.fail(name, "give a URL", "its address cannot be requested")
		return 0, false
	}
	if w.header != nil {
		req.Header = w.header
	}
	begin := time.Now()
	resp, err := client.Do(req)
	took := time.Since(begin)
	if err != nil {
		if asked := (*url.Error)(nil); errors.As(err, &asked) {
			err = asked.Err // without the URL, which may be a secret
		}
		d.fail(name+": connection", connectionRemedy(err, u.Scheme), "%s: %v", u.Host, err)
		return 0, false
	}
	defer resp.Body.Close()
	d.ok(name+": connection", "%s answers %d after %d ms", u.Host, resp.StatusCode, took.Milliseconds())
	d.chain(name, resp.TLS, u)
	d.clock(name, resp.Header.Get("Date"), begin.Add(took/2))
	return resp.StatusCode, true
}

func (d *diagnosis) resolve(ctx context.Context, name, host string) bool {
	addresses, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		d.fail(name+": DNS", "check the spelling, /etc/hosts, and the name server", "%v", err)
		return false
	}
	four := slices.ContainsFunc(addresses, func(a net.IPAddr) bool { return a.IP.To4() != nil })
	if !four {
		d.warn(name+": DNS", "a machine without IPv6 cannot reach it", "%s has no IPv4 address", host)
		return true
	}
	d.ok(name+": DNS", "%s is %s", host, addresses[0].IP)
	return true
}

func rootsWith(ca string) (*x509.CertPool, error) {
	text, err := authoritiesOf(ca)
	if err != nil {
		return nil, err
	}
	return pki.Roots(text)
}

func connectionRemedy(err error, scheme string) string {
	switch text := err.Error(); {
	case strings.Contains(text, "HTTP response to HTTPS client"), strings.Contains(text, "does not look like a TLS handshake"):
		return "it speaks plain HTTP: use http:// for an emitter; a receiver has to take HTTPS"
	case strings.Contains(text, "unknown authority"), strings.Contains(text, "not standards compliant"):
		return "give the authority of its certificate with --ca"
	case strings.Contains(text, "certificate required"):
		return "it wants a certificate of whoever calls: --client-certificate and --client-key"
	case strings.Contains(text, "certificate"):
		return "the certificate does not fit the address; mend it, or the address"
	case strings.Contains(text, "refused"):
		return "nothing listens there: start the target, or mend the port"
	case scheme == "http" && (errors.Is(err, io.EOF) || strings.Contains(text, "malformed HTTP")):
		return "it speaks no plain HTTP: use https://"
	case errors.Is(err, context.DeadlineExceeded) && !strings.Contains(text, "dial"):
		return "it took the connection and gave no answer within 10 s: see what it waits for"
	}
	return "check the address, the network, and proxies (HTTPS_PROXY, NO_PROXY)"
}

func (d *diagnosis) chain(name string, state *tls.ConnectionState, u *url.URL) {
	if state == nil {
		if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
			d.warn(name+": TLS", "use https: credentials cross the network", "%s is plain http", u.Host)
		}
		return
	}
	leaf := state.PeerCertificates[0]
	if left := time.Until(leaf.NotAfter); left < certificateLeft {
		d.warn(name+": TLS", "renew it", "the certificate expires at %s", leaf.NotAfter.UTC().Format(time.RFC3339))
		return
	}
	d.ok(name+": TLS", "the chain is trusted, until %s, %s", leaf.NotAfter.UTC().Format(time.DateOnly), tls.VersionName(state.Version))
}

func (d *diagnosis) clock(name, date string, now time.Time) {
	theirs, err := http.ParseTime(date)
	if err != nil {
		d.warn(name+": clock", "nothing to do, unless times look odd in a report", "it sends no Date, so that its clock is not known")
		return
	}
	// The header leaves the fraction of the second out.
	skew := theirs.Add(500 * time.Millisecond).Sub(now).Round(time.Second)
	if skew.Abs() > skewAtMost {
		d.warn(name+": clock", "set both clocks by NTP", "it differs by %v from this machine's", skew)
		return
	}
	d.ok(name+": clock", "it agrees with this machine's")
}
