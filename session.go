package hookproof

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/reports"
	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// transcriptDir is where transcripts lie, below the report's folder.
const transcriptDir = "transcripts"

// session is one started target and what all scenarios of a run share.
type session struct {
	plan      *Plan
	info      targets.Info
	system    *targets.System
	sides     map[string]*side // what is tested, by role
	deadlines steps.Deadlines
	seed      int64
	salt      string
	out       string // folder of the report; empty: no transcripts are kept
	rerun     func(id string) string
	repeat    int // how often each scenario is run, at least 1
	baseline  []reports.Known
	pause     func(context.Context, Paused) error
	left      func(paths []string)
	// alone lets a scenario that needs the whole target, or the target's only
	// environment, have it.
	alone sync.RWMutex
}

// side is one end of the wire that is tested, with the end of the suite's own
// that it meets.
type side struct {
	system *targets.System
	client *driver.Client
	// unreachable says why the target lets nobody in, from the beginning or
	// since a scenario found it silent; nothing is run then.
	unreachable atomic.Pointer[error]
}

// open starts the target and knocks at its doors.
func open(ctx context.Context, target targets.Target, plan *Plan, o options) (*session, error) {
	salt, err := randomHex()
	if err != nil {
		return nil, err
	}
	s := &session{
		plan: plan, info: target.Info(), deadlines: o.deadlines, seed: o.seed, salt: salt, out: o.out, rerun: o.rerun,
		repeat: o.repeat, baseline: o.baseline, pause: o.pause, left: o.left,
	}
	if s.system, err = target.Start(ctx); err != nil {
		return nil, fmt.Errorf("start target %s: %w", s.info.Name, err)
	}
	if err := s.divide(); err != nil {
		return nil, joinClose(err, s.system)
	}
	for _, side := range s.sides {
		knock, cancel := context.WithTimeout(ctx, s.deadlines.Call)
		err := side.client.Reach(knock)
		if err == nil {
			if err = steps.OnTime(knock, side.client, side.system.Emitter); err != nil {
				err = fmt.Errorf("%w; start it anew, without that run's data", err)
			}
		}
		if err != nil {
			side.unreachable.Store(&err)
		}
		cancel()
	}
	return s, nil
}

// divide makes a side of each end that is tested.
func (s *session) divide() error {
	s.sides = map[string]*side{}
	if s.plan.hasRole(features.Emitter) {
		s.sides[features.Emitter] = &side{system: &targets.System{Emitter: s.system.Emitter, Receiver: s.system.Receiver}}
	}
	if s.plan.hasRole(features.Receiver) {
		s.sides[features.Receiver] = &side{system: &targets.System{Emitter: s.system.Hook.Sender, Hook: s.system.Hook}}
	}
	for _, side := range s.sides {
		var err error
		if side.client, err = driver.NewClient(side.system); err != nil {
			return err
		}
	}
	return nil
}

func joinClose(err error, system *targets.System) error {
	if system.Close != nil {
		if closing := system.Close(); closing != nil {
			return fmt.Errorf("%w (and stopping the target: %v)", err, closing)
		}
	}
	return err
}

