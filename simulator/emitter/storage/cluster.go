package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Cluster says how an external JetStream is reached.
type Cluster struct {
	// Servers are URLs with commas between them, nats://a:4222,nats://b:4222;
	// tls:// for TLS, nats://user:password@host for a user. One that answers is
	// enough: it names the others.
	Servers string
	// Credentials is a file with a user's JWT and key, as nsc writes it. Empty: none.
	Credentials string
	// CA is a PEM file of authorities to trust. Empty: the machine's.
	CA string
	// Replicas is on how many servers everything is kept. 0: three in a
	// cluster, one with a server alone.
	Replicas int
}

const (
	// joinWithin is how long servers may take to answer and to have a leader:
	// those that are started together with the emitter need some seconds.
	joinWithin = time.Minute
	joinRetry  = 250 * time.Millisecond
	// answerWithin bounds one request about a stream.
	answerWithin = 5 * time.Second

	// A server that is cut off answers nothing, not even that it is gone: it is
	// given up after two pings without an answer.
	pingEvery     = time.Second
	pingsUnheard  = 2
	dialWithin    = 2 * time.Second
	reconnectWait = 250 * time.Millisecond

	// acknowledgedWithin is how long an appended chunk may wait for the server's
	// answer; the server may have died with it.
	acknowledgedWithin = 10 * time.Second

	// apiLevel is that of servers with atomic batches (2.12).
	apiLevel = 2

	clusterReplicas = 3
)

// maxReplicas is the most that JetStream keeps.
const maxReplicas = 5

// Check says what is wrong, without connecting.
func (c Cluster) Check() error {
	for _, server := range strings.Split(c.Servers, ",") {
		u, err := url.Parse(strings.TrimSpace(server))
		if err != nil { // it repeats the URL, and there may be a password in it
			return errors.New("one of the URLs cannot be read")
		}
		if u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			return fmt.Errorf("%q is no URL such as nats://host:4222", u.Redacted())
		}
	}
	if c.Replicas < 0 || c.Replicas > maxReplicas {
		return fmt.Errorf("%d replicas: 1 to %d can be kept", c.Replicas, maxReplicas)
	}
	for _, file := range []string{c.Credentials, c.CA} {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			return err
		}
	}
	return nil
}

// join connects to a cluster and waits until its JetStream serves.
func (s *Storage) join(ctx context.Context, c Cluster, log *slog.Logger) (err error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	options := []nats.Option{
		nats.Name("hookproof-emitter"), nats.Timeout(dialWithin),
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait),
		nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(pingsUnheard),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { log.Warn("connection to NATS lost", "error", err) }),
		nats.ReconnectHandler(func(conn *nats.Conn) { log.Info("connected to NATS again", "server", conn.ConnectedServerName()) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Warn("NATS", "error", err) }),
	}
	if c.Credentials != "" {
		options = append(options, nats.UserCredentials(c.Credentials))
	}
	if c.CA != "" {
		options = append(options, nats.RootCAs(c.CA))
	}
	if s.conn, err = nats.Connect(c.Servers, options...); err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	if s.js, err = jetstream.New(s.conn, jetstream.WithPublishAsyncTimeout(acknowledgedWithin)); err != nil {
		return err
	}
	info, err := s.answer(ctx)
	if err != nil {
		return err
	}
	if info.API.Level < apiLevel {
		return fmt.Errorf("the NATS servers (%s) are too old: 2.12 or later is needed", s.conn.ConnectedServerVersion())
	}
	if most := s.conn.MaxPayload(); most < MaxPayload {
		return fmt.Errorf("the NATS servers take messages of at most %d bytes, and an event may need %d: set max_payload in their configuration", most, MaxPayload)
	}
	if s.replicas = c.Replicas; s.replicas == 0 {
		s.replicas = 1
		if s.conn.ConnectedClusterName() != "" {
			s.replicas = clusterReplicas
		}
	}
	return nil
}

// answer waits until JetStream serves.
func (s *Storage) answer(ctx context.Context) (*jetstream.AccountInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, joinWithin)
	defer cancel()
	retry := time.NewTicker(joinRetry)
	defer retry.Stop()
	for {
		asked, stop := context.WithTimeout(ctx, dialWithin)
		info, err := s.js.AccountInfo(asked)
		stop()
		if err == nil {
			return info, nil
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("no JetStream serves at the NATS servers within %v: %w", joinWithin, errors.Join(s.conn.LastError(), err))
		}
	}
}
