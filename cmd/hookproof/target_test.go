package main

import (
	"strings"
	"testing"

	"github.com/hookproof/hookproof/reports"
)

func TestATargetThatIsNoneIsAnsweredWithWhatWasMeant(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"127.0.0.1:8090":                 "try http://127.0.0.1:8090",
		"localhost:8090/pingone":         "try http://localhost:8090/pingone",
		"emitter.example":                "try https://emitter.example",
		"canary:canary@emitter.example/": "--target is neither",
		"ftp://emitter.example":          "--target is neither",
		"nonsense":                       "--target is neither",
	} {
		code, out := run(t, "doctor", "--target", target, "--environment", "x", "--token", "a-token-of-mine1")
		if code != reports.ExitUsage || !strings.Contains(out, want) || strings.Contains(out, "canary") || !strings.Contains(want, "try") && strings.Contains(out, "try ") {
			t.Errorf("%s: code %d: %s", target, code, out)
		}
	}
}

func TestAReceiverThatIsTakenForAnEmitterIsToldItsRole(t *testing.T) {
	t.Parallel()
	at := []string{"--target", "https://127.0.0.1:8443/hook"}
	for _, c := range []struct {
		args []string
		told bool
	}{
		{append([]string{"run"}, at...), true},
		{append([]string{"doctor", "--role", "emitter"}, at...), false},
		{append([]string{"cleanup"}, at...), false},
	} {
		code, out := run(t, c.args...)
		if code != reports.ExitUsage || !strings.Contains(out, "--environment is missing") || strings.Contains(out, "--role receiver") != c.told {
			t.Errorf("%v: code %d: %s", c.args, code, out)
		}
	}
}
