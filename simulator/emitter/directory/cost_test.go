package directory

import (
	"encoding/asn1"
	"testing"

	"github.com/hookproof/hookproof/fixtures/pki"
)

type derivation struct {
	Salt       []byte
	Iterations int
}

func encoded(t testing.TB, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestFileThatAsksForTooManyRoundsIsCostly(t *testing.T) {
	t.Parallel()
	for rounds, want := range map[int]bool{1: false, 600_000: false, maxIterations: false, maxIterations + 1: true, 1 << 40: true} {
		parameters := encoded(t, derivation{[]byte("salt"), rounds})
		for name, file := range map[string][]byte{
			"plain":     parameters,
			"wrapped":   encoded(t, struct{ Content []byte }{parameters}),
			"in a list": encoded(t, []asn1.RawValue{{FullBytes: encoded(t, 1)}, {FullBytes: parameters}}),
		} {
			if got := costly(file); got != want {
				t.Errorf("%d rounds, %s: %v", rounds, name, got)
			}
		}
	}
}

func TestOrdinaryFileIsNotCostly(t *testing.T) {
	t.Parallel()
	identity, err := pki.SelfSigned(pki.Leaf{Name: "client", Client: true, RSA: true})
	if err != nil {
		t.Fatal(err)
	}
	file, err := identity.PKCS12("p")
	if err != nil {
		t.Fatal(err)
	}
	if costly(file) {
		t.Error("a file of 2048 rounds is refused")
	}
}

func FuzzCostly(f *testing.F) {
	f.Add(encoded(f, derivation{[]byte("salt"), 1 << 40}))
	f.Add([]byte{0x30, 0x80, 0x04, 0x80})
	f.Fuzz(func(_ *testing.T, file []byte) { costly(file) })
}
