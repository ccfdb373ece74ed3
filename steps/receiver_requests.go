package steps

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/fixtures"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
)

// hookRequestSteps meet the receiver under test without an emitter between:
// for what an emitter that keeps its promises never does, and for what it does
// only when it must.
func hookRequestSteps() []Step {
	return []Step{
		step(`the suite meets the receiver over IPv4`, func(w *World) any {
			return func(ctx context.Context) error { return w.offer(ctx, 1, driver.Way{}) }
		}),
		step(`it answers by HTTP over TLS`, func(w *World) any {
			return func() error { return w.judged(judge.AnsweredOverTLS(w.answer)) }
		}),
		step(`an event is posted to the receiver (over HTTP/1\.1|by a client that also speaks HTTP/2|in chunks|with the names of headers in lower case)`,
			func(w *World) any {
				return func(ctx context.Context, how string) error {
					return w.offer(ctx, 1, map[string]driver.Way{
						"over HTTP/1.1": {}, "by a client that also speaks HTTP/2": {HTTP2: true}, "in chunks": {Chunked: true},
						"with the names of headers in lower case": {LowerCase: true},
					}[how])
				}
			}),
		step(`an event is posted to the receiver, and another on the same connection without the credentials`, func(w *World) any { return w.offerTwice }),
		step(`the second post is refused with 401 or 403`, func(w *World) any {
			return func() error {
				return w.judged(judge.Response(w.answer, judge.StatusIn(http.StatusUnauthorized, http.StatusForbidden)))
			}
		}),
		step(`(\d+) events? (?:is|are) posted to the receiver at once`, func(w *World) any {
			return func(ctx context.Context, n int) error { return w.offer(ctx, n, driver.Way{}) }
		}),
		step(`the same body is posted again`, func(w *World) any {
			return func(ctx context.Context) error { return w.postHook(ctx, w.offered, driver.Way{}) }
		}),
		step(`the same body is posted again without the credentials`, func(w *World) any {
			return func(ctx context.Context) error {
				if len(w.driver.Transcript().Hook.Headers) == 0 {
					return unobserved("the target claims to check credentials, and none are given")
				}
				if _, err := answered(w.answer, judge.Status(http.StatusOK)); err != nil {
					return err
				}
				return w.postHook(ctx, w.offered, driver.Way{Stranger: true})
			}
		}),
		step(`the same events are posted again, with (\d+) more behind them`, func(w *World) any {
			return func(ctx context.Context, n int) error {
				if _, err := answered(w.answer, judge.Status(http.StatusOK)); err != nil {
					return err
				}
				more, err := w.makeDelivery(n)
				if err != nil {
					return err
				}
				return w.postHook(ctx, slices.Concat(w.offered[:len(w.offered)-1], []byte(","), more[1:]), driver.Way{})
			}
		}),
		step(`the post is answered 200`, func(w *World) any {
			return func() error { return w.judged(judge.Response(w.answer, judge.Status(http.StatusOK))) }
		}),
		step(`the receiver is asked with HEAD`, func(w *World) any {
			return func(ctx context.Context) error {
				_, err := w.do(ctx, driver.Call{Peer: driver.Hook, Method: http.MethodHead, Path: driver.HookPath, Header: map[string]string{}, Way: &driver.Way{}})
				return err
			}
		}),
		step(`the body «([^»]*)» is posted to the receiver`, func(w *World) any {
			return func(ctx context.Context, body string) error { return w.postHook(ctx, []byte(body), driver.Way{}) }
		}),
		step(`the post is refused with a status of 4xx`, func(w *World) any {
			return func() error { return w.judged(judge.Response(w.answer, judge.Refused(http.StatusBadRequest))) }
		}),
		step(`a post of (\d+) events to the receiver is cut off in the middle`, func(w *World) any {
			return func(ctx context.Context, n int) error {
				body, err := w.makeDelivery(n)
				if err != nil {
					return err
				}
				return w.postHook(ctx, body, driver.Way{CutAfter: len(body) / 2})
			}
		}),
		step(`a client that speaks no TLS above 1\.1 shakes hands with the receiver`, func(w *World) any {
			return func(ctx context.Context) error { return w.offer(ctx, 1, driver.Way{OldTLS: true}) }
		}),
		step(`the handshake is refused`, func(w *World) any {
			return func() error { return w.judged(judge.HandshakeRefused(w.answer)) }
		}),
	}
}

// offer posts an array of n events of the suite's own making.
func (w *World) offer(ctx context.Context, n int, way driver.Way) error {
	body, err := w.makeDelivery(n)
	if err != nil {
		return err
	}
	return w.postHook(ctx, body, way)
}

// offerTwice posts an event with the credentials, and one without them on the
// same connection.
func (w *World) offerTwice(ctx context.Context) error {
	if len(w.driver.Transcript().Hook.Headers) == 0 {
		return unobserved("the target claims to check credentials, and none are given")
	}
	if err := w.offer(ctx, 1, driver.Way{Keep: true}); err != nil {
		return err
	}
	if _, err := answered(w.answer, judge.Status(http.StatusOK)); err != nil {
		return err
	}
	return w.offer(ctx, 1, driver.Way{Again: true, Stranger: true})
}

// makeDelivery makes an array of events like the platform's, with ids of
// their own.
func (w *World) makeDelivery(n int) ([]byte, error) {
	event, err := fixtures.Event("user-created")
	if err != nil {
		return nil, err
	}
	var events [][]byte
	for range n {
		made, err := sjson.SetBytes(event, "id", w.driver.UUID())
		if err != nil {
			return nil, fmt.Errorf("give an event an id: %w", err)
		}
		events = append(events, made)
	}
	return append(append([]byte("["), bytes.Join(events, []byte(","))...), ']'), nil
}

// postHook posts a body to the receiver under test with what was agreed.
func (w *World) postHook(ctx context.Context, body []byte, way driver.Way) error {
	w.offered = body
	_, err := w.do(ctx, driver.Call{
		Peer: driver.Hook, Method: http.MethodPost, Path: driver.HookPath,
		Header: map[string]string{"Content-Type": "application/json"}, Body: body, Way: &way,
	})
	return err
}

// eventIDs are the ids of the events in an array.
func eventIDs(body []byte) []string {
	var ids []string
	for _, id := range gjson.GetBytes(body, "#.id").Array() {
		ids = append(ids, id.Str)
	}
	return ids
}
