package remote

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/hookproof/hookproof/internal/secrets"
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
		// More than is shown, so that no secret is cut before it is found.
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 10*maxComplaint))
		said := withoutSecrets(string(text), h.Secrets())
		return nil, fmt.Errorf("ask the adapter for stored events: it answers %d, not 200%s", resp.StatusCode, complaint(said[:min(len(said), maxComplaint)]))
	}
	return eventLines(resp.Body)
}

// Secrets are the values of the headers that are sent, whole and without their
// scheme.
func (h HTTPReadBack) Secrets() []string {
	var list []string
	for _, value := range h.Headers {
		list = append(list, value)
		if _, credentials, ok := strings.Cut(value, " "); ok {
			list = append(list, credentials)
		}
	}
	return list
}

// complaint is what somebody said, as the end of an error; empty if it was
// nothing.
func complaint(said string) string {
	if said = strings.TrimSpace(said); said == "" {
		return ""
	}
	return ": " + said
}

// withoutSecrets is what somebody says, without the secrets, however short,
// and without the forms of those that are long enough to have some.
func withoutSecrets(text string, known []string) string {
	var all []string
	for _, secret := range known {
		if secret == "" {
			continue
		}
		all = append(all, secret)
		if len(secret) >= shortestWithForms {
			for _, form := range secrets.Forms(secret) {
				all = append(all, form.Text)
			}
		}
	}
	// The longest first, as one may hold another.
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, secret := range all {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	return text
}

// shortestWithForms is the least length of a secret, in bytes, whose forms are
// taken out of a complaint: those of a shorter one are in any text.
const shortestWithForms = 4

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
	out, said := bounded{room: maxReadBack, full: end}, bounded{room: maxComplaint, full: func() {}}
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	switch {
	case out.over:
		return nil, fmt.Errorf("run %s to read stored events back: %w", c.Args[0], errTooMuch)
	case err != nil:
		return nil, fmt.Errorf("run %s to read stored events back: %w%s", c.Args[0], err, complaint(withoutSecrets(said.text.String(), c.private())))
	}
	return eventLines(&out.text)
}

// private are the arguments that may hold a password, and so may not be
// repeated: all but the names of options and of files that are there. Of an
// option with a value it is the value, of a URL the password too.
func (c CommandReadBack) private() []string {
	var list []string
	for _, arg := range c.Args[1:] {
		name, value, assigned := strings.Cut(arg, "=")
		if u, err := url.Parse(arg); err == nil && u.User != nil {
			password, _ := u.User.Password()
			list = append(list, arg, password)
			continue
		}
		if assigned && !strings.ContainsAny(name, " :/") {
			arg = value
		} else if strings.HasPrefix(arg, "-") {
			continue
		}
		if _, err := os.Stat(arg); err != nil && len(arg) >= shortestWithForms {
			list = append(list, arg)
		}
	}
	return list
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
