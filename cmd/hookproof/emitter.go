package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof/simulator/emitter"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/seed"
)

// emitterFlags are the flags of hookproof emitter.
type emitterFlags struct {
	options        emitter.Options
	trustedProxies []string
	trustCAs       []string
	apiCert        string
	apiKey         string
	apiCAOut       string
	seed           string
	export         string
	secrets        bool
	logLevel       string
}

// emitterCommand serves the reference emitter until it is interrupted.
func emitterCommand() *cobra.Command {
	var flags emitterFlags
	command := &cobra.Command{
		Use:   "emitter",
		Short: "Serve the reference emitter",
		Long: `Serve the reference emitter: PingOne's management API for webhooks and for what
they watch, with an audit log whose events are delivered to the subscribers.

It prints its addresses and the client that may act in every environment; the
secret only when it was made just now. With --data everything that was
acknowledged survives the process, however it ends.

With a control token it also serves the control API: events can be posted, the
clock advanced, and faults switched.`,
		Example: `  # in memory, on a free port
  hookproof emitter

  # events and configuration kept, a fixed client, the control API on
  hookproof emitter --listen 127.0.0.1:8080 --data ./emitter-data \
    --client-id suite --client-secret "$(openssl rand -hex 16)" --control-token local

  # over https, for clients that insist on it; they trust ca.pem
  hookproof emitter --data ./emitter-data --listen 127.0.0.1:8443 \
    --api-tls --api-host api.pingone.example --api-ca-out ca.pem

  # environments, users, subscriptions from a file; and everything back into one
  hookproof emitter --data ./emitter-data --seed tenant.yaml
  hookproof emitter --data ./emitter-data --export tenant.yaml

  # an emitter that allows a 51st subscription
  hookproof emitter --fault limit-51`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return serveEmitter(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr(), flags)
		},
	}
	f, o := command.Flags(), &flags.options
	f.StringVar(&o.Listen, "listen", "127.0.0.1:0", "host and port of the management API")
	f.StringVar(&o.ControlListen, "control-listen", "", "host and port of the control API (default 127.0.0.1:0)")
	f.StringVar(&o.ControlToken, "control-token", "", "bearer token of the control API, which is off without one")
	f.StringVar(&o.Dir, "data", "", "directory that keeps everything (default: memory)")
	f.StringVar(&o.PublicURL, "public-url", "", "URL by which clients reach the management API (default http://localhost:PORT, or https)")
	f.BoolVar(&o.HTTPS.On, "api-tls", false, "serve the management API over https only, HTTP/1.1 and HTTP/2")
	f.StringArrayVar(&o.HTTPS.Hosts, "api-host", nil, "`name` or address that the made certificate is for, beside localhost; repeatable")
	f.StringVar(&flags.apiCert, "api-cert", "", "PEM `file` of a certificate of your own, its intermediates after it (default: made)")
	f.StringVar(&flags.apiKey, "api-key", "", "PEM `file` of its private key")
	f.StringVar(&flags.apiCAOut, "api-ca-out", "", "`file` to write the authority of the made certificate to; --data keeps the authority")
	f.StringArrayVar(&flags.trustedProxies, "trusted-proxy", nil, "`CIDR` of proxies whose X-Forwarded-For is believed; repeatable")
	f.StringArrayVar(&flags.trustCAs, "trust-ca", nil, "PEM `file` of certificates that deliveries trust beside the machine's; repeatable")
	f.DurationVar(&o.Linger, "linger", pipeline.DefaultLinger, "how long a payload waits for more events, at most 2s")
	f.DurationVar(&o.RetryInitial, "retry-initial", pipeline.DefaultRetryInitial, "wait after the first failed attempt; it doubles with each")
	f.DurationVar(&o.RetryMax, "retry-max", pipeline.DefaultRetryMax, "longest wait between attempts")
	f.DurationVar(&o.AttemptTimeout, "attempt-timeout", pipeline.DefaultAttemptTimeout, "longest one attempt may take")
	f.StringVar(&o.Environment, "environment", "", "id of the first environment (default: made)")
	f.StringVar(&o.ClientID, "client-id", "", "client that may act in every environment (default: made)")
	f.StringVar(&o.ClientSecret, "client-secret", "", "its secret (default: made)")
	f.StringArrayVar(&o.Faults, "fault", nil, "`name` of a deliberate defect; repeatable")
	f.StringVar(&flags.seed, "seed", "", "YAML `file` of environments to begin with; those that are there already stay as they are")
	f.StringVar(&flags.export, "export", "", "write everything to a YAML `file` that --seed takes (- for standard output), and end")
	f.BoolVar(&flags.secrets, "export-secrets", false, "export client secrets, private keys and header values too")
	f.StringVar(&flags.logLevel, "log-level", "info", "debug, info, warn or error; the log goes to standard error")
	return command
}

