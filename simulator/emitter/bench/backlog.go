package bench

import (
	"context"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// backlog lets events accumulate for a suspended subscription and drains them.
func backlog(ctx context.Context, o Options, events int) (b Backlog, err error) {
	r, err := startRig(ctx, o, 1, false)
	if err != nil {
		return b, err
	}
	defer func() {
		if closed := r.close(); err == nil {
			err = closed
		}
	}()
	if err := r.append(ctx, r.environments[0], events); err != nil {
		return b, err
	}
	r.expect(events)
	debug.FreeOSMemory()
	forgetPeak()
	before := allocatedBytes()
	started := time.Now()
	if err := r.enable(ctx, 0); err != nil {
		return b, err
	}
	if err := r.await(ctx); err != nil {
		return b, err
	}
	took := time.Since(started)
	return Backlog{
		Events: events, Took: took, Speed: float64(events) / took.Seconds(),
		Batch: float64(events) / float64(r.bodies.Load()), Partial: int(r.partial.Load()),
		Peak: peak(), Allocated: float64(allocatedBytes()-before) / float64(events),
	}, nil
}

// forgetPeak makes Linux count the peak of the resident memory anew. Where it
// cannot, the peak is that of the whole run, which is no less.
func forgetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// peak is the most memory that was resident, in bytes; 0 if unknown.
func peak() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	n, err := strconv.ParseInt(kilobytes, 10, 64)
	if err != nil {
		return 0
	}
	return n * 1024
}
