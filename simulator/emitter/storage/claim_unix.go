//go:build unix

package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// claim keeps a second process out of the directory: two servers writing the
// same files would destroy them. The lock dies with the process, also by kill -9.
func (s *Storage) claim(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, "hookproof.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return fmt.Errorf("%s is in use by another process: %w", dir, err)
	}
	s.lock = f
	return nil
}

func (s *Storage) release() {
	if s.lock != nil {
		s.lock.Close()
		s.lock = nil
	}
}
