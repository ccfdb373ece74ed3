// Package storage runs the NATS JetStream server that keeps everything the
// reference emitter must not forget: the audit log, the configuration and the
// cursors. It knows nothing of what is stored.
//
// The server runs inside the process and opens no port. What JetStream has
// acknowledged has been written to the operating system: it survives the death
// of the process (kill -9), and, synced every two minutes, most of it survives
// the death of the machine.
package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// MaxPayload is the largest message, in bytes: one posted event of the largest
// size with its keys, see event.MaxBytes.
const MaxPayload = 8 << 20

// readyWithin is how long the server may take to recover its files.
const readyWithin = 30 * time.Second

// Options say where to store. The zero value is a throw-away store in memory.
type Options struct {
	// Dir holds the files; it is made when missing. One process at a time may
	// use it. Empty: memory, gone at Close.
	Dir string
	// Log gets the server's warnings and errors. nil: nothing is logged.
	Log *slog.Logger
}

// Storage is a running server and one connection to it.
type Storage struct {
	server     *server.Server
	conn       *nats.Conn
	js         jetstream.JetStream
	kind       jetstream.StorageType
	scratch    string // removed at Close
	lock       *os.File
	terminated bool
}

// Open starts the server and waits until it is ready. It fails when Dir is in
// use by another process, cannot be written, or holds files of something else.
func Open(ctx context.Context, o Options) (*Storage, error) {
	s := &Storage{kind: jetstream.FileStorage}
	if err := s.open(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open storage: %w", err), s.Close())
	}
	return s, nil
}

func (s *Storage) open(ctx context.Context, o Options) error {
	dir := o.Dir
	if dir == "" {
		// The server keeps a little of its own on disk even for memory streams.
		scratch, err := os.MkdirTemp("", "hookproof-emitter-")
		if err != nil {
			return err
		}
		dir, s.scratch, s.kind = scratch, scratch, jetstream.MemoryStorage
	}
	if err := s.claim(dir); err != nil {
		return err
	}
	if err := s.serve(dir, o.Log); err != nil {
		return err
	}
	return s.connect(ctx)
}

func (s *Storage) serve(dir string, log *slog.Logger) error {
	srv, err := server.NewServer(&server.Options{
		ServerName: "hookproof-emitter",
		DontListen: true,
		JetStream:  true,
		StoreDir:   dir,
		MaxPayload: MaxPayload,
		// Not derived from the machine's memory: streams bound themselves, and a
		// bound must not be refused on a small machine.
		JetStreamMaxMemory: 64 << 30,
		MaxPending:         16 * MaxPayload,
		NoSigs:             true,
		NoLog:              log == nil,
	})
	if err != nil {
		return fmt.Errorf("configure server: %w", err)
	}
	if log != nil {
		srv.SetLoggerV2(serverLog{log}, false, false, false)
	}
	s.server = srv
	go srv.Start() // returns once started; Close waits for what it leaves running
	if !srv.ReadyForConnections(readyWithin) {
		return fmt.Errorf("server not ready within %v", readyWithin)
	}
	if !srv.JetStreamEnabled() {
		return fmt.Errorf("no JetStream in %s", dir)
	}
	return nil
}

func (s *Storage) connect(ctx context.Context) error {
	conn, err := nats.Connect("", nats.InProcessServer(s.server), nats.Name("hookproof-emitter"))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	s.conn = conn
	if s.js, err = jetstream.New(conn); err != nil {
		return err
	}
	if _, err := s.js.AccountInfo(ctx); err != nil {
		return fmt.Errorf("reach JetStream: %w", err)
	}
	return nil
}

// JetStream is the connection to the server, valid until Close.
func (s *Storage) JetStream() jetstream.JetStream { return s.js }

// Kind is what streams and buckets should be made with: files under Dir, or memory.
func (s *Storage) Kind() jetstream.StorageType { return s.kind }

// Close stops the server and waits for it. What was acknowledged is on disk
// already. A second Close does nothing.
func (s *Storage) Close() error {
	if s.terminated {
		return nil
	}
	s.terminated = true
	if s.conn != nil {
		s.conn.Close()
	}
	if s.server != nil {
		s.server.Shutdown()
		s.server.WaitForShutdown()
	}
	s.release()
	if s.scratch != "" {
		return os.RemoveAll(s.scratch)
	}
	return nil
}

// serverLog passes what matters of the server's log on, without its greetings.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Noticef(format string, v ...any) {}
func (l serverLog) Debugf(format string, v ...any)  {}
func (l serverLog) Tracef(format string, v ...any)  {}
func (l serverLog) Warnf(format string, v ...any)   { l.log.Warn(fmt.Sprintf(format, v...)) }
func (l serverLog) Errorf(format string, v ...any)  { l.log.Error(fmt.Sprintf(format, v...)) }
func (l serverLog) Fatalf(format string, v ...any)  { l.log.Error(fmt.Sprintf(format, v...)) }
