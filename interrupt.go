package hookproof

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/hookproof/hookproof/targets"
)

// interruptible gives a context for a run in a process that is not the suite's
// own. An interrupt, or a SIGTERM, ends the run before the process where the
// target is somebody's at a URL: what the run has made there is removed, and its
// report written.
//
// Whoever has called it calls ended when the run has: the process then ends by
// that signal, once no other run in it has things to remove, unless others in it
// handle the signal too. Until then, further signals are not heeded; SIGQUIT ends
// the process at once.
func interruptible(ctx context.Context, target targets.Info) (run context.Context, ended func()) {
	if target.Kind != "url" || target.Role == targets.RoleReceiver {
		return ctx, func() {}
	}
	run, cancel := context.WithCancel(ctx)
	heeded := slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGTERM}, signal.Ignored)
	if len(heeded) == 0 {
		return run, cancel
	}
	signals, done, stopped := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	var by os.Signal
	signal.Notify(signals, heeded...)
	go func() {
		defer close(stopped)
		select {
		case by = <-signals:
			fmt.Fprintln(os.Stderr, "\nhookproof: the run is being ended: what it made is removed, and the reports are written.")
			cancel()
		case <-done:
		}
	}()
	return run, func() {
		close(done)
		<-stopped
		signal.Stop(signals)
		cancel()
		if by == nil {
			return
		}
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Signal(by) // where there are no signals, as on Windows, the tests go on
		}
	}
}
