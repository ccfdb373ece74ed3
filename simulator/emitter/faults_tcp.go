package emitter

import (
	"context"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// tcpFaults are those of the configuration of TCP_IP subscriptions.
func tcpFaults() []Fault {
	return []Fault{
		{"tcp-refused", "Subscriptions of protocol TCP_IP are refused.", []string{"TCP-001"},
			refused("protocol", func(d subscription.Draft) bool { return d.Protocol == subscription.TCPIP })},
		{"tcp-logline-refused", "TCP_IP subscriptions of format RFC_LOGLINE are refused.", []string{"TCP-001", "TCP-004"},
			refused("payloadOptions.payloadFormat.tcp.format", func(d subscription.Draft) bool { return d.TCPFormat == subscription.RFCLogline })},
		{"tcp-endpoint-shown", "A TCP_IP subscription is shown with an httpEndpoint.", []string{"TCP-001"},
			represented(func(r *subscription.Representation) {
				if r.HTTPEndpoint == nil {
					r.HTTPEndpoint = r.ConnectionDetails
				}
			})},
		{"tcp-format-shown", "A TCP_IP subscription is shown with a format.", []string{"TCP-001"},
			represented(func(r *subscription.Representation) {
				if r.Protocol == subscription.TCPIP {
					r.Format = subscription.Activity
				}
			})},
		{"tcp-https-members", "A TCP_IP subscription may have what belongs to HTTPS.", []string{"TCP-002"}, without("tcp-members")},
		{"tcp-url-optional", "A TCP_IP subscription needs no URL.", []string{"TCP-003"}, without("endpoint-required")},
		{"tcp-attributes-anywhere", "Additional attributes need no log lines.", []string{"TCP-004"}, without("attributes-logline")},
		{"tcp-attributes-refused", "Additional attributes are refused.", []string{"TCP-004"},
			refused("payloadOptions.payloadFormat.tcp.additionalAttributes", func(d subscription.Draft) bool { return d.TCPAttributes != nil })},
		{"ip-logline", "Log lines tell the IP address unasked.", []string{"EVT-012"},
			exposed(func(s *subscription.Subscription) {
				s.ExposeIP = s.ExposeIP || s.TCPFormat == subscription.RFCLogline
			})},
		{"agent-logline", "Log lines tell the user agent unasked.", []string{"EVT-013"},
			exposed(func(s *subscription.Subscription) {
				s.ExposeUserAgent = s.ExposeUserAgent || s.TCPFormat == subscription.RFCLogline
			})},
		{"opt-ins-coupled-tcp", "Over TCP, exposing one of IP address and user agent exposes both.", []string{"EVT-012", "EVT-013"},
			exposed(func(s *subscription.Subscription) {
				if both := s.ExposeIP || s.ExposeUserAgent; s.Protocol == subscription.TCPIP {
					s.ExposeIP, s.ExposeUserAgent = both, both
				}
			})},
		{"tcp-unfiltered", "Over TCP, what the filters keep out is sent as well.", []string{"FLT-002", "FLT-005"},
			func(p *Pieces) {
				log := p.Log
				written(func(ctx context.Context, inner pipeline.Pieces, a *pipeline.Attempt) {
					if all := everything(ctx, log, inner, *a); all != nil {
						a.Payload.Body = all
					}
				})(p)
			}},
		{"disabled-tcp-delivers", "A subscription over TCP that was disabled goes on delivering.", []string{"DLV-020"},
			func(p *Pieces) {
				previous := p.Pipeline.Active
				p.Pipeline.Active = func(s subscription.Subscription, failures int) bool {
					return s.Protocol == subscription.TCPIP || previous(s, failures)
				}
			}},
		{"https-tcp-members", "An HTTPS subscription may have what belongs to TCP_IP.", []string{"TCP-005"}, without("https-members")},
	}
}

// written lets a fault change what is written to a stream, and when; inner is
// the composition as it was.
func written(alter func(ctx context.Context, inner pipeline.Pieces, a *pipeline.Attempt)) func(*Pieces) {
	return func(p *Pieces) {
		inner := p.Pipeline
		p.Pipeline.Write = func(ctx context.Context, s *pipeline.Stream, a pipeline.Attempt) pipeline.Result {
			alter(ctx, inner, &a)
			return inner.Write(ctx, s, a)
		}
	}
}

// refused lets a fault refuse a request for what is at the path.
func refused(path string, when func(subscription.Draft) bool) func(*Pieces) {
	return func(p *Pieces) {
		checks := p.Directory.Rules.Checks
		p.Directory.Rules.Checks = append(checks[:len(checks):len(checks)], subscription.Check{
			Name: "refused", Run: func(_ subscription.Rules, d subscription.Draft) {
				if when(d) {
					d.Body.Report(subscription.Problem{Code: body.InvalidValue, Target: path, Message: "The value is not supported."})
				}
			},
		})
	}
}
