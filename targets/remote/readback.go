package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"time"
)

// maxReadBack bounds what is read back at a time, in bytes: the largest that
// a scenario asks for is a few MB.
const maxReadBack = 64 << 20

// HTTPReadBack reads back by a small adapter of the implementer's. It is sent
//
//	POST {URL}
//	Content-Type: application/json
//
//	{"ids":["…","…"]}
//
// and answers 200 with the stored events that have one of these ids, one JSON
// object a line, in the order in which they were stored. An event that is
// stored twice comes twice, one that is not stored (yet) does not come.
type HTTPReadBack struct {
	URL string
	// Headers are sent with every request, such as a token.
	Headers map[string]string
	// Client makes the requests; nil is http.DefaultClient.
	Client *http.Client
}

// Events asks the adapter.
func (h HTTPReadBack) Events(ctx context.Context, ids []string) ([]json.RawMessage, error) {
	body, err := json.Marshal(map[string][]string{"ids": ids})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the address for reading back cannot be requested")
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range h.Headers {
		req.Header.Set(name, value)
	}
	client := h.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the adapter for stored events: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return nil, fmt.Errorf("ask the adapter for stored events: it answers %d, not 200: %s", resp.StatusCode, h.withoutSecrets(string(text)))
	}
	return eventLines(resp.Body)
}

// withoutSecrets is what the adapter says, without the values of the headers
// that were sent to it, whole or without their scheme.
func (h HTTPReadBack) withoutSecrets(text string) string {
	for _, value := range h.Headers {
		_, credentials, _ := strings.Cut(value, " ")
		for _, secret := range []string{value, credentials} {
			if secret != "" {
				text = strings.ReplaceAll(text, secret, "[redacted]")
			}
		}
	}
	return text
}

// CommandReadBack reads back by a command of the implementer's. It gets the
// ids on its standard input, one a line, and prints what [HTTPReadBack]
// describes. No shell comes between: Args are the program and its arguments.
type CommandReadBack struct{ Args []string }

// commandGrace is how long a command that is told to end may take.
const commandGrace = 2 * time.Second

// Events runs the command.
func (c CommandReadBack) Events(ctx context.Context, ids []string) ([]json.RawMessage, error) {
	if len(c.Args) == 0 {
		return nil, errors.New("the command for reading back is empty")
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.WaitDelay = commandGrace
	cmd.Stdin = strings.NewReader(strings.Join(ids, "\n") + "\n")
	out, complaint := bounded{room: maxReadBack, full: end}, bounded{room: maxComplaint, full: func() {}}
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	switch {
	case out.over:
		return nil, fmt.Errorf("run %s to read stored events back: %w", c.Args[0], errTooMuch)
	case err != nil:
		return nil, fmt.Errorf("run %s to read stored events back: %w: %s", c.Args[0], err, bytes.TrimSpace(complaint.text.Bytes()))
	}
	return eventLines(&out.text)
}

var errTooMuch = fmt.Errorf("what was read back is longer than %d bytes; give only the events that are asked for", maxReadBack)

// maxComplaint bounds what is kept of a command's standard error, in bytes.
const maxComplaint = 1000

// bounded keeps what is written to it as long as there is room, and calls full
// when there is no more.
type bounded struct {
	text bytes.Buffer
	room int
	full func()
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	kept, _ := b.text.Write(p[:min(len(p), b.room-b.text.Len())]) // never fails
	if kept < len(p) {
		b.over = true
		b.full()
	}
	return len(p), nil
}

// eventLines are the JSON objects of so many lines.
func eventLines(r io.Reader) ([]json.RawMessage, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxReadBack+1))
	if err != nil {
		return nil, fmt.Errorf("read the stored events: %w", err)
	}
	if len(text) > maxReadBack {
		return nil, errTooMuch
	}
	var events []json.RawMessage
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case line[0] != '{' || !json.Valid(line):
			return nil, fmt.Errorf("line %d of what was read back is no JSON object; one event a line is expected", number)
		default:
			events = append(events, line)
		}
	}
	return events, nil
}
