package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hookproof/hookproof/simulator/emitter"
	"github.com/hookproof/hookproof/simulator/emitter/seed"
)

// openSeed opens the seed; files that it names are found from where it is.
func (flags emitterFlags) openSeed(o *emitter.Options) (func() error, error) {
	if flags.secrets && flags.export == "" {
		return nil, usageError("--export-secrets needs --export")
	}
	if flags.seed == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Open(flags.seed)
	if err != nil {
		return nil, usageError("--seed: %v", err)
	}
	o.Seed = &seed.File{Name: flags.seed, Content: file, Open: func(name string) (io.ReadCloser, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(flags.seed), name)
		}
		return os.Open(name)
	}}
	return file.Close, nil
}

// blameSeed makes a seed that is not valid a mistake of whoever called.
func blameSeed(err error) error {
	var invalid *seed.Invalid
	if errors.As(err, &invalid) {
		return usageError("--seed: %v", invalid)
	}
	return err
}

// exportTo writes a file that only its owner can read, and only when it is
// whole.
func (flags emitterFlags) exportTo(ctx context.Context, out io.Writer, o emitter.Options) error {
	if o.Dir == "" && o.Cluster == nil && o.Seed == nil {
		return usageError("--export: there is nothing to export; say with --data or --nats where it is, or give a --seed")
	}
	var text bytes.Buffer
	if err := emitter.Export(ctx, o, &text, flags.secrets); err != nil {
		return err
	}
	if flags.export == "-" {
		_, err := out.Write(text.Bytes())
		return err
	}
	// A new file takes the place of an old one, which others might read.
	file, err := os.CreateTemp(filepath.Dir(flags.export), ".export-*")
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	_, err = file.Write(text.Bytes())
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), flags.export)
	}
	if err != nil {
		return fmt.Errorf("export: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}
