package reports

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// planned is a run of one rule per scenario before anything has run.
func planned(scenarios ...string) Results {
	r := Results{
		Schema:    SchemaID,
		Suite:     Suite{Version: "v0.1.0", Revision: "2026-11"},
		Target:    Target{Role: "emitter", Kind: "url", Name: "acme-emitter", Version: "3.2", URL: "https://emitter.example.com/v1", Capabilities: []string{"http", "mtls"}},
		Command:   "hookproof run --role emitter --target https://emitter.example.com/v1",
		Seed:      42,
		StartedAt: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC),
	}
	for i, id := range scenarios {
		rule := Rule{
			ID: "SUB-" + strings.ToUpper(id), Role: "emitter", Area: "subscriptions", Level: "MUST",
			Statement: "The promise of " + id,
			Sources:   []Source{{Key: "S2", Title: "Create a subscription", URL: "https://docs.example.com/create"}},
		}
		r.Rules = append(r.Rules, rule)
		r.Scenarios = append(r.Scenarios, Scenario{
			ID: id, Name: "Scenario " + id, File: "emitter/subscriptions.feature", Line: 10 + i,
			Rules: []string{rule.ID}, Rerun: "hookproof run --scenario " + id + " --shuffle 42",
		})
	}
	return r
}

// with is a finished run with one scenario for each outcome.
func with(outcomes ...Outcome) Results {
	ids := make([]string, len(outcomes))
	for i := range outcomes {
		ids[i] = "s" + string(rune('a'+i))
	}
	r := planned(ids...)
	for i, o := range outcomes {
		r.Scenarios[i] = ended(r.Scenarios[i], o)
		if o == ExpectedFail || o == UnexpectedPass {
			r.Baseline = append(r.Baseline, Known{ID: ids[i], Reason: "because of " + string(o), Expires: "2027-01-31", Message: "Then it is refused: expected 403, got *"})
		}
	}
	return r.Derive()
}

// ended gives s an outcome and what the format wants with it.
func ended(s Scenario, o Outcome) Scenario {
	s.Outcome, s.DurationMs = o, 12
	switch o {
	case Fail, Warn:
		s.Failure = sampleFailure()
	case Pass:
	case ExpectedFail:
		s.Failure = sampleFailure()
		fallthrough
	default:
		s.Reason = "because of " + string(o)
	}
	return s
}

// everything is a run with every outcome, both roles, several levels, and
// values that are hard to show.
func everything() Results {
	r := with(ScenarioOutcomes()...)
	for i := range r.Rules {
		r.Rules[i].Level = levels()[i%3]
	}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if s.Outcome != Fail {
			continue
		}
		s.Name = "The fifty-first subscription of an environment is refused, whatever else is true of it"
		s.Rules = append(s.Rules, "SUB-LIMIT-051")
		s.Failure.Expected = "{\n  \"code\": \"LIMIT_EXCEEDED\"\n}"
		s.Failure.Actual = "{\n  \"id\": \"\x1b[31mred\u202e\"\n}"
		s.Failure.Message = "the answer to the 51st POST was 201 and not 403, and the subscription was stored"
		s.Transcript = "transcripts/" + s.ID + ".json"
		s.TranscriptSHA256 = strings.Repeat("0a", 32)
	}
	r.Rules = append(r.Rules,
		Rule{ID: "SUB-LIMIT-051", Role: "emitter", Area: "limits", Level: "MUST",
			Statement: "An environment holds at most 50 subscriptions; creating another one is refused with 403 Forbidden",
			Sources: []Source{
				{Key: "S2", Title: "Create a subscription", URL: "https://docs.example.com/create"},
				{Key: "E1", Title: "Support article without an address"},
			}},
		Rule{ID: "RTY-013", Role: "emitter", Area: "retry", Level: "MUST", Statement: "Undelivered events are kept for seven days", Reason: "needs clock control"},
		Rule{ID: "RCV-ANS-001", Role: "receiver", Area: "answer", Level: "SHOULD", Statement: "A delivery is answered with 200"},
	)
	r.DurationMs = 12345
	return r.Derive().withDuration(12345)
}

func (r Results) withDuration(ms int64) Results {
	r.DurationMs = ms
	return r
}

func sampleFailure() *Failure {
	return &Failure{Expected: "403", Actual: "201", Message: "status is 201", Step: "Then it is refused", At: "emitter/subscriptions.feature:14"}
}
