// Package driver is the one way by which steps reach the target and the
// opposite end. It records everything it does in the scenario's transcript,
// secrets already replaced by marks, and gives steps exactly what it
// recorded: so the same steps can be run again on a stored transcript,
// without any target.
//
// Nothing here judges.
package driver

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"crypto/sha256"

	"github.com/hookproof/hookproof/steps/transcript"
)

// Peers that a call can go to. Where a receiver is tested, the emitter is the
// reference, which delivers to it.
const (
	Emitter  = "emitter"  // the management API of the emitter
	Auth     = "auth"     // its token endpoints
	Control  = "control"  // its control API
	Receiver = "receiver" // the inspection API of the receiver simulator
	Trigger  = "trigger"  // the implementer's own address that makes events happen

	Hook     = "hook"      // the receiver under test, met by the driver itself
	ReadBack = "read-back" // what the receiver under test has stored; the body is the ids, one a line
)

// ErrDiverged is wrapped by every error that says that a replay asked for
// something else than what was recorded: the steps have changed since, or
// the transcript has been altered.
var ErrDiverged = errors.New("replay diverged from the transcript")

// Call is an HTTP request to one of the peers.
type Call struct {
	Peer   string
	Method string
	Path   string // path and query, such as "/v1/environments"
	Header map[string]string
	Body   []byte
	// Form makes the body multipart/form-data; Body is ignored then.
	Form []Field
	// Authorization overrides the Authorization header that the suite's own
	// credentials give; "none" sends no such header. A mark in it stands for
	// the secret that an earlier answer of this scenario told.
	Authorization string
	// As authenticates the call by HTTP Basic, as clients do that ask for a
	// token, in place of Authorization.
	As *Credentials
	// Way is how a Hook is met.
	Way *Way
	// Within is how long a ReadBack waits until all that is asked for is
	// there.
	Within time.Duration
}

// Credentials are those of an API client. The zero value is the client that
// the suite acts as.
type Credentials struct {
	ID string
	// Secret is the mark of a secret that an earlier answer told.
	Secret string
}

// Field is one part of a multipart body. A part with a FileName is a file.
type Field struct {
	Name, FileName string
	Value          []byte
	Secret         bool // recorded as a mark only
}

// Backend does what a driver is asked to: against real systems, or out of a
// stored transcript.
type Backend interface {
	// Exchange makes the calls side by side and returns what came of each,
	// in the order of the calls.
	Exchange(ctx context.Context, calls []Call) ([]transcript.Entry, error)
	// Watch looks once at an endpoint for what is new, waiting up to wait
	// for something of the kind asked for.
	Watch(ctx context.Context, look Look) (transcript.Entry, error)
	// Fact makes, or remembers, something the seed cannot make again.
	Fact(name string, produce func() (any, error)) (transcript.Entry, error)
	// Now is the time of an entry that no peer has made.
	Now() time.Time
}

// Look is one look at an endpoint.
type Look struct {
	Endpoint                       *Endpoint
	AfterDelivery, AfterConnection int
	Connections                    bool // wait for a connection, not for a delivery
	Wait                           time.Duration
	Last                           bool // the deadline ends with this look
}

// Driver records one scenario.
type Driver struct {
	backend Backend
	random  *rand.Rand
	run     string // in the names that are made up
	redact  transcript.Redactor
	tried   map[string]int // the attempts that were seen, by subscription

	mu  sync.Mutex
	log *transcript.Transcript
}

// New makes a driver that records into log, whose header (scenario, seed,
// salt, addresses) the caller has filled in.
func New(backend Backend, log *transcript.Transcript) *Driver {
	seed := sha256.Sum256([]byte(log.Seed + "/" + log.Scenario))
	return &Driver{backend: backend, log: log, run: Run(log.Seed), random: rand.New(rand.NewChaCha8(seed)), tried: map[string]int{}, redact: transcript.NewRedactor(log.Salt)}
}

// Transcript is what has been recorded so far.
func (d *Driver) Transcript() *transcript.Transcript { return d.log }

// Random is the scenario's own source of made-up values. It gives the same
// in a replay, as long as steps ask in the same order.
func (d *Driver) Random() *rand.Rand { return d.random }

// Mark is how the given secret appears in the transcript.
func (d *Driver) Mark(secret string) string { return d.redact.Mark(secret) }

// Name makes up a name that is unique to the scenario and easily recognized
// as the suite's, and as this run's.
func (d *Driver) Name(kind string) string {
	return fmt.Sprintf("hookproof-%s-%s-%08x", d.run, kind, d.random.Uint32())
}

// Nowhere is the URL of subscriptions to which nothing is to be delivered; RFC
// 2606 keeps its host from ever existing. It tells whose a subscription is that
// a scenario has given a name of another kind.
func (d *Driver) Nowhere() string { return ours + "hookproof-" + d.run + "/hooks" }

// Run is what the names of one run have in common: eight digits that follow
// from the seed in its transcripts, which is SEED/SALT and in a repetition
// SEED/SALT/NUMBER.
func Run(seed string) string {
	if parts := strings.Split(seed, "/"); len(parts) > 2 {
		seed = parts[0] + "/" + parts[1]
	}
	sum := sha256.Sum256([]byte(seed))
	return hex.EncodeToString(sum[:4])
}

// UUID makes up a UUID in lower case.
func (d *Driver) UUID() string {
	a, b := d.random.Uint64(), d.random.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}

// Step marks in the transcript that a step begins.
func (d *Driver) Step(text string, table ...[]string) {
	d.append(transcript.Entry{At: d.backend.Now(), Step: text, Table: table})
}

// Do makes one call.
func (d *Driver) Do(ctx context.Context, call Call) (transcript.Exchange, error) {
	all, err := d.DoAll(ctx, []Call{call})
	if err != nil {
		return transcript.Exchange{}, err
	}
	return all[0], nil
}

// DoAll makes the calls side by side; what came of each is returned and
// recorded in the order of the calls. An error means that the suite itself
// could not work; a target that does not answer is an exchange with an Error.
func (d *Driver) DoAll(ctx context.Context, calls []Call) ([]transcript.Exchange, error) {
	entries, err := d.backend.Exchange(ctx, calls)
	if err != nil {
		return nil, err
	}
	exchanges := make([]transcript.Exchange, len(entries))
	for i, e := range entries {
		exchanges[i] = *e.Exchange
	}
	d.append(entries...)
	return exchanges, nil
}

// Caused records that the scenario has made an audit event happen.
func (d *Driver) Caused(c transcript.Caused) {
	d.append(transcript.Entry{At: c.At, Caused: &c})
}

// Fact gives into value what produce makes, or what it made when the
// transcript was recorded; produce is not called in a replay.
func (d *Driver) Fact(name string, value any, produce func() (any, error)) error {
	e, err := d.backend.Fact(name, produce)
	if err != nil {
		return err
	}
	d.append(e)
	if err := json.Unmarshal(e.Fact.Value, value); err != nil {
		return fmt.Errorf("read fact %q: %w", name, err)
	}
	return nil
}

// Pause waits for a while, or until ctx ends, before a target is asked again.
// A replay does not wait.
func (d *Driver) Pause(ctx context.Context, pause time.Duration) {
	if _, live := d.backend.(*Live); !live {
		return
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (d *Driver) append(entries ...transcript.Entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log.Entries = append(d.log.Entries, entries...)
}

// Snapshot is a copy of what has been recorded so far; a step that was left
// behind does not change it any more.
func (d *Driver) Snapshot() *transcript.Transcript {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := *d.log
	t.Entries = slices.Clone(d.log.Entries)
	return &t
}
