// Package clustertest runs a cluster of NATS servers inside a test. Only tests
// import it.
package clustertest

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

// readyWithin is how long a server may take to accept connections.
const readyWithin = 30 * time.Second

// Cluster is a number of NATS servers with JetStream, on free ports of the
// loopback interface.
type Cluster struct {
	t       testing.TB
	servers []*server.Server
	options []*server.Options // of each, with the ports that it got
}

// Start starts n servers that know each other, until the test ends.
func Start(t testing.TB, n int) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	t.Cleanup(func() {
		for i := range c.servers {
			c.Stop(i)
		}
	})
	ports := freePorts(t, 2*n) // a server of a cluster is ready only when it has met others
	for i := range n {
		o := &server.Options{
			ServerName: fmt.Sprintf("nats-%d", i+1), Host: "127.0.0.1", Port: ports[i],
			JetStream: true, StoreDir: t.TempDir(), MaxPayload: storage.MaxPayload, MaxPending: 16 * storage.MaxPayload,
			NoLog: true, NoSigs: true,
		}
		if n > 1 {
			o.Cluster = server.ClusterOpts{Name: "hookproof", Host: "127.0.0.1", Port: ports[n+i]}
			for _, port := range ports[n:] {
				o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
			}
		}
		c.options = append(c.options, o)
		c.servers = append(c.servers, c.run(o))
	}
	for i := range n {
		c.ready(i)
	}
	return c
}

func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // only at the end, so that none comes twice
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func (c *Cluster) run(o *server.Options) *server.Server {
	c.t.Helper()
	s, err := server.NewServer(o.Clone()) // it writes to its options
	if err != nil {
		c.t.Fatal(err)
	}
	go s.Start() // Stop waits for what it leaves running
	return s
}

func (c *Cluster) ready(i int) {
	c.t.Helper()
	if !c.servers[i].ReadyForConnections(readyWithin) {
		c.t.Fatalf("NATS server %d is not ready within %v", i+1, readyWithin)
	}
}

// Restart starts a server again that was stopped.
func (c *Cluster) Restart(i int) {
	c.t.Helper()
	c.servers[i] = c.run(c.options[i])
	c.ready(i)
}

// Servers are the URLs of all servers, as storage.Cluster takes them.
func (c *Cluster) Servers() string {
	var urls []string
	for _, s := range c.servers {
		urls = append(urls, s.ClientURL())
	}
	return strings.Join(urls, ",")
}

// Stop ends a server. Stopping one again does nothing.
func (c *Cluster) Stop(i int) {
	c.servers[i].Shutdown()
	c.servers[i].WaitForShutdown()
}

// Open opens the storage of one more process in the cluster.
func (c *Cluster) Open() *storage.Storage {
	c.t.Helper()
	s, err := storage.Open(c.t.Context(), storage.Options{Cluster: &storage.Cluster{Servers: c.Servers()}})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			c.t.Error(err)
		}
	})
	return s
}
