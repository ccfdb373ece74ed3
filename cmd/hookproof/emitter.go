package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/emitter"
	"github.com/hookproof/hookproof/simulator/emitter/pipeline"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

// emitterFlags are the flags of hookproof emitter.
type emitterFlags struct {
	options        emitter.Options
	cluster        storage.Cluster
	trustedProxies []string
	allowNetworks  []string
	denyNetworks   []string
	trustCAs       []string
	apiCert        string
	apiKey         string
	apiCAOut       string
	seed           string
	export         string
	sync           string
	secrets        bool
	logLevel       string
	hostile        hostileFlags
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

With --nats, a NATS cluster keeps everything instead. Emitters that name the
same one share environments, events, tokens and the clock; each subscription is
worked by one of them, and by another within ten seconds of that one's death.
Start them with the same --client-id and --client-secret, or with neither.
Faults hold for the process that they are switched on in.

With a control token it also serves the control API: events can be posted, the
clock advanced, and faults switched.`,
		Example: `  # in memory, on a free port
  hookproof emitter

  # events and configuration kept, a fixed client, the control API on
  hookproof emitter --listen 127.0.0.1:8080 --data ./emitter-data \
    --client-id suite --client-secret "$(openssl rand -hex 16)" --control-token local-control

  # over https, for clients that insist on it; they trust ca.pem
  hookproof emitter --data ./emitter-data --listen 127.0.0.1:8443 \
    --api-tls --api-host api.pingone.example --api-ca-out ca.pem

  # environments, users, subscriptions from a file; and everything back into one
  hookproof emitter --data ./emitter-data --seed tenant.yaml
  hookproof emitter --data ./emitter-data --export tenant.yaml

  # one of several that share a NATS cluster (2.12 or later, max_payload 8MB)
  hookproof emitter --nats nats://10.0.0.1:4222,nats://10.0.0.2:4222,nats://10.0.0.3:4222

  # an emitter that allows a 51st subscription
  hookproof emitter --fault limit-51`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // a second signal ends the process at once
			seed, chosen, err := flags.hostile.choose(cmd.Flags())
			if err != nil {
				return err
			}
			known := knobs(emitter.Faults(), func(f emitter.Fault) string { return f.Name })
			for _, name := range flags.options.Faults {
				if !slices.Contains(known, name) {
					return noSuchFault(name, known)
				}
			}
			if cmd.Flags().Changed("data") && flags.options.Dir == "" {
				return usageError("--data is empty; name a directory, or leave it out to keep everything in memory")
			}
			flags.options.Hostile = emitter.Hostile{Seed: seed, Knobs: chosen}
			return serveEmitter(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr(), flags)
		},
	}
	f, o := command.Flags(), &flags.options
	f.StringVar(&o.Listen, "listen", "127.0.0.1:0", "host and port of the management API")
	f.StringVar(&o.ControlListen, "control-listen", "", "host and port of the control API (default 127.0.0.1:0)")
	f.StringVar(&o.ControlToken, "control-token", "", "bearer token of the control API, which is off without one")
	f.StringVar(&o.Dir, "data", "", "directory that keeps everything (default: memory)")
	f.StringVar(&flags.sync, "sync", storage.DefaultSync.String(), "when --data is forced to the disk: always, or at least every `interval`; what was\nacknowledged since may be lost when the machine dies, not when the process does")
	f.StringVar(&flags.cluster.Servers, "nats", "", "`URLs` of an external NATS cluster, with commas between them, that keeps everything instead of --data")
	f.StringVar(&flags.cluster.Credentials, "nats-creds", "", "`file` with the credentials of a NATS user; a name and password go into the URL")
	f.StringVar(&flags.cluster.CA, "nats-ca", "", "PEM `file` of authorities that the NATS servers' certificates are checked against (default: the machine's)")
	f.IntVar(&flags.cluster.Replicas, "nats-replicas", 0, "on how many NATS servers everything is kept, 1 to 5 (default: 3 in a cluster)")
	f.StringVar(&o.PublicURL, "public-url", "", "URL by which clients reach the management API (default http://localhost:PORT, or https)")
	f.BoolVar(&o.HTTPS.On, "api-tls", false, "serve the management API over https only, HTTP/1.1 and HTTP/2")
	f.StringArrayVar(&o.HTTPS.Hosts, "api-host", nil, "`name` or address that the made certificate is for, beside localhost; repeatable")
	f.StringVar(&flags.apiCert, "api-cert", "", "PEM `file` of a certificate of your own, its intermediates after it (default: made)")
	f.StringVar(&flags.apiKey, "api-key", "", "PEM `file` of the private key of --api-cert")
	f.StringVar(&flags.apiCAOut, "api-ca-out", "", "`file` to write the authority of the made certificate to; --data keeps the authority")
	f.StringArrayVar(&flags.trustedProxies, "trusted-proxy", nil, "`CIDR` of proxies whose X-Forwarded-For is believed; repeatable")
	f.StringSliceVar(&flags.allowNetworks, "allow-networks", nil, "`CIDR`s that deliveries may go to, separated by commas (default: all but link-local and metadata addresses, which must be named)")
	f.StringSliceVar(&flags.denyNetworks, "deny-networks", nil, "`CIDR`s that deliveries may not go to, also when allowed")
	f.StringArrayVar(&flags.trustCAs, "trust-ca", nil, "PEM `file` of certificates that deliveries trust beside the machine's; repeatable")
	f.DurationVar(&o.Linger, "linger", pipeline.DefaultLinger, "how long a payload waits for more events, at most 2s; 0: not at all")
	f.DurationVar(&o.RetryInitial, "retry-initial", pipeline.DefaultRetryInitial, "wait after the first failed attempt; it doubles with each")
	f.DurationVar(&o.RetryMax, "retry-max", pipeline.DefaultRetryMax, "longest wait between attempts")
	f.BoolVar(&o.Accept2xx, "accept-2xx", false, "let any 2xx end a delivery, not only the documented 200: for receivers that answer 202 or 204")
	f.DurationVar(&o.AttemptTimeout, "attempt-timeout", pipeline.DefaultAttemptTimeout, "longest one attempt may take")
	f.DurationVar(&o.ShutdownTimeout, "shutdown-timeout", pipeline.DefaultGrace, "how long attempts under way may go on after Ctrl-C or SIGTERM, 0: not at all; a second one ends at once")
	f.StringVar(&o.Environment, "environment", "", "id of the first environment (default: made)")
	f.StringVar(&o.ClientID, "client-id", "", "`id` of the client that may act in every environment (default: made)")
	f.StringVar(&o.ClientSecret, "client-secret", "", "`secret` of --client-id (default: made)")
	f.StringArrayVar(&o.Faults, "fault", nil, "`name` of a deliberate defect; repeatable")
	flags.hostile.add(f, knobs(emitter.Knobs(), func(k emitter.Knob) string { return k.Name }))
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
	if err := flags.time(&o); err != nil {
		return err
	}
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
		return blameListener(blameSeed(err), "--listen and --control-listen take")
	}
	if err := flags.announce(out, e); err != nil {
		return errors.Join(err, e.Close())
	}
	<-ctx.Done()
	return e.Close()
}

// time makes the durations those of the options, whose zero value stands for the
// default.
func (flags emitterFlags) time(o *emitter.Options) error {
	for _, f := range []struct {
		name string
		is   time.Duration
	}{{"retry-initial", o.RetryInitial}, {"retry-max", o.RetryMax}, {"attempt-timeout", o.AttemptTimeout}} {
		if f.is == 0 {
			return usageError("--%s: must be longer than 0, such as 1s", f.name)
		}
	}
	for _, d := range []*time.Duration{&o.Linger, &o.ShutdownTimeout} {
		if *d == 0 {
			*d = time.Nanosecond // as good as not at all
		}
	}
	return nil
}

// read puts the contents of the files that flags name into the options.
func (flags emitterFlags) read(o *emitter.Options) error {
	for _, networks := range []struct {
		flag  string
		texts []string
		into  *[]netip.Prefix
	}{
		{"trusted-proxy", flags.trustedProxies, &o.TrustedProxies},
		{"allow-networks", flags.allowNetworks, &o.Networks.Allow},
		{"deny-networks", flags.denyNetworks, &o.Networks.Deny},
	} {
		for _, text := range networks.texts {
			network, err := netip.ParsePrefix(text)
			if err != nil {
				return usageError("--%s: %q is no CIDR such as 10.0.0.0/8", networks.flag, text)
			}
			*networks.into = append(*networks.into, network)
		}
	}
	var err error
	if o.Sync, err = storage.ParseSync(flags.sync); err != nil {
		return usageError("--sync: %v", err)
	}
	for _, file := range flags.trustCAs {
		data, err := os.ReadFile(file)
		if err != nil {
			return usageError("--trust-ca: %v", err)
		}
		if _, err := pki.ReadCertificates(data); err != nil {
			return usageError("--trust-ca %s: %v", file, err)
		}
		o.TrustedCAs = append(o.TrustedCAs, data)
	}
	if err := flags.readCluster(o); err != nil {
		return err
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

// readCluster makes the options those of a cluster, if one is named.
func (flags emitterFlags) readCluster(o *emitter.Options) error {
	c := flags.cluster
	if c.Servers == "" {
		if c != (storage.Cluster{}) {
			return usageError("--nats-creds, --nats-ca and --nats-replicas need --nats")
		}
		return nil
	}
	switch {
	case flags.sync != storage.DefaultSync.String():
		return usageError("--sync is about --data; how a NATS cluster syncs is said in its own configuration (sync_interval)")
	case o.Dir != "":
		return usageError("--data and --nats exclude each other: one of them keeps everything")
	}
	if err := c.Check(); err != nil {
		return usageError("--nats: %v", err)
	}
	o.Cluster = &c
	return nil
}

// blameListener makes an address that cannot be listened on a mistake of whoever
// called; what takes addresses are the flags that say where, as a sentence begins.
func blameListener(err error, whatTakes string) error {
	var listen *net.OpError
	if errors.As(err, &listen) && listen.Op == "listen" {
		return usageError("%v; %s a host of this machine and a port from 0 to 65535 that nothing else listens on, such as 127.0.0.1:8080; 0 is any free port", err, whatTakes)
	}
	return err
}

// announce says how the emitter is reached, after the file that clients may
// need is there.
func (flags emitterFlags) announce(out io.Writer, e *emitter.Emitter) error {
	if flags.apiCAOut != "" {
		if err := os.WriteFile(flags.apiCAOut, e.Authority(), 0o644); err != nil {
			return fmt.Errorf("write the authority: %w", err)
		}
	}
	flags.hostile.announce(out)
	if err := announceEmitter(out, e, flags.options.ClientSecret != ""); err != nil {
		return fmt.Errorf("print the addresses: %w", err)
	}
	return nil
}

// announcedEnvironments is how many environments beside the first are printed,
// as those of a seed; a client lists all.
const announcedEnvironments = 10

// announceOthers prints the environments beside the client's own.
func announceOthers(p *printer, e *emitter.Emitter, own string) {
	others := slices.DeleteFunc(e.Environments(), func(other emitter.Environment) bool { return other.ID == own })
	for i, other := range others {
		if i == announcedEnvironments {
			p.printf("                and %d more environments: GET /v1/environments\n", len(others)-i)
			return
		}
		p.printf("Beside it       %s  %s\n", other.ID, strconv.Quote(other.Name))
	}
}

// announceEmitter prints how the emitter is reached; chosen says that whoever
// starts it has given the secret, and knows it.
func announceEmitter(out io.Writer, e *emitter.Emitter, chosen bool) error {
	p := &printer{out: out}
	environment, id, secret := e.Bootstrap()
	p.printf("Management API  %s/v1\n", e.URL())
	if control := e.ControlURL(); control != "" {
		p.printf("Control API     %s/control\n", control)
	}
	p.printf("Environment     %s\nClient          %s\n", environment, id)
	switch {
	case e.SecretGenerated():
		p.printf("Client secret   %s\n", secret)
	case !chosen:
		p.printf("Client secret   the one that was printed or given when it was made\n")
	}
	p.printf("Token           %s/%s/as/token\n", e.URL(), environment)
	announceOthers(p, e, environment)
	p.printf("Stop with Ctrl-C.\n")
	return p.err
}
