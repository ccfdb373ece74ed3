package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hookproof/hookproof/simulator/receiver/bench"
)

// commandOfChild has the test binary be the command with these arguments.
const commandOfChild = "TEST_OF_HOOKPROOF_COMMAND"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == reaperName { // a run has started it, which is this test binary too
		main()
	}
	if arguments := os.Getenv(commandOfChild); arguments != "" {
		os.Args = append(os.Args[:1], strings.Fields(arguments)...)
		main()
	}
	os.Exit(m.Run())
}

// However much comes, the process stays within the configured bound plus
// 64 MB. The load is what an hour of a great batch every four seconds brings.
func TestReceiverStaysWithinItsMemory(t *testing.T) {
	if underRace {
		t.Skip("the race detector multiplies the memory that is to be measured; run without -race")
	}
	const bound, beside = 64 << 20, 64 << 20
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), fmt.Sprintf("%s=receiver --max-bytes %d", commandOfChild, bound))
	child.Stderr = os.Stderr
	printed, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait() // it was killed
	}()
	peak := fmt.Sprintf("/proc/%d/status", child.Process.Pid)
	if _, err := os.Stat(peak); err != nil {
		t.Skip("there is no /proc here to read the memory from")
	}
	hook := ""
	for out := bufio.NewScanner(printed); hook == "" && out.Scan(); {
		if mode, url, ok := strings.Cut(strings.TrimSpace(out.Text()), " "); ok && mode == "trusted" {
			hook = strings.TrimSpace(url)
		}
	}
	if hook == "" {
		t.Fatal("the command printed no hook")
	}
	go func() { _, _ = io.Copy(io.Discard, printed) }() // ends with the child

	body := bench.Body(600_000)
	var posting sync.WaitGroup
	for range 4 {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		posting.Go(func() {
			defer client.CloseIdleConnections()
			for range 900 / 4 {
				response, err := client.Post(hook, "application/json", bytes.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				response.Body.Close()
			}
		})
	}
	posting.Wait()
	status, err := os.ReadFile(peak)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatalf("no peak in %s", status)
	}
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("at most %d MB, with %d MB configured", kilobytes<<10>>20, bound>>20)
	if kilobytes<<10 > bound+beside {
		t.Errorf("it took %d MB, more than %d and %d", kilobytes<<10>>20, bound>>20, beside>>20)
	}
}
