package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
)

// afterwardsStep is what a transcript calls what is done once the steps of a
// scenario have ended.
const afterwardsStep = "afterwards"

// afterwards is done once the steps have ended. Where they passed, whatever
// came to the receivers is judged by the promises that hold for every
// delivery. Where something did not come, the target is asked whether it
// still answers at all: one that has died breaks no promise about delivery. So
// it is where it failed at something that it claims to serve.
func (r *recording) afterwards(ctx context.Context, w *World) error {
	ctx, cancel := context.WithTimeout(ctx, w.deadlines.Call)
	defer cancel()
	failure, broken := asFailure(r.err)
	_, claimed := asUnserved(r.err)
	switch {
	case r.err == nil && w.judgements.Load() == 0:
		return errors.New("no step of the scenario judges anything")
	case r.err == nil:
		return r.judgeEverything(ctx, w)
	case broken && failure.Absent(), claimed, faulted(w.driver.Transcript()):
		return r.knock(ctx, w)
	}
	return nil
}

// judgeEverything takes in what has come to the receivers until now, or what
// the receiver under test has stored, and judges all of it.
func (r *recording) judgeEverything(ctx context.Context, w *World) error {
	if w.driver.Transcript().Hook != nil {
		if err := w.readBackTaken(ctx); err != nil {
			return fmt.Errorf("afterwards, %w", err)
		}
		r.broken = judge.HookInvariants(w.driver.Transcript())
		return nil
	}
	if len(w.endpoints) == 0 {
		return nil
	}
	w.driver.Step(afterwardsStep)
	for _, name := range slices.Sorted(maps.Keys(w.endpoints)) {
		if err := w.look(ctx, name); err != nil {
			return fmt.Errorf("look at receiver %q afterwards: %w", name, err)
		}
	}
	r.broken = judge.Invariants(w.driver.Transcript(), judge.Times{Hold: w.deadlines.Hold, Tolerance: w.deadlines.HoldTolerance})
	return nil
}

// knock asks the target whether it still answers: a receiver for a
// connection, an emitter for the environment of the suite's credentials.
func (r *recording) knock(ctx context.Context, w *World) error {
	w.driver.Step(afterwardsStep)
	if w.driver.Transcript().Hook != nil {
		x, err := w.driver.Do(ctx, driver.Call{Peer: driver.Hook, Method: http.MethodHead, Path: driver.HookPath, Way: &driver.Way{}})
		if err == nil && !x.Link.Connected {
			r.silent = x.Error
		}
		return err
	}
	x, err := w.driver.Do(ctx, driver.Call{
		Peer: driver.Emitter, Method: http.MethodGet, Path: "/v1/environments/" + w.driver.Transcript().Environment,
		Header: map[string]string{"Accept": "application/json"},
	})
	switch {
	case err != nil:
		return fmt.Errorf("ask whether the target still answers: %w", err)
	case x.Response == nil:
		r.silent = x.Error
	case x.Response.Status/100 == 5:
		r.silent = fmt.Sprintf("status %d", x.Response.Status)
	}
	return nil
}