func serveEmitter(ctx context.Context, out, log io.Writer, flags emitterFlags) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(flags.logLevel)); err != nil {
		return usageError("--log-level: %v", err)
	}
	o := flags.options
	o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level}))
	if err := flags.read(&o); err != nil {
		return err
	}
	if err := o.Check(); err != nil {
		return usageError("%v", err)
	}
	closeSeed, err := flags.openSeed(&o)
	if err != nil {
		return err
	}
	defer closeSeed()
	if flags.export != "" {
		return blameSeed(flags.exportTo(ctx, out, o))
	}
	e, err := emitter.Start(ctx, o)
	if err != nil {
		return blameSeed(err)
	}
	if err := flags.announce(out, e); err != nil {
		return errors.Join(err, e.Close())
	}
	<-ctx.Done()
	return e.Close()
}

// read puts the contents of the files that flags name into the options.
func (flags emitterFlags) read(o *emitter.Options) error {
	for _, text := range flags.trustedProxies {
		proxies, err := netip.ParsePrefix(text)
		if err != nil {
			return usageError("--trusted-proxy: %q is no CIDR such as 10.0.0.0/8", text)
		}
		o.TrustedProxies = append(o.TrustedProxies, proxies)
	}
	for _, file := range flags.trustCAs {
		data, err := os.ReadFile(file)
		if err != nil {
			return usageError("--trust-ca: %v", err)
		}
		o.TrustedCAs = append(o.TrustedCAs, data)
	}
	if flags.apiCAOut != "" && (!o.HTTPS.On || flags.apiCert != "") {
		return usageError("--api-ca-out needs --api-tls with a certificate that is made")
	}
	for flag, own := range map[string]struct {
		file string
		into *[]byte
	}{"api-cert": {flags.apiCert, &o.HTTPS.Certificate}, "api-key": {flags.apiKey, &o.HTTPS.Key}} {
		if own.file == "" {
			continue
		}
		data, err := os.ReadFile(own.file)
		if err != nil {
			return usageError("--%s: %v", flag, err)
		}
		*own.into = data
	}
	return nil
}

// openSeed opens the seed; files that it names are found from where it is.
func (flags emitterFlags) openSeed(o *emitter.Options) (func() error, error) {
	if flags.secrets && flags.export == "" {
		return nil, usageError("--export-secrets needs --export")
	}
	if flags.seed == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Open(flags.seed)
	if err != nil {
		return nil, usageError("--seed: %v", err)
	}
	o.Seed = &seed.File{Name: flags.seed, Content: file, Open: func(name string) (io.ReadCloser, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(flags.seed), name)
		}
		return os.Open(name)
	}}
	return file.Close, nil
}

// blameSeed makes a seed that is not valid a mistake of whoever called.
func blameSeed(err error) error {
	var invalid *seed.Invalid
	if errors.As(err, &invalid) {
		return usageError("--seed: %v", invalid)
	}
	return err
}

// exportTo writes a file that only its owner can read, and only when it is
// whole.
func (flags emitterFlags) exportTo(ctx context.Context, out io.Writer, o emitter.Options) error {
	var text bytes.Buffer
	if err := emitter.Export(ctx, o, &text, flags.secrets); err != nil {
		return err
	}
	if flags.export == "-" {
		_, err := out.Write(text.Bytes())
		return err
	}
	// A new file takes the place of an old one, which others might read.
	file, err := os.CreateTemp(filepath.Dir(flags.export), ".export-*")
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	_, err = file.Write(text.Bytes())
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), flags.export)
	}
	if err != nil {
		return fmt.Errorf("export: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}

// announce says how the emitter is reached, after the file that clients may
// need is there.
func (flags emitterFlags) announce(out io.Writer, e *emitter.Emitter) error {
	if flags.apiCAOut != "" {
		if err := os.WriteFile(flags.apiCAOut, e.Authority(), 0o644); err != nil {
			return fmt.Errorf("write the authority: %w", err)
		}
	}
	if err := announceEmitter(out, e); err != nil {
		return fmt.Errorf("print the addresses: %w", err)
	}
	return nil
}

func announceEmitter(out io.Writer, e *emitter.Emitter) error {
	p := &printer{out: out}
	environment, id, secret := e.Bootstrap()
	p.printf("Management API  %s/v1\n", e.URL())
	if control := e.ControlURL(); control != "" {
		p.printf("Control API     %s/control\n", control)
	}
	p.printf("Environment     %s\nClient          %s\n", environment, id)
	if e.SecretGenerated() {
		p.printf("Client secret   %s\n", secret)
	}
	p.printf("Token           %s/%s/as/token\nStop with Ctrl-C.\n", e.URL(), environment)
	return p.err
}
