package image

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/testcontainers/testcontainers-go/wait"
)

// answering waits until a container answers at an address of this machine.
// The strategy that testcontainers has for it looks for the host that Docker
// runs on; ports are published on loopback here.
type answering struct {
	url       string
	method    string      // empty: GET
	bearer    string      // goes with the request, if not empty
	anyStatus bool        // otherwise 200
	tls       *tls.Config // of an https URL
}

const (
	pollEvery  = 50 * time.Millisecond
	pollWithin = 2 * time.Second
)

// WaitUntilReady returns once the container has answered; an error says what
// came last.
func (a answering) WaitUntilReady(ctx context.Context, container wait.StrategyTarget) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	last := "nothing"
	for {
		status, err := a.ask(ctx)
		switch {
		case status == http.StatusOK, status != 0 && a.anyStatus:
			return nil
		case err != nil && ctx.Err() == nil:
			last = err.Error()
		case status != 0:
			last = fmt.Sprintf("status %d", status)
		}
		if state, err := container.State(ctx); err == nil && !state.Running {
			return fmt.Errorf("it ended with exit code %d", state.ExitCode)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s %s was not answered in time as it must be: %s", cmp.Or(a.method, http.MethodGet), a.url, last)
		case <-tick.C:
		}
	}
}

func (a answering) ask(ctx context.Context) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, pollWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, cmp.Or(a.method, http.MethodGet), a.url, nil)
	if err != nil {
		return 0, err
	}
	if a.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+a.bearer)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: a.tls}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, err
}
