package api

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// testMedia is the content type that makes a POST to a subscription a test of its connection (V2).
const testMedia = "application/vnd.pingidentity.subscription.test+json"

// Tester tests the connection of a subscription: it sends the event to the receiver at once, whatever is queued and
// whatever the filters say. The error, which the client is told, says why the receiver did not take it.
type Tester interface {
	Test(ctx context.Context, s subscription.Subscription, e event.Event) error
}

// testSubscription answers a connection test. What the platform answers is not readable (V2); here it is 204 once the
// receiver has accepted the event, else 400 with the reason.
func (a *API) testSubscription(r *request) (response, error) {
	s, ok := a.store(r).Subscription(r.env, r.id)
	if !ok || a.opts.Tester == nil {
		return response{}, directory.ErrNotFound
	}
	if err := r.emptyTest(); err != nil {
		return response{}, err
	}
	if err := a.opts.Tester.Test(r.Context(), s, r.testEvent(s)); err != nil {
		return response{}, failed(http.StatusBadRequest, "REQUEST_FAILED", "The connection test failed: "+err.Error()+".")
	}
	return response{status: http.StatusNoContent}, nil
}

// emptyTest reads the body of a connection test, which says nothing: it is empty or any JSON object (V2).
func (r *request) emptyTest() error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != testMedia {
		return unsupportedMedia(testMedia)
	}
	raw, err := io.ReadAll(http.MaxBytesReader(r.writer, r.Body, maxBody))
	if err != nil {
		return readFailure(err)
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	if _, err := body.Parse(raw); err != nil {
		return malformed(err.Error())
	}
	return nil
}

// testEvent is the event of a connection test, as one was seen at a receiver (R1). Its type cannot be subscribed to.
func (r *request) testEvent(s subscription.Subscription) event.Event {
	return event.Event{
		CorrelationID:    r.caller.CorrelationID,
		Type:             "EVENT_DELIVERY_TEST",
		Description:      "Test event for subscription delivery",
		Client:           &event.Actor{ID: r.caller.ID, Name: r.caller.Name},
		Resources:        []event.Resource{{Type: "USER", ID: s.ID, Name: s.Name}},
		Result:           event.Result{Description: "test connection"},
		Source:           event.Source{UserAgent: "Test Connection Client"},
		SubscriptionName: s.Name,
	}
}
