//go:build !unix

package storage

import "os"

// claim makes the directory. File locks that die with their process exist on
// Unix only; elsewhere nothing keeps a second process out.
func (s *Storage) claim(dir string) error { return os.MkdirAll(dir, 0o700) }

func (s *Storage) release() {}
