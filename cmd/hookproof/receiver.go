package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof/simulator/receiver"
	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
)

// receiverFlags are the flags of hookproof receiver.
type receiverFlags struct {
	options   receiver.Options
	caOut     string
	ports     map[string]int
	tlsCert   string
	tlsKey    string
	clientCA  string
	behaviour string
	hostile   hostileFlags
}

// memoryBeside is what the process may take beside what is recorded, before
// the garbage collector works harder: the same bound that is tested.
const memoryBeside = 24 << 20

// receiverCommand serves the receiver simulator until it is interrupted.
func receiverCommand() *cobra.Command {
	var flags receiverFlags
	command := &cobra.Command{
		Use:   "receiver",
		Short: "Serve the receiver simulator",
		Long: `Serve the receiver simulator: webhook listeners with every kind of certificate,
each delivery recorded byte for byte before it is answered.

It prints the addresses of the listeners and a subscription to paste into your
emitter. Watch what arrives in a browser at the inspection address, or read it
at /inspect/deliveries; /inspect/openapi.json describes the API. Make further
endpoints there, each with a behaviour of its own: one with a name (see
/inspect/behaviours) or a script of statuses, delays, resets and more.`,
		Example: `  # on loopback, without a token
  hookproof receiver --ca-out receiver-root.pem

  # on fixed ports, keeping everything across restarts
  hookproof receiver --port trusted=8443,plain=8080 --inspect-listen 127.0.0.1:8089 --data receiver-data

  # reachable from other machines
  hookproof receiver --listen-host 0.0.0.0 --advertise-host receiver.example.com \
    --inspect-listen 0.0.0.0:8089 --inspect-token "$(openssl rand -hex 16)"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			seed, chosen, err := flags.hostile.choose(cmd.Flags())
			if err != nil {
				return err
			}
			flags.options.Hostile = receiver.Hostile{Seed: seed, Knobs: chosen}
			return serveReceiver(ctx, cmd.OutOrStdout(), flags)
		},
	}
	f := command.Flags()
	f.StringVar(&flags.options.ListenHost, "listen-host", "127.0.0.1", "host to which the webhook listeners bind")
	f.StringVar(&flags.options.AdvertiseHost, "advertise-host", "", "host in URLs and certificates (default: the listen host)")
	f.StringVar(&flags.options.InspectListen, "inspect-listen", "127.0.0.1:0", "host and port of the inspection API")
	f.StringVar(&flags.options.InspectToken, "inspect-token", "", "bearer token of the inspection API, needed off loopback")
	f.Int64Var(&flags.options.MaxBytes, "max-bytes", receiver.DefaultMaxBytes, "memory for deliveries in bytes; the oldest leave first")
	f.IntVar(&flags.options.MaxDeliveries, "max-deliveries", receiver.DefaultMaxDeliveries, "deliveries kept; the oldest leave first")
	f.StringVar(&flags.caOut, "ca-out", "", "file to which the trusted root certificate is written (PEM)")
	f.StringToIntVar(&flags.ports, "port", nil, "fixed ports of listeners, such as trusted=8443 (repeatable)")
	f.StringVar(&flags.tlsCert, "tls-cert", "", "certificate chain to present instead of the trusted one (PEM file)")
	f.StringVar(&flags.tlsKey, "tls-key", "", "its private key (PEM file)")
	f.StringVar(&flags.options.TLS.Min, "tls-min", "", "lowest TLS version, 1.2 or 1.3")
	f.StringVar(&flags.options.TLS.Max, "tls-max", "", "highest TLS version, 1.2 or 1.3")
	f.StringVar(&flags.clientCA, "client-ca", "", "authorities whose client certificates mtls-verified accepts (PEM file)")
	f.StringVar(&flags.options.Data, "data", "", "folder in which deliveries are kept across restarts (default: memory only)")
	f.StringVar(&flags.behaviour, "behaviour", "", "behaviour of the first endpoint: a name, or a script in JSON or YAML")
	flags.hostile.add(f, knobs(receiver.Knobs(), func(k receiver.Knob) string { return k.Name }))
	return command
}

// complete reads what the flags name into the options.
func (f *receiverFlags) complete() error {
	f.options.Ports = map[receiver.Mode]int{}
	for mode, port := range f.ports {
		f.options.Ports[receiver.Mode(mode)] = port
	}
	if f.tlsCert != "" || f.tlsKey != "" {
		pair, err := tls.LoadX509KeyPair(f.tlsCert, f.tlsKey)
		if err != nil {
			return usageError("--tls-cert and --tls-key: %v", err)
		}
		f.options.Certificate = &pair
	}
	if f.clientCA != "" {
		authorities, err := os.ReadFile(f.clientCA)
		if err != nil {
			return usageError("--client-ca: %v", err)
		}
		f.options.ClientCAs = authorities
	}
	if err := f.options.Check(); err != nil {
		return usageError("%v", err)
	}
	return nil
}

func serveReceiver(ctx context.Context, out io.Writer, flags receiverFlags) error {
	if err := flags.complete(); err != nil {
		return err
	}
	request := receiver.EndpointRequest{Name: firstEndpoint}
	given := flags.behaviour != ""
	if given {
		b, err := behaviour.ParseYAML([]byte(flags.behaviour)) // JSON is YAML
		if err != nil {
			return usageError("--behaviour: %v", err)
		}
		request.Behaviour = b
	}
	debug.SetMemoryLimit(flags.options.MaxBytes + memoryBeside)
	r, err := receiver.Start(ctx, flags.options)
	if err != nil {
		return blameListener(err, "--inspect-listen, and --listen-host with --port, take")
	}
	defer r.Close()
	if flags.caOut != "" {
		if err := os.WriteFile(flags.caOut, r.RootPEM(), 0o644); err != nil {
			return usageError("--ca-out: %v", err)
		}
	}
	endpoint, err := endpointNamed(r, request, given)
	if err != nil {
		return err
	}
	flags.hostile.announce(out)
	if err := announceReceiver(out, r, endpoint, flags.caOut); err != nil {
		return fmt.Errorf("print the addresses: %w", err)
	}
	<-ctx.Done()
	return nil
}

// firstEndpoint is the name of the endpoint that the command makes.
const firstEndpoint = "first endpoint"

// endpointNamed takes up the endpoint of that name which an earlier run left,
// or makes it. An earlier one gets the behaviour if one was given.
func endpointNamed(r *receiver.Receiver, request receiver.EndpointRequest, given bool) (receiver.EndpointInfo, error) {
	for _, e := range r.Endpoints() {
		switch {
		case e.Name != request.Name:
		case given:
			return e, r.SetBehaviour(e.ID, request.Behaviour)
		default:
			return e, nil
		}
	}
	return r.CreateEndpoint(request)
}

// announceReceiver prints where the receiver is and how to subscribe to it.
// The inspection token is not among it: whoever started the receiver has it.
func announceReceiver(out io.Writer, r *receiver.Receiver, endpoint receiver.EndpointInfo, caOut string) error {
	p := &printer{out: out}
	p.printf("Inspection API and page  %s/\n", r.InspectURL())
	p.printf("Deliveries               %s/inspect/endpoints/%s/deliveries?wait=60s\n", r.InspectURL(), endpoint.ID)
	p.printf("API description          %s/inspect/openapi.json\n\n", r.InspectURL())
	p.printf("Webhook, by how the listener presents itself:\n")
	for _, mode := range receiver.Modes() {
		p.printf("  %-14s %s\n", mode, endpoint.URLs[mode])
	}
	subscription, err := r.Subscription(endpoint.ID, receiver.Trusted)
	if err != nil {
		return err
	}
	p.printf("\nA subscription to paste (POST /v1/environments/{environment}/subscriptions):\n%s\n\n", subscription)
	p.printf("To have verifyTlsCertificates true, first upload the trusted root")
	if caOut != "" {
		p.printf(" (%s)", caOut)
	} else {
		p.printf(" (--ca-out FILE writes it)")
	}
	p.printf(" with usage type SSL/TLS.\nStop with Ctrl-C.\n")
	return p.err
}

// printer prints until the first error.
type printer struct {
	out io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format, args...)
	}
}
