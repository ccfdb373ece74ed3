package steps

import (
	"context"

	"github.com/cucumber/godog"
)

// noTCPReceiver is the address of TCP_IP subscriptions to which nothing is to
// be delivered; RFC 2606 keeps the name from ever existing.
const noTCPReceiver = `"tcp://hookproof.example:6514"`

// tcpSteps ask for subscriptions of protocol TCP_IP.
func tcpSteps() []Step {
	return []Step{
		step(`a TCP subscription is requested`, func(w *World) any {
			return func(ctx context.Context) error { return w.requestTCP(ctx, nil) }
		}),
		step(`a TCP subscription is requested with:`, func(w *World) any { return w.requestTCP }),
	}
}

// requestTCP asks for a minimal TCP_IP subscription with the settings.
func (w *World) requestTCP(ctx context.Context, table *godog.Table) error {
	settings, err := settingsOf(table)
	if err != nil {
		return err
	}
	minimal := []setting{
		{"protocol", `"TCP_IP"`}, {"httpEndpoint", "absent"}, {"format", "absent"}, {"connectionDetails.url", noTCPReceiver},
	}
	body, err := w.subscriptionBody("USER.CREATED", append(minimal, settings...))
	if err != nil {
		return err
	}
	return w.submit(ctx, body, "application/json")
}
