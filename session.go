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
	"time"

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
	client    *driver.Client
	deadlines steps.Deadlines
	seed      int64
	salt      string
	out       string // folder of the report; empty: no transcripts are kept
	rerun     func(id string) string
	// unreachable says why the target lets nobody in; nothing is run then.
	unreachable error
	// alone lets a scenario that needs the whole target, or the target's only
	// environment, have it.
	alone sync.RWMutex
}

// open starts the target and knocks at its door.
func open(ctx context.Context, target targets.Target, plan *Plan, o options) (*session, error) {
	salt, err := randomHex()
	if err != nil {
		return nil, err
	}
	s := &session{plan: plan, info: target.Info(), deadlines: o.deadlines, seed: o.seed, salt: salt, out: o.out, rerun: o.rerun}
	if s.system, err = target.Start(ctx); err != nil {
		return nil, fmt.Errorf("start target %s: %w", s.info.Name, err)
	}
	if s.client, err = driver.NewClient(s.system); err != nil {
		return nil, joinClose(err, s.system)
	}
	knock, cancel := context.WithTimeout(ctx, s.deadlines.Call)
	defer cancel()
	s.unreachable = s.client.Reach(knock)
	return s, nil
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
	s.client.Close()
	if s.system.Close == nil {
		return nil
	}
	if err := s.system.Close(); err != nil {
		return fmt.Errorf("stop target %s: %w", s.info.Name, err)
	}
	return nil
}

// run runs one scenario and gives what the report says of it.
func (s *session) run(ctx context.Context, p Planned) reports.Scenario {
	r := planned(p, s.rerun)
	switch {
	case p.NotApplicable != "":
		r.Outcome, r.Reason = reports.NotApplicable, p.NotApplicable
		return r
	case s.unreachable != nil:
		r.Outcome, r.Reason = reports.CouldNotRun, fmt.Sprintf("the target does not let the suite in: %v", s.unreachable)
		return r
	case ctx.Err() != nil:
		r.Outcome, r.Reason = reports.CouldNotRun, "the run was ended before this scenario began"
		return r
	}
	defer s.occupy(p)()
	begin := time.Now()
	ending := steps.Run(ctx, s.plan.scenario(p.Scenario), driver.NewLive(s.client, s.salt, s.deadlines.Call), s.header(), s.deadlines)
	r.DurationMs = time.Since(begin).Milliseconds()
	s.plan.conclude(&r, p.Scenario, ending)
	if ending.Cut {
		return r
	}
	if err := s.store(&r, ending.Transcript); err != nil {
		r.Outcome, r.Reason = reports.Error, err.Error()
	}
	return r
}

// occupy waits until the scenario may run beside those that do; the function
// that it returns lets others go on.
func (s *session) occupy(p Planned) (leave func()) {
	if p.WholeTarget || p.Exclusive && !s.info.Has(targets.Environments) {
		s.alone.Lock()
		return s.alone.Unlock
	}
	s.alone.RLock()
	return s.alone.RUnlock
}

// header is what every transcript of the run begins with. The salt is in
// the seed, so that names are made up anew in every run and never collide
// at a target that outlives it.
func (s *session) header() transcript.Transcript {
	t := transcript.Transcript{
		Seed: fmt.Sprintf("%d/%s", s.seed, s.salt), Salt: s.salt,
		API: s.system.Emitter.API, Auth: s.system.Emitter.Auth, Environment: s.system.Emitter.Environment,
		Client: s.system.Emitter.ClientID,
	}
	for _, c := range s.info.Claims {
		t.Claims = append(t.Claims, string(c))
	}
	return t
}

// store keeps the transcript and notes where it is and its digest.
func (s *session) store(r *reports.Scenario, t *transcript.Transcript) error {
	if s.out == "" || t == nil {
		return nil
	}
	var text bytes.Buffer
	if err := t.Write(&text); err != nil {
		return fmt.Errorf("keep the transcript: %w", err)
	}
	name := transcriptDir + "/" + strings.ReplaceAll(r.ID, "/", ".") + ".json"
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
	return steps.Scenario{Scenario: s, FS: features.FS, Siblings: p.siblings(s)}
}

// conclude gives the outcome that an ending has for rules of their level: a
// broken MUST is a failure, a broken SHOULD a warning.
func (p *Plan) conclude(r *reports.Scenario, s features.Scenario, e steps.Ending) {
	switch e.Kind {
	case steps.Passed:
		r.Outcome = reports.Pass
	case steps.CouldNotRun:
		r.Outcome, r.Reason = reports.CouldNotRun, e.Where()
	case steps.Errored:
		r.Outcome, r.Reason = reports.Error, e.Where()
	case steps.Failed:
		r.Outcome = reports.Warn
		if p.level(s) == features.Must {
			r.Outcome = reports.Fail
		}
		r.Failure = &reports.Failure{Expected: e.Expected, Actual: e.Actual, Message: e.Cause, Step: e.Step, At: fmt.Sprintf("%s:%d", s.File, e.StepLine)}
	}
}

// level is the level of the scenario's rules, which is one.
func (p *Plan) level(s features.Scenario) features.Level {
	rule, _ := p.Catalogue.Rule(s.Rules[0])
	return rule.Level
}
