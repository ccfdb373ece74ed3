package steps

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/fixtures"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

// burstSteps make many audit events happen: at once, or at a steady pace.
func burstSteps() []Step {
	return []Step{
		step(`(\d+) users are created at once`, func(w *World) any { return w.createUsers }),
		step(`(\d+) events happen at once`, func(w *World) any {
			return func(ctx context.Context, n int) error { return w.postMany(ctx, n, "user-created") }
		}),
		step(`(\d+) events like sample "([^"]*)" happen at once`, func(w *World) any { return w.postMany }),
		step(`(\d+) events of (\d+) bytes happen at once`, func(w *World) any {
			return func(ctx context.Context, n, size int) error { return w.postSized(ctx, slices.Repeat([]int{size}, n)) }
		}),
		step(`(\d+) applications with names of (\d+) letters are created at once`, func(w *World) any { return w.createApplications }),
		step(`events of ((?:\d+(?:, | and )?)+) bytes happen at once`, func(w *World) any { return w.postSizes }),
		step(`pairs of events from (\d+) to (\d+) bytes happen at once`, func(w *World) any { return w.postPairs }),
		step(`a user is created every (\d+) milliseconds, (\d+) times`, func(w *World) any { return w.trickle }),
	}
}

// createUsers makes users side by side; their events are called "user 1" and
// so on.
func (w *World) createUsers(ctx context.Context, n int) error {
	if w.driver.Transcript().Trigger {
		return w.triggerUsers(ctx, n)
	}
	calls := make([]driver.Call, n)
	for i := range calls {
		username := w.driver.Name("user")
		call, err := jsonCall(http.MethodPost, w.here("/users"), map[string]string{"username": username, "email": username + "@hookproof.example"})
		if err != nil {
			return err
		}
		w.sign(call)
		calls[i] = call
	}
	return w.createAll(ctx, "user", "USER.CREATED", calls)
}

// createApplications makes applications with long names, which make their
// events long: each letter added takes three bytes. They are called
// "application 1" and so on.
func (w *World) createApplications(ctx context.Context, n, letters int) error {
	calls := make([]driver.Call, n)
	for i := range calls {
		name := w.driver.Name("application")
		call, err := jsonCall(http.MethodPost, w.here("/applications"), map[string]any{
			"name": name + strings.Repeat("監", max(0, letters-len(name))), "enabled": true, "protocol": "OPENID_CONNECT", "type": "WORKER",
			"grantTypes": []string{"CLIENT_CREDENTIALS"}, "tokenEndpointAuthMethod": "CLIENT_SECRET_BASIC",
		})
		if err != nil {
			return err
		}
		calls[i] = call
	}
	return w.createAll(ctx, "application", "APPLICATION.CREATED", calls)
}

// createAll makes the calls side by side, each of which causes an event of
// the type about what it makes; the events are called after the kind and
// their number.
func (w *World) createAll(ctx context.Context, kind, eventType string, calls []driver.Call) error {
	exchanges, err := w.ask(ctx, calls)
	if err != nil {
		return err
	}
	for i, x := range exchanges {
		if _, err := answered(x, judge.Status(http.StatusCreated)); err != nil {
			return err
		}
		id := idIn(x)
		if id == "" {
			return unobserved("an answer to POST %s without an id", x.Request.Path)
		}
		w.caused(transcript.Caused{Name: fmt.Sprintf("%s %d", kind, i+1), Type: eventType, Resource: id, At: x.End})
	}
	return nil
}

// postMany posts events like the fixture, called "event 1" and so on.
func (w *World) postMany(ctx context.Context, n int, fixture string) error {
	event, err := fixtures.Event(fixture)
	if err != nil {
		return err
	}
	events := make([]named, n)
	for i := range events {
		events[i] = named{name: fmt.Sprintf("event %d", i+1), event: event}
	}
	return w.post(ctx, events)
}

// postSizes posts events of about the given lengths.
func (w *World) postSizes(ctx context.Context, list string) error {
	var sizes []int
	for _, text := range strings.FieldsFunc(list, func(r rune) bool { return r < '0' || r > '9' }) {
		size, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		sizes = append(sizes, size)
	}
	return w.postSized(ctx, sizes)
}

// postPairs posts two events of every length from least to most. Two of a
// length fill a payload to almost every number of bytes in that range, so
// that an emitter which miscounts by a few is found out.
func (w *World) postPairs(ctx context.Context, least, most int) error {
	var sizes []int
	for size := least; size <= most; size++ {
		sizes = append(sizes, size, size)
	}
	return w.postSized(ctx, sizes)
}

// postSized posts events of the given lengths, in bytes, with the time that
// the target gives them counted in: a description is made as long as it
// takes. What else the target adds makes them longer.
func (w *World) postSized(ctx context.Context, sizes []int) error {
	event, err := fixtures.Event("action-created-by-system")
	if err != nil {
		return err
	}
	if event, err = sjson.SetBytes(event, "action.type", "USER.CREATED"); err != nil {
		return err
	}
	if event, err = sjson.SetBytes(event, "result.description", ""); err != nil {
		return err
	}
	events := make([]named, len(sizes))
	for i, size := range sizes {
		sized, err := sjson.SetBytes(event, "result.description", strings.Repeat("x", max(0, size-len(event))))
		if err != nil {
			return err
		}
		events[i] = named{name: fmt.Sprintf("event %d", i+1), event: sized}
	}
	return w.post(ctx, events)
}

// trickle makes users at a steady pace, so that an emitter which waits for a
// pause before it sends is found out. In between it looks at the receiver,
// where nothing in particular is awaited.
func (w *World) trickle(ctx context.Context, milliseconds, n int) error {
	e, err := w.endpoint(theReceiver)
	if err != nil {
		return err
	}
	pace := time.Duration(milliseconds) * time.Millisecond
	for i := range n {
		if err := w.createUser(ctx, fmt.Sprintf("user %d", i+1), ""); err != nil {
			return err
		}
		if i == n-1 {
			break // whatever is awaited comes next
		}
		if _, err := w.driver.AwaitDeliveries(ctx, e, pace, func() bool { return false }); err != nil {
			return err
		}
	}
	return nil
}
