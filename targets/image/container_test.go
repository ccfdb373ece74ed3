package image

import (
	"errors"
	"strings"
	"testing"
)

func TestAReaperThatCannotBePulledHasARemedy(t *testing.T) {
	t.Parallel()
	const variable = "TESTCONTAINERS_RYUK_DISABLED=true"
	cause := errors.New("reaper: new reaper: run container: dial tcp: lookup registry: no such host")
	if err := withRemedy(cause); !errors.Is(err, cause) || !strings.Contains(err.Error(), variable) {
		t.Errorf("got %v", err)
	}
	if err := withRemedy(errors.New("no such image")); strings.Contains(err.Error(), variable) {
		t.Errorf("got %v", err)
	}
}
