package steps

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
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
		step(`(\d+) events happen at once`, func(w *World) any { return w.postMany }),
		step(`events of ((?:\d+(?:, | and )?)+) bytes happen at once`, func(w *World) any { return w.postSizes }),
		step(`a user is created every half second, (\d+) times`, func(w *World) any { return w.trickle }),
		step(`an application with a name of (\d+) letters is created`, func(w *World) any { return w.createNamed }),
	}
}

// createUsers makes users side by side; their events are called "user 1" and
// so on.
func (w *World) createUsers(ctx context.Context, n int) error {
	calls := make([]driver.Call, n)
	for i := range calls {
		username := w.driver.Name("user")
		call, err := jsonCall(http.MethodPost, w.here("/users"), map[string]string{"username": username, "email": username + "@hookproof.example"})
		if err != nil {
			return err
		}
		calls[i] = call
	}
	exchanges, err := w.driver.DoAll(ctx, calls)
	if err != nil {
		return err
	}
	for i, x := range exchanges {
		r, err := answered(x, judge.Status(http.StatusCreated))
		if err != nil {
			return err
		}
		id := gjson.GetBytes(r.Body, "id").String()
		w.later(http.MethodDelete, w.here("/users/"+id))
		w.caused(transcript.Caused{Name: fmt.Sprintf("user %d", i+1), Type: "USER.CREATED", Resource: id, At: x.End})
	}
	return nil
}

// postMany posts events of an ordinary size, called "event 1" and so on.
func (w *World) postMany(ctx context.Context, n int) error {
	event, err := fixtures.Event("user-created")
	if err != nil {
		return err
	}
	events := make([]named, n)
	for i := range events {
		events[i] = named{fmt.Sprintf("event %d", i+1), event}
	}
	return w.post(ctx, events)
}

// postSizes posts events of about the given lengths: a description is made
// as long as it takes, not shorter than the fixture's.
func (w *World) postSizes(ctx context.Context, list string) error {
	event, err := fixtures.Event("action-created-by-system")
	if err != nil {
		return err
	}
	if event, err = sjson.SetBytes(event, "action.type", "USER.CREATED"); err != nil {
		return err
	}
	var events []named
	for i, text := range strings.FieldsFunc(list, func(r rune) bool { return r < '0' || r > '9' }) {
		size, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		sized, err := sjson.SetBytes(event, "result.description", strings.Repeat("x", max(0, size-len(event))))
		if err != nil {
			return err
		}
		events = append(events, named{fmt.Sprintf("event %d", i+1), sized})
	}
	return w.post(ctx, events)
}

// pace is how far apart the events of a trickle are: well below the 2 seconds
// that an event may be held, so that an emitter that waits for a pause before
// it sends is found out.
const pace = 500 * time.Millisecond

// trickle makes users at a steady pace. In between it looks at the receiver,
// where nothing in particular is awaited.
func (w *World) trickle(ctx context.Context, n int) error {
	e, err := w.endpoint(theReceiver)
	if err != nil {
		return err
	}
	for i := range n {
		if err := w.createUser(ctx, fmt.Sprintf("user %d", i+1), ""); err != nil {
			return err
		}
		if _, err := w.driver.AwaitDeliveries(ctx, e, pace, func() bool { return false }); err != nil {
			return err
		}
	}
	return nil
}

// createNamed makes an application with a long name, which makes its event
// long.
func (w *World) createNamed(ctx context.Context, letters int) error {
	name := w.driver.Name("application")
	name += strings.Repeat("x", max(0, letters-len(name)))
	id, _, err := w.create(ctx, w.here("/applications"), map[string]any{
		"name": name, "enabled": true, "protocol": "OPENID_CONNECT", "type": "WORKER",
		"grantTypes": []string{"CLIENT_CREDENTIALS"}, "tokenEndpointAuthMethod": "CLIENT_SECRET_BASIC",
	})
	if err != nil {
		return err
	}
	w.later(http.MethodDelete, w.here("/applications/"+id))
	w.caused(transcript.Caused{Name: "application", Type: "APPLICATION.CREATED", Resource: id, At: w.answer.End})
	return nil
}
