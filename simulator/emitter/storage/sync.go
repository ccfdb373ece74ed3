package storage

import (
	"fmt"
	"time"
)

// Sync says when what was written is forced from the operating system's memory
// to the disk. What was acknowledged survives the death of the process (kill
// -9) with every setting; the settings differ in what the death of the machine
// (power, kernel) may take along. The zero value is DefaultSync.
type Sync struct {
	// Always syncs before each acknowledgement: nothing that was acknowledged
	// is lost, as far as the disk keeps its word. It costs a sync for each
	// group of events and for each payload delivered.
	Always bool
	// Every syncs in the background at least this often: what was acknowledged
	// since the last time may be lost. Events lost like that are never
	// delivered; cursors lost like that make payloads come twice.
	Every time.Duration
}

const (
	// DefaultSync is the server's own interval.
	DefaultSync = 2 * time.Minute
	// shortestSync keeps intervals from being a slower way to say always.
	shortestSync = 10 * time.Millisecond
)

// ParseSync reads "always" or an interval such as 5s, at least 10ms.
func ParseSync(text string) (Sync, error) {
	if text == "always" {
		return Sync{Always: true}, nil
	}
	every, err := time.ParseDuration(text)
	if err != nil || every < shortestSync {
		return Sync{}, fmt.Errorf("%q is neither always nor an interval of at least %v such as 5s", text, shortestSync)
	}
	return Sync{Every: every}, nil
}

func (s Sync) interval() time.Duration {
	if s.Every == 0 {
		return DefaultSync
	}
	return s.Every
}
