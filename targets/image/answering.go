package image

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"syscall"
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
			last = cause(err)
		case status != 0:
			last = fmt.Sprintf("status %d", status)
		}
		if state, err := container.State(ctx); err == nil && !state.Running {
			return fmt.Errorf("it ended with exit code %d", state.ExitCode)
		}
		select {
		case <-ctx.Done():
			return errors.New(a.late(last))
		case <-tick.C:
		}
	}
}

// late says that no right answer came, and what the last try came to.
func (a answering) late(last string) string {
	with := " with status 200"
	if a.anyStatus {
		with = ""
	}
	return fmt.Sprintf("%s %s was not answered%s in time; the last try came to %s", cmp.Or(a.method, http.MethodGet), a.url, with, last)
}

// cause is what a request failed of, without the address, which is said once.
func cause(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	// Docker takes connections to a published port where nothing listens behind it.
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return "a connection that was closed without an answer, as where nothing listens on the port in the container"
	}
	return err.Error()
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
