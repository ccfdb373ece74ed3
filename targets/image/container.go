package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	dockernetwork "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/network"
)

// startWithin is how long a container may take until it is ready; services on
// a virtual machine of their own need half a minute.
const startWithin = 90 * time.Second

// hostNetwork is the network on which a container has no ports of its own.
const hostNetwork = "host"

// readable lets whatever user the container runs as read a file in it.
const readable = 0o444

// lastWords bounds what is shown of the output of a container that did not
// become ready, in bytes.
const lastWords = 4 << 10

// request is a container to be run.
type request struct {
	source         Source
	log            io.Writer
	network, alias string
	ports          map[int]int // published on loopback: the container's to the host's
	variables      map[string]string
	files          map[string][]byte // by their paths in the container
	reachesHost    bool
	ready          answering
}

// run runs the container until it is ready; stop ends and removes it. An error
// means that nothing is left of it.
func (r request) run(ctx context.Context) (stop func() error, err error) {
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithLogger(log.NewNoopLogger()),
		testcontainers.WithEnv(r.variables),
		testcontainers.WithWaitStrategyAndDeadline(startWithin, r.ready),
		testcontainers.WithHostConfigModifier(r.configureHost),
	}
	for inner := range r.ports {
		options = append(options, testcontainers.WithExposedPorts(fmt.Sprintf("%d/tcp", inner)))
	}
	for path, content := range r.files {
		options = append(options, testcontainers.WithFiles(testcontainers.ContainerFile{
			Reader: bytes.NewReader(content), ContainerFilePath: path, FileMode: readable,
		}))
	}
	if r.source.Context != "" {
		options = append(options, testcontainers.WithDockerfile(testcontainers.FromDockerfile{
			Context: r.source.Context, BuildLogWriter: r.log,
			BuildOptionsModifier: func(o *client.ImageBuildOptions) { o.Target = r.source.Stage },
		}))
	}
	if r.network != "" && r.network != hostNetwork {
		options = append(options, network.WithNetworkName([]string{r.alias}, r.network))
	}
	c, err := testcontainers.Run(ctx, r.source.Image, options...)
	stop = func() error { return testcontainers.TerminateContainer(c) }
	if err != nil {
		err = fmt.Errorf("%w%s", withRemedy(err), words(c))
		return nil, errors.Join(err, stop())
	}
	return stop, nil
}

// configureHost publishes the ports and makes the host known.
func (r request) configureHost(c *container.HostConfig) {
	if r.network == hostNetwork {
		c.NetworkMode = hostNetwork
	}
	if r.reachesHost {
		c.ExtraHosts = append(c.ExtraHosts, hostName+":host-gateway")
	}
	c.PortBindings = dockernetwork.PortMap{}
	for inner, outer := range r.ports {
		c.PortBindings[dockernetwork.MustParsePort(fmt.Sprintf("%d/tcp", inner))] = []dockernetwork.PortBinding{
			{HostIP: netip.MustParseAddr(loopback), HostPort: strconv.Itoa(outer)},
		}
	}
}

// withRemedy adds what to do where testcontainers cannot start its own
// container, which removes the others when the process is killed.
func withRemedy(err error) error {
	if !strings.Contains(err.Error(), "reaper") {
		return err
	}
	return fmt.Errorf("%w; where its image cannot be pulled, set TESTCONTAINERS_RYUK_DISABLED=true, see docs/containers.md", err)
}

// words are the last of a container that did not become ready.
func words(c *testcontainers.DockerContainer) string {
	if c == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	logs, err := c.Logs(ctx)
	if err != nil {
		return ""
	}
	defer logs.Close()
	text, _ := io.ReadAll(logs) // what was read until it failed is shown
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return "; it printed nothing"
	}
	return "; it printed: " + string(text[max(0, len(text)-lastWords):])
}

// newNetwork makes a network that two containers share.
func newNetwork(ctx context.Context) (name string, remove func() error, err error) {
	n, err := network.New(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("make a network for the containers: %w", withRemedy(err))
	}
	return n.Name, func() error {
		if err := n.Remove(context.Background()); err != nil {
			return fmt.Errorf("remove the containers' network: %w", err)
		}
		return nil
	}, nil
}
