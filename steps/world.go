// Package steps says HOW promises are observed and judged: the sentences
// that features are written in, one file for each area of the vocabulary,
// and the world in which one scenario lives. Steps reach the target and the
// receiver only through the driver, and leave judging to steps/judge.
//
// What must not enter: anything of the simulators. A step that knew the
// reference would prove nothing about anybody else's implementation.
package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// World is what one scenario knows: the things it has made, by the names it
// gave them, and the answer it got last.
type World struct {
	driver    *driver.Driver
	deadlines Deadlines

	environment *environment            // the scenario's own
	others      map[string]*environment // further ones, by name
	fresh       map[string]time.Time    // when the environments that the scenario made were made, by id
	endpoints   map[string]*driver.Endpoint
	events      map[string]transcript.Caused // by name
	answer      transcript.Exchange          // of the request made last
	answers     []transcript.Exchange        // of the requests made last, where they were several
	remembered  map[string]gjson.Result      // what an answer said earlier, by a name
	worker      worker                       // the application that acts in place of the suite
	since       time.Time                    // when a change was answered that later deliveries are judged by
	offered     []byte                       // the body posted last to the receiver under test
	occupied    int                          // subscriptions that others had in a shared environment when it was filled
	agent       string                       // sent as User-Agent with every call, if not empty

	judgements atomic.Int64 // made so far
}

// environment is one environment and what the scenario has made in it.
type environment struct {
	id            string
	populations   map[string]string // ids by name
	applications  map[string]string
	users         map[string]user
	keys          map[string]key
	subscriptions map[string]*subscription
}

type user struct{ id, username, population string }

// key is an uploaded key pair; the fingerprint is that of its certificate,
// SHA-256 in hex.
type key struct{ id, fingerprint string }

// subscription is one that the target has accepted, with the body that was
// sent for it and the endpoint it delivers to.
type subscription struct {
	id       string
	sent     []byte
	created  transcript.Exchange
	written  transcript.Exchange // the create or replace that made it what it is
	endpoint string
}

func newWorld(d *driver.Driver, deadlines Deadlines) *World {
	return &World{
		driver: d, deadlines: deadlines,
		others: map[string]*environment{}, fresh: map[string]time.Time{}, endpoints: map[string]*driver.Endpoint{},
		events: map[string]transcript.Caused{}, remembered: map[string]gjson.Result{},
	}
}

func newEnvironment(id string) *environment {
	return &environment{
		id: id, populations: map[string]string{}, applications: map[string]string{},
		users: map[string]user{}, keys: map[string]key{}, subscriptions: map[string]*subscription{},
	}
}

// claims tells whether the target claims the capability, or, where a receiver
// is tested, whether the reference emitter that delivers to it has it.
func (w *World) claims(c targets.Capability) bool {
	if w.driver.Transcript().Hook != nil && slices.Contains(targets.OfReference(), c) {
		return true
	}
	return slices.Contains(w.driver.Transcript().Claims, string(c))
}

// here is the path of something in the scenario's environment.
func (w *World) here(path string) string {
	return "/v1/environments/" + w.environment.id + path
}

// call makes a request to the management API; body, if not nil, is sent as
// JSON, a []byte as it is. It becomes the world's answer.
func (w *World) call(ctx context.Context, method, path string, body any) (transcript.Exchange, error) {
	c, err := jsonCall(method, path, body)
	if err != nil {
		return transcript.Exchange{}, err
	}
	return w.do(ctx, c)
}

// do makes a call, which becomes the world's answer.
func (w *World) do(ctx context.Context, c driver.Call) (transcript.Exchange, error) {
	w.sign(c)
	answers, err := w.ask(ctx, []driver.Call{c})
	if err != nil {
		return transcript.Exchange{}, err
	}
	w.answer, w.answers = answers[0], answers
	return w.answer, nil
}

// sign gives a call the scenario's own user agent, if it has one and the call
// has none.
func (w *World) sign(c driver.Call) {
	if w.agent != "" && c.Header["User-Agent"] == "" {
		c.Header["User-Agent"] = w.agent
	}
}

// jsonCall is a call to the management API with a JSON body.
func jsonCall(method, path string, body any) (driver.Call, error) {
	c := driver.Call{Peer: driver.Emitter, Method: method, Path: path, Header: map[string]string{"Accept": "application/json"}}
	switch body := body.(type) {
	case nil:
		return c, nil
	case []byte:
		c.Body = body
	default:
		data, err := json.Marshal(body)
		if err != nil {
			return c, fmt.Errorf("encode the body of %s %s: %w", method, path, err)
		}
		c.Body = data
	}
	c.Header["Content-Type"] = "application/json"
	return c, nil
}

// create posts a body and gives the id of what was made. A refusal makes the
// scenario unobserved.
func (w *World) create(ctx context.Context, path string, body any) (string, gjson.Result, error) {
	x, err := w.call(ctx, http.MethodPost, path, body)
	if err != nil {
		return "", gjson.Result{}, err
	}
	r, err := answered(x, judge.Status(http.StatusCreated))
	if err != nil {
		return "", gjson.Result{}, err
	}
	made := gjson.ParseBytes(r.Body)
	id := made.Get("id").String()
	if id == "" {
		return "", made, unobserved("an answer to POST %s without an id", path)
	}
	return id, made, nil
}

// sortedKeys are the keys of a map in an order that is the same every time.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
