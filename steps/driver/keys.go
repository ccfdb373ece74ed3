package driver

import (
	"crypto"
	"errors"
	"sync"

	"github.com/hookproof/hookproof/fixtures/pki"
)

// RSAKey is a private key that the scenario has not been given before. Others
// may have been given the same: making one takes long, and what tells
// certificates apart is not their key. A replay has none, and needs none.
func (d *Driver) RSAKey() (crypto.Signer, error) {
	l, live := d.backend.(*Live)
	if !live {
		return nil, errors.New("a replay makes no keys")
	}
	l.mu.Lock()
	n := l.keys
	l.keys++
	l.mu.Unlock()
	return l.client.keys.number(n)
}

// keyRing are the keys that the scenarios of a run share.
type keyRing struct {
	mu   sync.Mutex
	keys []crypto.Signer
}

// number is the nth key, which is made when it is first asked for.
func (r *keyRing) number(n int) (crypto.Signer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.keys) <= n {
		key, err := pki.NewRSAKey()
		if err != nil {
			return nil, err
		}
		r.keys = append(r.keys, key)
	}
	return r.keys[n], nil
}
