package pipeline_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func prefixes(t *testing.T, texts ...string) []netip.Prefix {
	t.Helper()
	var list []netip.Prefix
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func TestDeliveriesGoToAllowedNetworksOnly(t *testing.T) {
	t.Parallel()
	const private, metadata = "10.0.0.0/8", "169.254.169.254/32"
	for _, c := range []struct {
		allow, deny []string
		to          string
		refused     string // part of the reason; empty: allowed
	}{
		{to: "192.0.2.1"},
		{to: "127.0.0.1"},
		{to: "2001:db8::1"},
		{to: "169.254.169.254", refused: "169.254.0.0/16 must be allowed by name"},
		{to: "::ffff:169.254.169.254", refused: "169.254.0.0/16 must be allowed by name"},
		{to: "fe80::1%eth0", refused: "fe80::/10"},
		{to: "fd00:ec2::254", refused: "fd00:ec2::254/128"},
		{to: "100.100.100.200", refused: "100.100.100.200/32"},
		{to: "0.0.0.0", refused: "0.0.0.0/8"},
		{to: "224.0.0.1", refused: "224.0.0.0/4"},
		{allow: []string{private}, to: "10.1.2.3"},
		{allow: []string{private}, to: "11.1.2.3", refused: "in no allowed network"},
		{allow: []string{private}, to: "127.0.0.1", refused: "in no allowed network"},
		{allow: []string{"0.0.0.0/0"}, to: "169.254.169.254", refused: "must be allowed by name"},
		{allow: []string{"0.0.0.0/0", metadata}, to: "169.254.169.254"},
		{allow: []string{"0.0.0.0/0", metadata}, to: "169.254.169.253", refused: "must be allowed by name"},
		{allow: []string{metadata}, to: "192.0.2.1", refused: "in no allowed network"},
		{deny: []string{private}, to: "10.1.2.3", refused: private + " is denied"},
		{deny: []string{private}, to: "11.1.2.3"},
		{allow: []string{private}, deny: []string{"10.9.0.0/16"}, to: "10.9.0.1", refused: "10.9.0.0/16 is denied"},
		{allow: []string{private}, deny: []string{"10.9.0.0/16"}, to: "10.8.0.1"},
	} {
		n := pipeline.Networks{Allow: prefixes(t, c.allow...), Deny: prefixes(t, c.deny...)}
		err := n.Check(netip.MustParseAddr(c.to))
		if (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("allowed %v, denied %v: %s gave %v, want %q", c.allow, c.deny, c.to, err, c.refused)
		}
	}
}

// The name says nothing about where it leads: what is dialled is checked.
func TestTheAddressThatIsDialledIsChecked(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	n := pipeline.Networks{Deny: prefixes(t, "127.0.0.0/8")}
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()

	p, s := pipeline.Default(), webhook("a")
	p.Connect, s.URL = n.Connect, "https://localhost:"+port
	over := p.Attempt(ctx, p.Connect(p.TLS(s, pipeline.Trust{})), pipeline.Attempt{Subscription: s})

	s.Protocol, s.URL = subscription.TCPIP, "tcp://localhost:"+port
	stream := n.Open(nil)
	defer stream.Close()
	through := pipeline.Write(ctx, stream, pipeline.Attempt{Subscription: s})
	for protocol, got := range map[string]pipeline.Result{"HTTPS": over, "TCP_IP": through} {
		if got.Err == nil || !strings.Contains(got.Err.Error(), "127.0.0.0/8 is denied") {
			t.Errorf("%s gave %v", protocol, got)
		}
	}
}
