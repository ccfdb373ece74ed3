package emitter

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hookproof/hookproof/simulator/emitter/membership"
	"github.com/hookproof/hookproof/simulator/emitter/seed"
)

// plant adds the seed of the options to the directory.
func (e *Emitter) plant(ctx context.Context) error {
	if e.options.Seed == nil {
		return nil
	}
	loaded, err := seed.Load(ctx, e.directory, *e.options.Seed)
	if err != nil {
		return err
	}
	e.options.Log.Info("seed loaded", "file", e.options.Seed.Name, "environments", loaded.Environments)
	for _, known := range loaded.Known {
		e.options.Log.Info("environment of the seed is there already and was left as it is", "environment", known)
	}
	return nil
}

// Export writes what an emitter with these options would begin with as a seed:
// what is kept in Dir, and the options' own Seed. It serves nothing, delivers
// nothing and makes no client. Secrets are written only when asked for.
func Export(ctx context.Context, o Options, w io.Writer, secrets bool) (err error) {
	if o, err = o.filled(); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	e := newEmitter(o)
	if err = e.openStorage(ctx, membership.Options{Idle: true, Log: o.Log}); err == nil {
		if err = e.firstAlone(ctx, e.openDirectory); err == nil {
			err = seed.Write(w, e.directory, secrets)
		}
	}
	if err = errors.Join(err, e.Close()); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}
