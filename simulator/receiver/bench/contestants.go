package bench

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"sync"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/receiver"
)

// contestant is a server that takes deliveries.
type contestant struct {
	address string
	path    string
	tls     *tls.Config // of a client; nil: plain
	close   func()
}

// ring keeps bodies up to so many bytes, the newest.
type ring struct {
	max    int64
	mu     sync.Mutex
	bytes  int64
	bodies [][]byte
}

func (k *ring) keep(body []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bodies = append(k.bodies, body)
	k.bytes += int64(len(body))
	for k.bytes > k.max {
		k.bytes -= int64(len(k.bodies[0]))
		k.bodies[0] = nil
		k.bodies = k.bodies[1:]
	}
}

// startBare starts the ceiling: a handler that reads the body into memory of
// the right size at once, keeps it and answers 200.
func startBare(protocol string, maxBytes int64) (*contestant, error) {
	kept := &ring{max: maxBytes}
	server := &http.Server{
		ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := make([]byte, r.ContentLength)
			if _, err := io.ReadFull(r.Body, body); err != nil {
				panic(http.ErrAbortHandler)
			}
			kept.keep(body)
		}),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &contestant{address: l.Addr().String(), path: "/"}
	if protocol == "https" {
		identity, trust, err := identity()
		if err != nil {
			l.Close()
			return nil, err
		}
		c.tls = trust
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{identity.TLS()}, NextProtos: []string{"h2", "http/1.1"}})
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) }) // it ends only by being closed
	c.close = func() {
		_ = server.Close()
		serving.Wait()
	}
	return c, nil
}

// identity is a chain like the simulator's, and what a client trusts it by.
func identity() (*pki.Identity, *tls.Config, error) {
	root, err := pki.NewAuthority("hookproof bench root")
	if err != nil {
		return nil, nil, err
	}
	leaf, err := root.Issue(pki.Leaf{Hosts: []string{"127.0.0.1"}, Intermediate: true})
	if err != nil {
		return nil, nil, err
	}
	return leaf, trusting(root.PEM()), nil
}

func trusting(pem []byte) *tls.Config {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", NextProtos: []string{"http/1.1"}}
}

// startSimulator starts the receiver with an endpoint that answers 200.
func startSimulator(ctx context.Context, protocol string, maxBytes int64) (*contestant, error) {
	r, err := receiver.Start(ctx, receiver.Options{MaxBytes: maxBytes})
	if err != nil {
		return nil, err
	}
	c := &contestant{close: func() { _ = r.Close() }}
	info, err := r.CreateEndpoint(receiver.EndpointRequest{})
	if err != nil {
		c.close()
		return nil, err
	}
	mode := receiver.Plain
	if protocol == "https" {
		mode, c.tls = receiver.Trusted, trusting(r.RootPEM())
	}
	hook, err := url.Parse(info.URLs[mode])
	if err != nil {
		c.close()
		return nil, err
	}
	c.address, c.path = hook.Host, hook.Path
	return c, nil
}
