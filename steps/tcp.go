package steps

import (
	"context"
	"strconv"

	"github.com/cucumber/godog"

	"github.com/hookproof/hookproof/steps/driver"
)

// noTCPReceiver is the address of TCP_IP subscriptions to which nothing is to
// be delivered; RFC 2606 keeps the name from ever existing.
const noTCPReceiver = `"tcp://hookproof.example:6514"`

// tcpSteps ask for subscriptions of protocol TCP_IP, and make what they stream
// to.
func tcpSteps() []Step {
	return []Step{
		step(`a TCP subscription is requested`, func(w *World) any {
			return func(ctx context.Context) error { return w.requestTCP(ctx, nil) }
		}),
		step(`a TCP subscription is requested with:`, func(w *World) any { return w.requestTCP }),
		step(`a TCP subscription "([^"]*)" to "([^"]*)" at receiver "([^"]*)" with:`, func(w *World) any { return w.subscribeTCP }),
	}
}

// overTCP are the settings that make a minimal subscription one of TCP_IP to
// the URL, which is JSON.
func overTCP(url string) []setting {
	return []setting{{"protocol", `"TCP_IP"`}, {"httpEndpoint", "absent"}, {"format", "absent"}, {"connectionDetails.url", url}}
}

// requestTCP asks for a minimal TCP_IP subscription with the settings.
func (w *World) requestTCP(ctx context.Context, table *godog.Table) error {
	settings, err := settingsOf(table)
	if err != nil {
		return err
	}
	body, err := w.subscriptionBody("USER.CREATED", append(overTCP(noTCPReceiver), settings...))
	if err != nil {
		return err
	}
	return w.submit(ctx, body, "application/json")
}

// subscribeTCP makes a TCP_IP subscription, and a receiver that takes whatever
// lines come over its connections; a refusal makes the scenario unobserved.
func (w *World) subscribeTCP(ctx context.Context, name, types, receiver string, table *godog.Table) error {
	settings, err := settingsOf(table)
	if err != nil {
		return err
	}
	if err := w.receiver(ctx, receiver, driver.Listener{Mode: "tcp", Dedicated: true}, driver.Behaviour{}); err != nil {
		return err
	}
	body, err := w.subscriptionBody(types, append(overTCP(strconv.Quote(w.endpoints[receiver].URL)), settings...))
	if err != nil {
		return err
	}
	return w.establish(ctx, name, body)
}
