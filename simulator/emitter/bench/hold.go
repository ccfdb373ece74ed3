package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// holds measures lone events: each environment gets one, and no other until
// all subscriptions have it. The first needs a connection for every
// subscription, made at the same time as all others.
func holds(ctx context.Context, o Options, told func(Hold)) (err error) {
	r, err := startRig(ctx, o, o.Held, true)
	if err != nil {
		return err
	}
	defer func() {
		if closed := r.close(); err == nil {
			err = closed
		}
	}()
	place := map[string]int{}
	for i, environment := range r.environments {
		place[environment] = i
	}
	var mu sync.Mutex
	appended := make([]time.Time, len(r.environments)) // the present event
	var held []time.Duration
	r.arrived = func(at time.Time, lane, _, _ int) {
		mu.Lock()
		defer mu.Unlock()
		held = append(held, at.Sub(appended[place[r.hooks[lane].environment]]))
	}
	for _, part := range []struct {
		connections string
		events      int
	}{{"new", 1}, {"kept", o.Lone}} {
		for range part.events {
			r.expect(len(r.hooks))
			for i, environment := range r.environments {
				mu.Lock()
				appended[i] = time.Now()
				mu.Unlock()
				if err := r.append(ctx, environment, 1); err != nil {
					return err
				}
			}
			if err := r.await(ctx); err != nil {
				return err
			}
		}
		mu.Lock()
		h := summed(held, o)
		held = nil
		mu.Unlock()
		if h.Events != part.events*len(r.hooks) {
			return fmt.Errorf("%d deliveries came instead of %d, an event each", h.Events, part.events*len(r.hooks))
		}
		h.Subscriptions, h.Connections = len(r.hooks), part.connections
		told(h)
	}
	return nil
}

func summed(held []time.Duration, o Options) Hold {
	slices.Sort(held)
	h := Hold{Events: len(held), P50: held[len(held)/2], P99: held[len(held)*99/100], Max: held[len(held)-1]}
	if o.full() {
		h.Bar = barHold
	}
	return h
}