func randomHex() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("draw random bytes: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// close stops the target.
func (s *session) close() error {
	for _, side := range s.sides {
		side.client.Close()
	}
	if s.system.Close == nil {
		return nil
	}
	if err := s.system.Close(); err != nil {
		return fmt.Errorf("stop target %s: %w", s.info.Name, err)
	}
	return nil
}

// occupy waits until the scenario may run beside those that do; the function
// that it returns lets others go on.
func (s *session) occupy(p Planned) (leave func()) {
	if p.Alone {
		s.alone.Lock()
		return s.alone.Unlock
	}
	s.alone.RLock()
	return s.alone.RUnlock
}

// knocks is how often in a row a target must not answer before it is given
// up: a single lost answer must not end a run.
const knocks = 2

// knock asks, after a scenario could not run, whether the target still lets
// the suite in. Where it does not, the scenarios that have not begun are not
// run: each would wait in vain for all its deadlines.
func (s *session) knock(ctx context.Context, side *side) {
	var err error
	for range knocks {
		within, cancel := context.WithTimeout(ctx, s.deadlines.Call)
		err = side.client.Reach(within)
		cancel()
		if err == nil || ctx.Err() != nil {
			return
		}
	}
	err = fmt.Errorf("it stopped answering during the run: %w", err)
	side.unreachable.CompareAndSwap(nil, &err)
}

// header is what the transcript of the nth run of a scenario of one side
// begins with.
func (s *session) header(side *side, nth int) transcript.Transcript {
	emitter := side.system.Emitter
	t := transcript.Transcript{
		Seed: seedOf(s.seed, s.salt, nth), Salt: s.salt,
		API: emitter.API, Auth: emitter.Auth, Environment: emitter.Environment, Client: emitter.ClientID, Trigger: emitter.Trigger != "",
		Hook: side.client.HookHeader(s.salt), Shard: s.plan.Selection.Shard.String(),
	}
	if s.repeat > 1 {
		t.Repeat = s.repeat
	}
	for _, c := range s.info.Claims {
		t.Claims = append(t.Claims, string(c))
	}
	return t
}

// store keeps the transcript and notes where it is and its digest.
func (s *session) store(r *reports.Repetition, id string, nth int, t *transcript.Transcript) error {
	if s.out == "" || t == nil {
		return nil
	}
	var text bytes.Buffer
	if err := t.Write(&text); err != nil {
		return fmt.Errorf("keep the transcript: %w", err)
	}
	name := transcriptName(id, nth)
	if err := os.WriteFile(filepath.Join(s.out, filepath.FromSlash(name)), text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("keep the transcript: %w", err)
	}
	digest := sha256.Sum256(text.Bytes())
	r.Transcript, r.TranscriptSHA256 = name, hex.EncodeToString(digest[:])
	return nil
}

// planned is what the report says of a scenario before it has run.
func planned(p Planned, rerun func(string) string) reports.Scenario {
	line := p.Line
	if p.RowLine > 0 {
		line = p.RowLine
	}
	r := reports.Scenario{ID: p.ID, Name: p.Name, File: p.File, Line: line, Rules: p.Rules}
	if rerun != nil {
		r.Rerun = rerun(p.ID)
	}
	return r
}

// scenario is the scenario in the form that steps run.
func (p *Plan) scenario(s features.Scenario) steps.Scenario {
	return steps.Scenario{Scenario: s, FS: features.FS, Others: p.others(s)}
}

// conclude gives the outcome that an ending has for rules of their level: a
// broken MUST is a failure, a broken SHOULD a warning.
func (p *Plan) conclude(s features.Scenario, e steps.Ending) (r reports.Repetition) {
	switch e.Kind {
	case steps.Passed:
		r.Outcome = reports.Pass
	case steps.CouldNotRun:
		r.Outcome, r.Reason = reports.CouldNotRun, e.Where()
	case steps.Errored:
		r.Outcome, r.Reason = reports.Error, e.Where()
	case steps.Failed:
		r.Failure = &reports.Failure{Expected: e.Expected, Actual: e.Actual, Message: e.Cause, Step: e.Step, Rules: e.Rules}
		if e.StepLine > 0 {
			r.Failure.At = fmt.Sprintf("%s:%d", s.File, e.StepLine)
		}
		r.Outcome = reports.Warn
		broken := s.Rules
		if len(e.Rules) > 0 {
			broken = e.Rules
		}
		if e.Unserved != "" || levelOf(p.Catalogue, broken) == features.Must {
			r.Outcome = reports.Fail
		}
	}
	return r
}

// slashless is a scenario's id as the name of a file.
func slashless(id string) string { return strings.ReplaceAll(id, "/", ".") }
