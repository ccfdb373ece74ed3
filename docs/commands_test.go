package docs_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// pageWithin is how long the commands of a page may take on a busy machine.
const pageWithin = 5 * time.Minute

// TestEveryCommandRuns pastes the commands of each page, block after block,
// into a shell in a folder of their own, as a reader would. Variables carry
// over. What is not run, or not quite so, stands in exceptions.
func TestEveryCommandRuns(t *testing.T) {
	t.Parallel()
	bin := build(t)
	var met []exception
	t.Run("pages", func(t *testing.T) {
		var mu sync.Mutex
		for _, p := range pages(t) {
			t.Run(strings.ReplaceAll(p.name, "/", ":"), func(t *testing.T) {
				t.Parallel()
				used := newReader(t, bin).paste(p)
				mu.Lock()
				defer mu.Unlock()
				met = append(met, used...)
			})
		}
	})
	for _, e := range exceptions {
		if !t.Failed() && !slices.Contains(met, e) {
			t.Errorf("no block of %s begins with %q: take it off the exceptions", e.page, e.begins)
		}
	}
}

// build makes the programs that the commands name.
func build(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	for _, args := range [][]string{
		{"build", "-race=false", "-o", bin + "/hookproof", "./cmd/hookproof"},
		{"build", "-C", "examples", "-race=false", "-o", bin + "/example-emitter", "./emitter"},
		{"build", "-C", "examples", "-race=false", "-o", bin + "/example-receiver", "./receiver"},
	} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}
	return bin
}

// A reader pastes commands in a folder of their own.
type reader struct {
	t        *testing.T
	bin, dir string
	ports    map[string]string
}

func newReader(t *testing.T, bin string) *reader {
	r := &reader{t: t, bin: bin, dir: t.TempDir(), ports: map[string]string{}}
	for name, is := range map[string]string{
		"hookproof": "hookproof", "dist/example-emitter": "example-emitter", "dist/example-receiver": "example-receiver",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(r.dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(bin, is), filepath.Join(r.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// paste runs the blocks of a page until one fails, and returns the exceptions
// that were met.
func (r *reader) paste(p page) (met []exception) {
	r.t.Helper()
	for _, b := range p.blocks {
		if b.file != "" {
			if err := os.WriteFile(filepath.Join(r.dir, b.file), []byte(r.here(b.text)), 0o644); err != nil {
				r.t.Fatal(err)
			}
		}
		if b.language != "sh" {
			continue
		}
		var e exception
		for _, x := range exceptions {
			if x.page == b.page && strings.HasPrefix(b.text, x.begins) {
				e, met = x, append(met, x)
			}
		}
		begun := time.Now()
		switch {
		case e.notRun:
		case e.serves != "":
			r.serve(b, e)
		default:
			r.run(b, e)
		}
		r.t.Logf("%s: %s", b, time.Since(begun).Round(time.Millisecond))
	}
	return met
}

// inPlaceOf are the ways to start the programs that the reader has built.
var inPlaceOf = strings.NewReplacer(
	"go run ./cmd/hookproof", "hookproof",
	"go tool hookproof", "hookproof",
	"go build -o hookproof ./cmd/hookproof", ":",
	"go run ./emitter", "example-emitter",
	"go run ./receiver", "example-receiver",
	"go build -C examples -o ../dist/example-emitter ./emitter", ":",
	"go build -C examples -o ../dist/example-receiver ./receiver", ":",
)

// aPort is one that a page has chosen.
var aPort = regexp.MustCompile(`(127\.0\.0\.1|localhost):(\d{4})\b`)

// here is a text with the programs that are built, and with ports that are
// free.
func (r *reader) here(text string) string {
	return aPort.ReplaceAllStringFunc(inPlaceOf.Replace(text), func(address string) string {
		host, port, _ := strings.Cut(address, ":")
		if r.ports[port] == "" {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				r.t.Fatal(err)
			}
			_, r.ports[port], _ = net.SplitHostPort(l.Addr().String())
			l.Close()
		}
		return host + ":" + r.ports[port]
	})
}

// shell is a block as a command that carries its variables on to the next.
func (r *reader) shell(ctx context.Context, b block, e exception) *exec.Cmd {
	script := "set -a\n[ ! -e .shell ] || . ./.shell\n"
	for _, v := range strings.Fields(e.variables) {
		script += "export " + v + "\n"
	}
	script += "set -eu -o pipefail\n" + r.here(b.text) + "\n"
	for _, v := range strings.Fields(e.variables) {
		script += "unset " + strings.SplitN(v, "=", 2)[0] + "\n"
	}
	script += "export -p | grep -v ' PWD=\\| OLDPWD=\\| SHLVL=' > .shell\n"
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = r.dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "HOOKPROOF_") }),
		"PATH="+r.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "GOFLAGS="+os.Getenv("GOFLAGS")+" -race=false")
	// What a block leaves running ends with its page.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

func (r *reader) run(b block, e exception) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), pageWithin)
	defer cancel()
	cmd := r.shell(ctx, b, e)
	out, err := cmd.CombinedOutput()
	code := cmd.ProcessState.ExitCode()
	if code != e.code || !strings.Contains(string(out), e.prints) {
		r.t.Fatalf("%s: exit code %d (%v), want %d and %q\n%s\n%s", b, code, err, e.code, e.prints, b.text, out)
	}
}

// serve starts a block that goes on until the page ends, and waits for what it
// prints when it is ready.
func (r *reader) serve(b block, e exception) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.t.Context()), pageWithin)
	cmd := r.shell(ctx, b, e)
	printed := &watched{until: e.serves, seen: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = printed, printed
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	r.t.Cleanup(func() {
		cancel()
		<-ended
		if r.t.Failed() {
			r.t.Logf("%s printed\n%s", b, printed.String())
		}
	})
	select {
	case <-printed.seen:
	case err := <-ended:
		ended <- err
		r.t.Fatalf("%s: ended (%v) before it printed %q\n%s", b, err, e.serves, printed.String())
	}
}

// watched is what a server prints.
type watched struct {
	until string
	seen  chan struct{} // closed when until was printed

	mu   sync.Mutex
	text string
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := strings.Contains(w.text, w.until)
	w.text += string(p)
	if !before && strings.Contains(w.text, w.until) {
		close(w.seen)
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text
}
