package docs_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hookproof/hookproof/internal/docker"
	"github.com/hookproof/hookproof/internal/ports"
)

// pageWithin is how long the commands of a page may take on a busy machine.
const pageWithin = 5 * time.Minute

// atOnce is how many pages are tested at once; they wait more than they work.
const atOnce = 4

// TestEveryCommandRuns pastes the commands of each page, block after block,
// into a shell in a folder of their own, as a reader would. Variables carry
// over. What is not run, or not quite so, stands in exceptions; all that is
// below docs/ is run.
func TestEveryCommandRuns(t *testing.T) {
	t.Parallel()
	made := build(t)
	var met []exception
	ran := map[string]bool{}
	t.Run("pages", func(t *testing.T) {
		var mu sync.Mutex
		var all errgroup.Group
		all.SetLimit(atOnce)
		for _, p := range pages(t) {
			all.Go(func() error {
				t.Run(strings.ReplaceAll(p.name, "/", ":"), func(t *testing.T) {
					used := newReader(t, made).paste(p)
					mu.Lock()
					defer mu.Unlock()
					met, ran[p.name] = append(met, used...), true
				})
				return nil
			})
		}
		_ = all.Wait() // each tells t
	})
	for _, e := range exceptions {
		if ran[e.page] && !t.Failed() && !slices.Contains(met, e) {
			t.Errorf("no block of %s begins with %q: take it off the exceptions", e.page, e.begins)
		}
		if e.notRun && strings.HasPrefix(e.page, "docs/") {
			t.Errorf("%s: %q is not run", e.page, e.begins)
		}
	}
}

// A reader pastes commands in a folder of their own.
type reader struct {
	t     *testing.T
	made  made
	dir   string
	ports map[string]string

	containers sync.Once
}

func newReader(t *testing.T, m made) *reader {
	r := &reader{t: t, made: m, dir: t.TempDir(), ports: map[string]string{}}
	err := filepath.WalkDir(m.tree, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := r.dir + strings.TrimPrefix(file, m.tree)
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		return os.Link(file, to)
	})
	if err != nil {
		t.Fatal(err)
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
			continue
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
		if e.notRun {
			continue
		}
		went := r.t.Run(fmt.Sprintf("line %d", b.line), func(t *testing.T) {
			if e.docker != "" {
				docker.Require(t, strings.Fields(e.docker)...)
				r.containers.Do(r.haveContainers)
			}
			if e.serves != "" {
				r.serve(t, b, e)
			} else {
				r.run(t, b, e)
			}
		})
		if !went {
			break
		}
	}
	return met
}

// aPort is one that a page has chosen.
var aPort = regexp.MustCompile(`(127\.0\.0\.1|localhost):(\d{4})\b`)

// here is a text with the programs that are built, and with ports that are
// free.
func (r *reader) here(text string) string {
	return aPort.ReplaceAllStringFunc(inPlaceOf.Replace(text), func(address string) string {
		host, port, _ := strings.Cut(address, ":")
		if r.ports[port] == "" {
			free, err := ports.Free()
			if err != nil {
				r.t.Fatal(err)
			}
			r.ports[port] = strconv.Itoa(free)
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
	script += "set -eu -o pipefail\n" + e.first + "\n" + r.here(b.text) + "\n"
	for _, v := range strings.Fields(e.variables) {
		script += "unset " + strings.SplitN(v, "=", 2)[0] + "\n"
	}
	script += "export -p | grep -v ' PWD=\\| OLDPWD=\\| SHLVL=' > \"$PAGE/.shell\"\n"
	cmd := r.command(ctx, script)
	cmd.Stdin = strings.NewReader(e.typed)
	return cmd
}

// command is a script in the reader's folder.
func (r *reader) command(ctx context.Context, script string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = r.dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "HOOKPROOF_") }),
		"PATH="+strings.Join([]string{r.dir, r.dir + "/dist", r.dir + "/bin", os.Getenv("PATH")}, ":"), "GOBIN="+r.dir+"/bin",
		"GOFLAGS="+os.Getenv("GOFLAGS")+" -race=false", "CLONE="+r.made.clone, "MODULE="+r.made.module, "PAGE="+r.dir)
	// What a block leaves running ends with its page.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

func (r *reader) run(t *testing.T, b block, e exception) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), pageWithin)
	defer cancel()
	r.removeAfter(b, e)
	cmd := r.shell(ctx, b, e)
	out, err := cmd.CombinedOutput()
	code := cmd.ProcessState.ExitCode()
	if code != e.code || !strings.Contains(string(out), e.prints) {
		t.Fatalf("%s: exit code %d (%v), want %d and %q\n%s\n%s", b, code, err, e.code, e.prints, b.text, out)
	}
}

// serve starts a block that goes on until the page ends, and waits for what it
// prints when it is ready.
func (r *reader) serve(t *testing.T, b block, e exception) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), pageWithin)
	r.removeAfter(b, e)
	cmd := r.shell(ctx, b, e)
	printed := &watched{until: e.serves, seen: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = printed, printed
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
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
		t.Fatalf("%s: ended (%v) before it printed %q\n%s", b, err, e.serves, printed.String())
	}
}

// haveContainers lets no other page have containers until this one has ended:
// pages build from the same layers, and remove them.
func (r *reader) haveContainers() {
	r.made.containers.Lock()
	r.t.Cleanup(r.made.containers.Unlock)
}

// removeAfter removes, when the page has ended, what a block leaves outside of
// the reader's folder.
func (r *reader) removeAfter(b block, e exception) {
	if e.after == "" {
		return
	}
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), pageWithin)
		defer cancel()
		if out, err := r.command(ctx, e.after).CombinedOutput(); err != nil && !r.t.Failed() {
			r.t.Errorf("%s: %s: %v\n%s", b, e.after, err, out)
		}
	})
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
