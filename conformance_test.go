package hookproof_test

import (
	"testing"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/targets/embedded"
)

func TestEmbeddedPair(t *testing.T) {
	t.Parallel()
	hookproof.Run(t, embedded.New(embedded.Options{}))
}
