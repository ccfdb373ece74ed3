package steps

import (
	"errors"
	"fmt"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// Failure is the error of a step whose judge found a promise broken.
type Failure struct{ judge.Outcome }

func (f *Failure) Error() string {
	return fmt.Sprintf("expected %s, got %s", f.Expected, f.Actual)
}

// judged turns a judge's outcome into the error that ends the scenario, and
// counts that something was judged.
func (w *World) judged(o judge.Outcome) error {
	w.judgements.Add(1)
	switch {
	case o.Unrecorded():
		return fmt.Errorf("the suite wants %s, and has none", o.Expected)
	case o.Failed():
		return &Failure{o}
	}
	return nil
}

// Unobserved is the error of a step that could not bring about what the
// scenario is to judge: the target refused or did not answer something that
// the rule is not about.
type Unobserved struct{ Reason string }

func (u *Unobserved) Error() string { return u.Reason }

// Unserved is the error of a step for which the target did not do what it
// claims to be able to; Actual is what shows it.
type Unserved struct {
	Claim  targets.Capability
	Actual string
}

func (u *Unserved) Error() string {
	return fmt.Sprintf("the target does not serve %q, which it claims: %s", u.Claim, u.Actual)
}

func unobserved(format string, args ...any) error {
	return &Unobserved{fmt.Sprintf(format, args...)}
}

// prepared turns an outcome into Unobserved: for steps that need an answer
// to go on, but do not judge it.
func prepared(o judge.Outcome) error {
	if o.Failed() {
		return unobserved("expected %s, got %s", o.Expected, o.Actual)
	}
	return nil
}

// answered is the answer of an exchange, or Unobserved.
func answered(x transcript.Exchange, want ...judge.Expectation) (transcript.Response, error) {
	if err := prepared(judge.Response(x, want...)); err != nil {
		return transcript.Response{}, err
	}
	return *x.Response, nil
}

// asUnobserved, asUnserved and asFailure find their kind in a chain of errors.
func asUnobserved(err error) (*Unobserved, bool) {
	var u *Unobserved
	return u, errors.As(err, &u)
}

func asUnserved(err error) (*Unserved, bool) {
	var u *Unserved
	return u, errors.As(err, &u)
}

func asFailure(err error) (*Failure, bool) {
	var f *Failure
	return f, errors.As(err, &f)
}
