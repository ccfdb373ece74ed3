package image

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/internal/ports"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/remote"
)

// ReceiverOptions say which receiver is tested in a container, what a delivery
// to it must have, and what it claims.
type ReceiverOptions struct {
	Source Source
	// Headers, ClientCertificate and ClientKey are as those of targets.Hook.
	// That the container expects them is up to its image and its Variables.
	Headers                      map[string]string
	ClientCertificate, ClientKey []byte
	// Claims are the receiver's capabilities. With that of reading back, the
	// container serves an adapter as remote.HTTPReadBack describes.
	Claims []targets.Capability
	// Variables are given to the container.
	Variables map[string]string
	// Name and Version are for reports; without a name it is the source.
	Name, Version string
	// Log takes what the build prints; nil discards it.
	Log io.Writer
}

// Receiver is a receiver under test that runs in a container.
type Receiver struct{ options ReceiverOptions }

// NewReceiver checks the options and makes the target; nothing is started yet.
func NewReceiver(o ReceiverOptions) (*Receiver, error) {
	if o.Source.empty() {
		return nil, errors.New("the receiver is no image")
	}
	if o.Name == "" {
		o.Name = o.Source.String()
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	r := &Receiver{o}
	if _, err := r.at(hookPort, readBackPort, nil); err != nil {
		return nil, err
	}
	return r, nil
}

// Info says what is known of the receiver.
func (r *Receiver) Info() targets.Info {
	o := r.options
	return targets.Info{Role: targets.RoleReceiver, Kind: "image", Name: o.Name, Version: o.Version, Claims: o.Claims}
}

// Start starts the container, with a certificate made for it, and the
// reference emitter that delivers to it. They outlive ctx; Close ends them.
func (r *Receiver) Start(ctx context.Context) (system *targets.System, err error) {
	var stops stack
	defer func() {
		if err != nil {
			err = errors.Join(err, stops.close())
		}
	}()
	hook, err := ports.Free()
	if err != nil {
		return nil, err
	}
	published := map[int]int{hookPort: hook}
	readBack := 0
	if r.readsBack() {
		if readBack, err = ports.Free(); err != nil {
			return nil, err
		}
		published[readBackPort] = readBack
	}
	ca, files, err := certificate()
	if err != nil {
		return nil, fmt.Errorf("make the receiver's certificate: %w", err)
	}
	ready, err := r.ready(hook, ca)
	if err != nil {
		return nil, err
	}
	stop, err := request{
		source: r.options.Source, log: r.options.Log, ports: published, variables: maps.Clone(r.options.Variables), files: files, ready: ready,
		must: fmt.Sprintf("the image has to answer HEAD %s on port %d, over HTTPS with the certificate in %s", hookPath, hookPort, certificateFile),
	}.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("start the receiver from %s: %w", r.options.Source, err)
	}
	stops.push(stop)
	target, err := r.at(hook, readBack, ca)
	if err != nil {
		return nil, err
	}
	if system, err = target.Start(ctx); err != nil {
		return nil, err
	}
	stops.push(system.Close)
	system.Close = stops.close
	return system, nil
}

func (r *Receiver) readsBack() bool { return slices.Contains(r.options.Claims, targets.CanReadBack) }

// at is the receiver as a target at the ports that are published for it.
func (r *Receiver) at(hook, readBack int, ca []byte) (*remote.Receiver, error) {
	o := r.options
	described := remote.ReceiverOptions{
		Hook: targets.Hook{
			URL: hookURL(hook), CA: ca, Headers: o.Headers, ClientCertificate: o.ClientCertificate, ClientKey: o.ClientKey,
		},
		Claims: o.Claims, Name: o.Name, Version: o.Version,
	}
	if r.readsBack() {
		described.ReadBack = remote.HTTPReadBack{URL: fmt.Sprintf("http://%s:%d/", loopback, readBack)}
	}
	return remote.NewReceiver(described)
}

func hookURL(port int) string { return fmt.Sprintf("https://%s:%d%s", loopback, port, hookPath) }

// certificate makes what the container shows of itself, for the address at
// which it is published.
func certificate() (ca []byte, files map[string][]byte, err error) {
	authority, err := pki.NewAuthority("hookproof receivers")
	if err != nil {
		return nil, nil, err
	}
	identity, err := authority.Issue(pki.Leaf{Hosts: []string{loopback}})
	if err != nil {
		return nil, nil, err
	}
	key, err := identity.KeyPEM()
	if err != nil {
		return nil, nil, err
	}
	return authority.PEM(), map[string][]byte{certificateFile: identity.ChainPEM(), keyFile: key}, nil
}

// ready waits until the receiver answers a HEAD in any way, with the
// certificate that it was given.
func (r *Receiver) ready(port int, ca []byte) (answering, error) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if len(r.options.ClientCertificate) > 0 {
		identity, err := pki.ReadIdentity(r.options.ClientCertificate, r.options.ClientKey)
		if err != nil {
			return answering{}, fmt.Errorf("read the client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{identity.TLS()}
	}
	return answering{url: hookURL(port), method: http.MethodHead, anyStatus: true, tls: config}, nil
}
