// Package storage opens the NATS JetStream that keeps everything the reference
// emitter must not forget: the audit log, the configuration and the cursors. It
// knows nothing of what is stored.
//
// By default the server runs inside the process and opens no port; with a
// Cluster it is somebody else's, and other processes may use it too. What JetStream has
// acknowledged has been written to the operating system: it survives the death
// of the process (kill -9). What survives the death of the machine, see Sync.
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
	// Sync says when files are forced to the disk.
	Sync Sync
	// Cluster is where an external JetStream is reached; Dir must be empty then.
	// nil: a server in the process.
	Cluster *Cluster
	// Log gets the server's warnings and errors. nil: nothing is logged.
	Log *slog.Logger
}

// Storage is one connection to a JetStream, and the server where it is in the
// process.
type Storage struct {
	server     *server.Server // nil: a cluster's
	conn       *nats.Conn
	js         jetstream.JetStream
	kind       jetstream.StorageType
	dir        string
	replicas   int
	scratch    string // removed at Close
	lock       *os.File
	terminated bool
}

// Open starts the server and waits until it is ready. It fails when Dir is in
// use by another process, cannot be written, or holds files of something else.
func Open(ctx context.Context, o Options) (*Storage, error) {
	s := &Storage{kind: jetstream.FileStorage, replicas: 1}
	if err := s.open(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open storage: %w", err), s.Close())
	}
	return s, nil
}

func (s *Storage) open(ctx context.Context, o Options) error {
	dir := o.Dir
	if o.Cluster != nil {
		return s.join(ctx, *o.Cluster, o.Log)
	}
	if dir == "" {
		// The server keeps a little of its own on disk even for memory streams.
		scratch, err := os.MkdirTemp("", "hookproof-emitter-")
		if err != nil {
			return err
		}
		dir, s.scratch, s.kind = scratch, scratch, jetstream.MemoryStorage
	}
	s.dir = dir
	if err := s.claim(dir); err != nil {
		return err
	}
	if err := s.serve(o); err != nil {
		return err
	}
	return s.connect(ctx)
}

func (s *Storage) serve(o Options) error {
	log := o.Log
	srv, err := server.NewServer(&server.Options{
		ServerName: "hookproof-emitter",
		DontListen: true,
		JetStream:  true,
		StoreDir:   s.dir,
		MaxPayload: MaxPayload,
		// Not derived from the machine as it is now: streams in memory bound
		// themselves, and a disk is full when it is (see Room).
		JetStreamMaxMemory: 64 << 30,
		JetStreamMaxStore:  1 << 50,
		SyncAlways:         o.Sync.Always,
		SyncInterval:       o.Sync.interval(),
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
		return fmt.Errorf("no JetStream in %s", s.dir)
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

// JetStream is the connection to the server, valid until Close. While the disk
// is full, see Room, what would write fails with ErrFull.
func (s *Storage) JetStream() jetstream.JetStream { return guarded{s.js, s.Room} }

// Reachable says why the server does not answer at the moment, or has no room
// for more; nil when it can be used.
func (s *Storage) Reachable(ctx context.Context) error {
	if !s.conn.IsConnected() {
		return errors.Join(errors.New("no connection to NATS"), s.conn.LastError())
	}
	if _, err := s.js.AccountInfo(ctx); err != nil {
		return fmt.Errorf("reach storage: %w", err)
	}
	return s.Room()
}

// Kind is what streams and buckets should be made with: files, or memory.
func (s *Storage) Kind() jetstream.StorageType { return s.kind }

// Place is where streams and buckets should be made.
func (s *Storage) Place() Place { return s.place(s.Room) }

// Reserved is the place of what makes deliveries go on when the disk is full
// for everything else: it may use most of what is left then.
func (s *Storage) Reserved() Place {
	return s.place(func() error { return s.room(reserveLeft) })
}

func (s *Storage) place(room func() error) Place {
	return Place{JetStream: guarded{s.js, room}, Kind: s.kind, Replicas: s.replicas, Shared: s.server == nil}
}

// Close ends the connection; a server in the process is stopped and waited for. What was acknowledged is on disk
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
