package pipeline

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// Networks say where deliveries may go. What counts is the address that is
// dialled, after names were resolved: a name that changes its address
// meanwhile gains nothing. The zero value allows everything but guarded networks.
type Networks struct {
	// Allow are the only networks that deliveries go to; none: all.
	Allow []netip.Prefix
	// Deny are networks that they never go to, also when allowed.
	Deny []netip.Prefix
}

// guarded are networks to which no delivery goes unless Allow names the
// network itself or a part of it: 0.0.0.0/0 does not. No receiver is there, but
// whoever can make a subscription could reach what only the machine itself may.
func guarded() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("169.254.0.0/16"),     // link-local (RFC 3927); most clouds' metadata
		netip.MustParsePrefix("fe80::/10"),          // link-local (RFC 4291)
		netip.MustParsePrefix("fd00:ec2::254/128"),  // metadata of AWS over IPv6
		netip.MustParsePrefix("fd20:ce::254/128"),   // metadata of Google Cloud over IPv6
		netip.MustParsePrefix("100.100.100.200/32"), // metadata of Alibaba Cloud
		netip.MustParsePrefix("168.63.129.16/32"),   // Azure's channel between a machine and its host
		netip.MustParsePrefix("0.0.0.0/8"),          // "this network" (RFC 1122): Linux takes it for loopback
		netip.MustParsePrefix("::/128"),             // the same (RFC 4291)
		netip.MustParsePrefix("224.0.0.0/4"),        // multicast (RFC 5771)
		netip.MustParsePrefix("ff00::/8"),           // multicast (RFC 4291)
		netip.MustParsePrefix("255.255.255.255/32"), // broadcast (RFC 919)
	}
}

// Check says why no delivery may go to the address; nil if one may.
func (n Networks) Check(to netip.Addr) error {
	to = to.Unmap().WithZone("")
	contains := func(p netip.Prefix) bool { return p.Contains(to) }
	if i := slices.IndexFunc(n.Deny, contains); i >= 0 {
		return fmt.Errorf("deliveries to %s are refused: %s is denied", to, n.Deny[i])
	}
	for _, g := range guarded() {
		named := func(p netip.Prefix) bool { return p.Bits() >= g.Bits() && p.Contains(to) }
		if g.Contains(to) && !slices.ContainsFunc(n.Allow, named) {
			return fmt.Errorf("deliveries to %s are refused: %s must be allowed by name", to, g)
		}
	}
	if len(n.Allow) > 0 && !slices.ContainsFunc(n.Allow, contains) {
		return fmt.Errorf("deliveries to %s are refused: it is in no allowed network", to)
	}
	return nil
}

func (n Networks) dialer() *net.Dialer {
	return &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return n.Check(to.Addr())
	}}
}
