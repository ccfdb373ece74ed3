package steps

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

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
		step(`the (?:second )?post is refused with 401 or 403`, func(w *World) any {
			return func() error {
				return w.judged(judge.Response(w.answer, judge.StatusIn(http.StatusUnauthorized, http.StatusForbidden)))
			}
		}),
		step(`(\d+) events? (?:is|are) posted to the receiver at once`, func(w *World) any {
			return func(ctx context.Context, n int) error { return w.offer(ctx, n, driver.Way{}) }
		}),
		step(`(\d+) events are posted to the receiver in (a compact array|a pretty array|chunks|lines|lines, the last without an end)`, func(w *World) any {
			return func(ctx context.Context, n int, form string) error { return w.offerIn(ctx, n, form, driver.Way{}) }
		}),
		step(`(\d+) events are posted to the receiver without the credentials, in (a compact array|a pretty array|chunks|lines)`, func(w *World) any {
			return func(ctx context.Context, n int, form string) error {
				if len(w.driver.Transcript().Hook.Headers) == 0 {
					return unobserved("the target claims to check credentials, and none are given")
				}
				return w.offerIn(ctx, n, form, driver.Way{Stranger: true})
			}
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
		step(`the same events are posted again, with (\d+) more (behind|before) them`, func(w *World) any { return w.offerAmong }),
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

// offerIn posts n events of the suite's own making in a form other than the
// compact array.
func (w *World) offerIn(ctx context.Context, n int, form string, way driver.Way) error {
	body, err := w.makeDelivery(n)
	if err != nil {
		return err
	}
	switch form {
	case "a pretty array":
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, body, "", "  "); err != nil {
			return fmt.Errorf("lay a delivery out: %w", err)
		}
		body = pretty.Bytes()
	case "chunks":
		way.Chunked = true
	case "lines":
		body = append(inLines(body), '\n')
	case "lines, the last without an end":
		body = inLines(body)
	}
	return w.postHook(ctx, body, way)
}

// inLines are the events of an array, a line each; the last has no end.
func inLines(array []byte) []byte {
	var lines []string
	for _, e := range gjson.ParseBytes(array).Array() {
		lines = append(lines, e.Raw)
	}
	return []byte(strings.Join(lines, "\n"))
}

// offerAmong posts the events that were taken again, with n more behind or
// before them.
func (w *World) offerAmong(ctx context.Context, n int, where string) error {
	if _, err := answered(w.answer, judge.Status(http.StatusOK)); err != nil {
		return err
	}
	more, err := w.makeDelivery(n)
	if err != nil {
		return err
	}
	first, second := w.offered, more
	if where == "before" {
		first, second = more, w.offered
	}
	return w.postHook(ctx, slices.Concat(first[:len(first)-1], []byte(","), second[1:]), driver.Way{})
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

// postHook posts a body to the receiver under test with what was agreed. Lines
// have the media type that the reference gives them; no document names one.
func (w *World) postHook(ctx context.Context, body []byte, way driver.Way) error {
	w.offered = body
	kind := "application/json"
	if bytes.HasPrefix(body, []byte("{")) {
		kind = "application/x-ndjson"
	}
	_, err := w.do(ctx, driver.Call{
		Peer: driver.Hook, Method: http.MethodPost, Path: driver.HookPath,
		Header: map[string]string{"Content-Type": kind}, Body: body, Way: &way,
	})
	return err
}

// eventIDs are the ids of the events in an array, or in lines.
func eventIDs(body []byte) []string {
	var ids []string
	gjson.ForEachLine(string(body), func(line gjson.Result) bool {
		records := []gjson.Result{line}
		if line.IsArray() {
			records = line.Array()
		}
		for _, r := range records {
			ids = append(ids, r.Get("id").Str)
		}
		return true
	})
	return ids
}
