package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

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

// What is shown at most of the output of a container that did not become
// ready, so that the error and the remedy stay on one screen with it.
const (
	lastWords  = 64 << 10 // bytes that are looked at
	firstLines = 4        // a program that mistakes its flags says so before its usage
	lastLines  = 8
	lineLength = 200 // characters
)

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
	must           string // what the image has to do to become ready, for errors
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
		err = withRemedy(err)
		if c != nil && !ofReaper(err) { // else the container itself was never started
			err = unready(err, words(c), r.must)
		}
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
	if !ofReaper(err) {
		return err
	}
	return fmt.Errorf("%w; where its image cannot be pulled, set TESTCONTAINERS_RYUK_DISABLED=true, see docs/containers.md", err)
}

// ofReaper tells whether it is the container of testcontainers' own that cannot
// be started.
func ofReaper(err error) bool { return strings.Contains(err.Error(), "reaper") }

// unready adds to the error of a container that did not become ready what it
// printed, and last what the image must do: whoever reads the end of a screen
// reads that.
func unready(err error, printed []byte, must string) error {
	text := "It printed nothing."
	if lines := quote(printed); len(lines) > 0 {
		text = "It printed:\n" + strings.Join(lines, "\n")
	}
	return fmt.Errorf("%w\n%s\nThe container did not become ready: %s, see docs/containers.md", err, text, must)
}

// quote are the first and the last lines of what somebody else printed, each behind a bar,
// without what would move the cursor or colour a terminal.
func quote(printed []byte) []string {
	text := escapes.ReplaceAllString(strings.ToValidUTF8(string(printed), "�"), "")
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRightFunc(strings.Map(visible, line), unicode.IsSpace)
		if long := []rune(line); len(long) > lineLength {
			line = string(long[:lineLength]) + "…"
		}
		if line != "" {
			lines = append(lines, "  │ "+line)
		}
	}
	if left := len(lines) - lastLines; left > firstLines {
		return slices.Concat(lines[:firstLines], []string{"  │ …"}, lines[left:])
	}
	return lines
}

// escapes are a terminal's control sequences.
var escapes = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]")

func visible(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case unicode.IsControl(r):
		return -1
	}
	return r
}

// words are the last of what a container printed.
func words(c *testcontainers.DockerContainer) []byte {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	logs, err := c.Logs(ctx)
	if err != nil {
		return nil
	}
	defer logs.Close()
	text, _ := io.ReadAll(logs) // what was read until it failed is shown
	return text[max(0, len(text)-lastWords):]
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
