package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof/simulator/receiver"
)

// receiverFlags are the flags of hookproof receiver.
type receiverFlags struct {
	options receiver.Options
	caOut   string
}

// receiverCommand serves the receiver simulator until it is interrupted.
func receiverCommand() *cobra.Command {
	var flags receiverFlags
	command := &cobra.Command{
		Use:   "receiver",
		Short: "Serve the receiver simulator",
		Long: `Serve the receiver simulator: webhook listeners with every kind of certificate,
each delivery recorded byte for byte before it is answered.

It prints the addresses of the listeners and a subscription to paste into your
emitter. Read what arrives at /inspect/endpoints/{id}/deliveries of the
inspection API, or in a browser at its address.`,
		Example: `  # on loopback, without a token
  hookproof receiver --ca-out receiver-root.pem

  # reachable from other machines
  hookproof receiver --listen-host 0.0.0.0 --advertise-host receiver.example.com \
    --inspect-listen 0.0.0.0:8089 --inspect-token "$(openssl rand -hex 16)"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
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
	return command
}

func serveReceiver(ctx context.Context, out io.Writer, flags receiverFlags) error {
	if err := flags.options.Check(); err != nil {
		return usageError("%v", err)
	}
	r, err := receiver.Start(ctx, flags.options)
	if err != nil {
		return err
	}
	defer r.Close()
	if flags.caOut != "" {
		if err := os.WriteFile(flags.caOut, r.RootPEM(), 0o644); err != nil {
			return usageError("--ca-out: %v", err)
		}
	}
	endpoint, err := r.CreateEndpoint(receiver.EndpointRequest{Name: "first endpoint"})
	if err != nil {
		return err
	}
	if err := announceReceiver(out, r, endpoint, flags.caOut); err != nil {
		return fmt.Errorf("print the addresses: %w", err)
	}
	<-ctx.Done()
	return nil
}

// announceReceiver prints where the receiver is and how to subscribe to it.
// The inspection token is not among it: whoever started the receiver has it.
func announceReceiver(out io.Writer, r *receiver.Receiver, endpoint receiver.EndpointInfo, caOut string) error {
	p := &printer{out: out}
	p.printf("Inspection API and page  %s/\n", r.InspectURL())
	p.printf("Deliveries               %s/inspect/endpoints/%s/deliveries?wait=60s\n\n", r.InspectURL(), endpoint.ID)
	p.printf("Webhook, by how the listener presents itself:\n")
	for _, mode := range receiver.Modes() {
		p.printf("  %-14s %s\n", mode, endpoint.URLs[mode])
	}
	subscription, err := subscriptionFor(endpoint.URLs[receiver.Trusted])
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

// subscriptionFor is a subscription that works as pasted: it does not verify
// the certificate, whose root no service knows before it is uploaded.
func subscriptionFor(url string) ([]byte, error) {
	type object = map[string]any
	return json.MarshalIndent(object{
		"name":                  "hookproof receiver",
		"enabled":               true,
		"protocol":              "HTTPS",
		"format":                "ACTIVITY",
		"httpEndpoint":          object{"url": url},
		"verifyTlsCertificates": false,
		"filterOptions": object{
			"includedActionTypes": []string{"USER.CREATED", "USER.UPDATED", "USER.DELETED"},
			"ipAddressExposed":    false,
			"userAgentExposed":    false,
		},
	}, "", "  ")
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
