package steps

import (
	"context"

	"github.com/hookproof/hookproof/steps/driver"
)

// receiverSteps make the opposite end, and make it misbehave.
func receiverSteps() []Step {
	return []Step{
		step(`a receiver "([^"]*)"`, func(w *World) any {
			return func(ctx context.Context, name string) error {
				return w.receiver(ctx, name, driver.Listener{Mode: "trusted"}, driver.Behaviour{})
			}
		}),
	}
}

// receiver makes an endpoint at the receiver simulator.
func (w *World) receiver(ctx context.Context, name string, listener driver.Listener, behaviour driver.Behaviour) error {
	listener.Open = true
	e, err := w.driver.NewEndpoint(ctx, name, listener, behaviour)
	if err != nil {
		return err
	}
	w.endpoints[name] = e
	return nil
}
