//go:build linux

package emitter_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter"
)

// smallDisk is a disk of its own, of the given number of MiB.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	switch err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", size)); err {
	case nil:
	case syscall.EPERM, syscall.EACCES:
		t.Skip("a small disk can be mounted by root only")
	default:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill leaves no byte on the disk; the file that it returns takes the room.
func fill(t *testing.T, disk string) (file string) {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, "others"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for piece := 1 << 20; piece > 0; {
		if _, err := f.Write(make([]byte, piece)); err != nil {
			piece /= 2
		}
	}
	return f.Name()
}

func TestAFullDiskRefusesAndLosesNothing(t *testing.T) {
	t.Parallel()
	const perPost = 1000
	for name, filled := range map[string]func(t *testing.T, disk string, c *client) (next int, free func()){
		"by events": func(t *testing.T, disk string, c *client) (int, func()) {
			ballast := filepath.Join(disk, "others")
			if err := os.WriteFile(ballast, make([]byte, 24<<20), 0o600); err != nil {
				t.Fatal(err)
			}
			next := 0
			for c.post(next, perPost) {
				if next += perPost; next > 1_000_000 {
					t.Fatal("the disk never became full")
				}
			}
			return next, func() { remove(t, ballast) }
		},
		"by others, to the last byte": func(t *testing.T, disk string, c *client) (int, func()) {
			if !c.post(0, perPost) {
				t.Fatal("events were refused while there was room")
			}
			ballast := fill(t, disk)
			if c.post(perPost, perPost) {
				t.Fatal("events were accepted without room for them")
			}
			return perPost, func() { remove(t, ballast) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := smallDisk(t, 64)
			e, c := start(t, emitter.Options{Dir: filepath.Join(disk, "data")})
			c = c.environment("small")
			r := receive(t, nil)
			c.subscribe(r.URL, nil)

			accepted, free := filled(t, disk, c)
			status, body := c.do(http.MethodPost, c.control+"/control/environments/"+c.env+"/events", "application/x-ndjson",
				`{"action":{"type":"USER.CREATED"},"result":{"status":"SUCCESS","id":"0"},"resources":[]}`)
			if status != http.StatusInsufficientStorage {
				t.Errorf("an event without room for it gave %d %s", status, body)
			}
			status, body = c.do(http.MethodPost, c.api+c.path("/populations"), "application/json", `{"name":"no room"}`)
			if status != http.StatusInternalServerError {
				t.Errorf("a population without room for it gave %d %s", status, body)
			}
			if status, body := c.do(http.MethodGet, c.api+"/readyz", "", ""); status != http.StatusServiceUnavailable || !strings.Contains(body, "full") {
				t.Errorf("without room the emitter says %d %s of its readiness", status, body)
			}

			free()
			for deadline := time.Now().Add(patience); !c.post(accepted, perPost); {
				if time.Now().After(deadline) {
					t.Fatal("events are refused although there is room again")
				}
			}
			c.must(http.StatusCreated, http.MethodPost, c.path("/populations"), `{"name":"no room"}`)
			c.must(http.StatusOK, http.MethodGet, "/readyz", "")
			want := counted(0, accepted+perPost)
			r.untilNumbers(t, want)

			// What was acknowledged is on the disk, too.
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			_, again := start(t, emitter.Options{Dir: filepath.Join(disk, "data")})
			again.env = c.env
			if !again.post(accepted+perPost, 1) {
				t.Fatal("events are refused after a restart")
			}
			r.untilNumbers(t, counted(0, accepted+perPost+1))
		})
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}
