package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/targets"
)

// hook checks that a receiver under test can be delivered to, without a
// delivery: all that it is sent is a HEAD, with which PingOne's test of a
// connection begins too. Nothing tells its URL, which may be a secret.
func (d *diagnosis) hook(ctx context.Context, hook targets.Hook) {
	roots, err := pki.Roots(hook.CA)
	if err != nil {
		d.fail("receiver: TLS", "--ca takes a PEM file of the authorities to trust", "%v", err)
		return
	}
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if len(hook.ClientCertificate) > 0 {
		identity, err := pki.ReadIdentity(hook.ClientCertificate, hook.ClientKey)
		if err != nil {
			d.fail("receiver: client certificate", "give a PEM certificate and its key with --client-certificate and --client-key", "%v", err)
			return
		}
		config.Certificates = []tls.Certificate{identity.TLS()}
	}
	header := http.Header{}
	for name, value := range hook.Headers {
		header.Set(name, value)
	}
	status, reached := d.reach(ctx, way{name: "receiver", address: hook.URL, method: http.MethodHead, header: header, tls: config})
	if !reached {
		return
	}
	d.versions(ctx, hook, config)
	const unseen = "if deliveries are answered 401 or 403, check --hook-header (HOOKPROOF_HOOK_HEADER), or --client-certificate with --client-key"
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		d.fail("receiver: credentials", "give what it expects with --hook-header, or --client-certificate and --client-key", "a HEAD with what was agreed is answered %d", status)
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented:
		d.warn("receiver: credentials", "check the path; a receiver that knows no HEAD may answer so as well", "a HEAD is answered %d", status)
	case status >= http.StatusInternalServerError:
		d.warn("receiver: credentials", "look into the receiver's log", "a HEAD is answered %d", status)
	case len(hook.Headers) == 0 && len(hook.ClientCertificate) == 0:
		d.add(gradeOK, "receiver: credentials", unseen, "none are given, and a HEAD is answered %d, which does not show whether deliveries need some", status)
	default:
		d.add(gradeOK, "receiver: credentials", unseen, "a HEAD with what was agreed is answered %d, which does not show whether deliveries are let in", status)
	}
	d.readBack(ctx, hook)
}

// versions tells which versions of TLS the receiver takes.
func (d *diagnosis) versions(ctx context.Context, hook targets.Hook, config *tls.Config) {
	u, err := url.Parse(hook.URL)
	if err != nil {
		return // reach has told so
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	var taken []string
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		only := config.Clone()
		only.ServerName, only.MinVersion, only.MaxVersion = u.Hostname(), version, version
		dialer := tls.Dialer{Config: only, NetDialer: &net.Dialer{Timeout: checkWithin}}
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
		if err != nil {
			continue
		}
		_ = conn.Close()
		taken = append(taken, tls.VersionName(version))
	}
	if len(taken) == 0 {
		d.warn("receiver: versions", "make TLS 1.2 or 1.3 possible without a proxy in between", "neither TLS 1.2 nor TLS 1.3 could be agreed on directly")
		return
	}
	d.ok("receiver: versions", "%s", strings.Join(taken, " and "))
}

// readBack asks for an event that nobody has sent.
func (d *diagnosis) readBack(ctx context.Context, hook targets.Hook) {
	if hook.ReadBack == nil {
		d.warn("read-back", "--read-back or --read-back-command; for an image, --claim read-back", "what the receiver stores cannot be read back: scenarios about it are not applicable")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	events, err := hook.ReadBack.Events(ctx, []string{uuid.NewString()})
	switch {
	case err != nil:
		d.fail("read-back", adapterRemedy(err), "%v", err)
	case len(events) > 0:
		d.fail("read-back", "answer only the events whose ids are asked for", "%d events are answered to an id that nobody has sent", len(events))
	default:
		d.ok("read-back", "it answers")
	}
}

// adapterRemedy is for an adapter that could not be reached, or that answered
// something else than events.
func adapterRemedy(err error) string {
	switch dialled := (*net.OpError)(nil); {
	case !errors.As(err, &dialled) || dialled.Op != "dial":
		return "mend the adapter; «hookproof run --help» says under --read-back what it is asked and answers"
	case strings.Contains(dialled.Error(), "refused"):
		return "nothing listens there: start the adapter, or mend the port"
	}
	return "check the address of --read-back, the network, and proxies (HTTPS_PROXY, NO_PROXY)"
}
