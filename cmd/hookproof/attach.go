package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/hookproof/hookproof"
)

// pauses prints before each scenario how to attach a debugger, and waits for a
// line from in. A line that is typed before it is asked for counts for the next
// pause.
func pauses(in io.Reader, out io.Writer) func(context.Context, hookproof.Paused) error {
	lines := make(chan struct{})
	// The reader begins with the first pause, and reads ahead by one line. A
	// read from a terminal cannot be interrupted: it ends with the program.
	var begin sync.Once
	read := func(ctx context.Context) {
		defer close(lines)
		for scanner := bufio.NewScanner(in); scanner.Scan(); {
			select {
			case lines <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}
	return func(ctx context.Context, p hookproof.Paused) error {
		begin.Do(func() { go read(ctx) })
		fmt.Fprint(out, instructions(p))
		select {
		case _, more := <-lines:
			if !more {
				return errors.New("the standard input has ended, so nobody can say when to go on; use --attach in a terminal")
			}
			return nil
		case <-ctx.Done():
			return errors.New("the run was ended")
		}
	}
}

// instructions say what to do with a debugger at a pause.
func instructions(p hookproof.Paused) string {
	text := fmt.Sprintf("\nPaused before %s", p.Scenario)
	if p.Nth > 1 {
		text += fmt.Sprintf(", run %d", p.Nth)
	}
	text += fmt.Sprintf(`
  this process   %d; it drives the scenario, and is the embedded emitter and the receiver simulator
  debugger       dlv attach %[1]d
  breakpoint     break github.com/hookproof/hookproof/steps.Run
`, os.Getpid())
	for _, a := range []struct{ what, address string }{
		{"emitter", p.System.Emitter.API}, {"tokens", p.System.Emitter.Auth}, {"control", p.System.Emitter.Control}, {"receiver", p.System.Receiver.Inspect},
	} {
		if a.address != "" {
			text += fmt.Sprintf("  %-14s %s\n", a.what, a.address)
		}
	}
	text += "An emitter of your own is debugged in its own process; these are the addresses at which it is met.\n"
	return text + "Press Enter to begin the scenario, Ctrl-C to end the run.\n"
}
