package emitter

import (
	"context"
	"fmt"

	"github.com/hookproof/hookproof/simulator/emitter/membership"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

// beginning is what a process claims while it makes what an emitter has from
// its beginning, so that emitters that start together make it once.
const beginning = "beginning"

// openStorage opens what keeps everything; in a cluster, it makes this process
// known to the others.
func (e *Emitter) openStorage(ctx context.Context, o membership.Options) (err error) {
	e.storage, err = storage.Open(ctx, storage.Options{Dir: e.options.Dir, Sync: e.options.Sync, Cluster: e.options.Cluster, Log: e.options.Log})
	if err != nil || e.options.Cluster == nil {
		return err
	}
	e.members, err = membership.Join(ctx, e.storage.Place(), o)
	return err
}

// firstAlone does what no other process may do at the same time.
func (e *Emitter) firstAlone(ctx context.Context, do func(context.Context) error) error {
	if e.members == nil {
		return do(ctx)
	}
	if _, err := e.members.Take(ctx, beginning); err != nil {
		return fmt.Errorf("wait for other emitters that are starting: %w", err)
	}
	if err := do(ctx); err != nil {
		return err // the claim ends with the process
	}
	return e.members.Release(ctx, beginning)
}

// shares is how the subscriptions are divided; nil when nobody else is there.
func (e *Emitter) shares() pipeline.Shares {
	if e.members == nil {
		return nil
	}
	return e.members
}

// reshare lets the dispatcher follow who comes and goes.
func (e *Emitter) reshare() {
	if e.members != nil {
		e.members.Changed(e.dispatcher.Reshared)
		e.dispatcher.Reshared() // of what changed before
	}
}

// retire leaves to others what falls to this process.
func (e *Emitter) retire() error {
	if e.members == nil || e.members.Err() != nil {
		return nil // the others have taken it already
	}
	return e.members.Retire(context.Background())
}
