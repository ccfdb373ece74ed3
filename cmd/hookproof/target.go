package main

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hookproof/hookproof"
	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/internal/nearest"
	"github.com/hookproof/hookproof/internal/secrets"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/embedded"
	"github.com/hookproof/hookproof/targets/remote"
)

// targetFlags say who is tested.
type targetFlags struct {
	target, auth, environment, clientID, clientSecret, token, ca, control, controlToken, name, version string
	rate, trigger, triggerToken, receiverListen, receiverHost, receiverImage                           string
	claims, faults, variables                                                                          []string
	hook                                                                                               hookFlags
	hostile                                                                                            hostileFlags
}

func (t *targetFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&t.target, "target", "embedded", "who is tested: «embedded», the `URL` of an emitter's management API, without /v1, or with --role receiver that to which deliveries go, or image: with an image or a folder with a Dockerfile")
	flags.StringVar(&t.auth, "auth", "", "base `URL` of the token endpoints; default: the target")
	flags.StringVar(&t.environment, "environment", "", "`id` of the environment that the credentials belong to")
	flags.StringVar(&t.clientID, "client-id", "", "`id` of the worker application that acts for the suite")
	flags.StringVar(&t.clientSecret, "client-secret", "", "`secret` of --client-id; better set as HOOKPROOF_CLIENT_SECRET")
	flags.StringVar(&t.token, "token", "", "access `token` to use instead of --client-id and --client-secret; better set as HOOKPROOF_TOKEN")
	flags.StringVar(&t.ca, "ca", "", "PEM `file` of the authorities to trust for the target: the emitter's API, or the receiver under test")
	flags.StringVar(&t.control, "control", "", "base `URL` of the target's control API, by which events are posted and the clock is advanced")
	flags.StringVar(&t.controlToken, "control-token", "", "`token` of the API at --control; better set as HOOKPROOF_CONTROL_TOKEN")
	flags.StringVar(&t.name, "target-name", "", "the target's `name` in reports; default: its URL")
	flags.StringVar(&t.version, "target-version", "", "the target's `version` in reports")
	flags.StringSliceVar(&t.claims, "claim", nil, "a `capability` that the target claims, such as environments; repeatable; an unknown name lists all")
	t.hook.add(flags)
	flags.StringVar(&t.rate, "rate", "", "most `calls` to the target in a second, minute or hour, such as 10/s, 600/m or 3000/h; what it answers 429 is made again in any case")
	flags.StringVar(&t.trigger, "event-hook", "", "`URL` to which the suite posts the events that it wants to happen; see docs/triggers.md")
	flags.StringVar(&t.triggerToken, "event-hook-token", "", "bearer `token` for --event-hook; better set as HOOKPROOF_EVENT_HOOK_TOKEN")
	flags.StringVar(&t.receiverListen, "receiver-listen", "", "`address` that the receiver simulator listens on, such as 0.0.0.0, for an emitter on another machine (default: 127.0.0.1)")
	flags.StringVar(&t.receiverHost, "receiver-host", "", "`host` by which an emitter under test reaches the receiver simulator (default: that of --receiver-listen)")
	flags.StringVar(&t.receiverImage, "receiver-image", "", "run the receiver simulator from this `image`, or from one built from a folder")
	flags.StringArrayVar(&t.variables, "image-env", nil, "`NAME=VALUE` for the container of --target image:…; repeatable")
	flags.StringSliceVar(&t.faults, "fault", nil, "switch on a deliberate `fault` of the embedded emitter or receiver, to see the suite notice it; repeatable; «hookproof plan --faults» lists all")
	t.hostile.add(flags, knobs(embedded.Liberties(), func(l embedded.Liberty) string { return l.Name }))
}

// make makes the target that the flags describe, for the role that is to be
// tested of it.
func (t *targetFlags) make(flags *pflag.FlagSet, role string) (targets.Target, error) {
	if err := knownRole(role); err != nil {
		return nil, err
	}
	seed, knobs, err := t.hostile.choose(flags)
	if err != nil {
		return nil, err
	}
	if seed != 0 && t.target != "embedded" {
		return nil, usageError("--hostile is about the embedded pair; serve the emitter or the receiver with it")
	}
	if given := t.hook.given(); given != "" && (t.target == "embedded" || role != string(targets.RoleReceiver)) {
		return nil, usageError("--%s is about a receiver of your own: --role receiver --target https://… or image:…", given)
	}
	if len(t.variables) > 0 && !strings.HasPrefix(t.target, imagePrefix) {
		return nil, usageError("--image-env is about a target image:…")
	}
	if t.receiverImage != "" && role == string(targets.RoleReceiver) {
		return nil, usageError("--receiver-image is the receiver simulator's, for an emitter under test; a receiver under test is --target image:…")
	}
	switch {
	case t.isURL() && role == string(targets.RoleReceiver):
		return t.receiver()
	case strings.HasPrefix(t.target, imagePrefix) && role == string(targets.RoleReceiver):
		return t.imageOfReceiver()
	case t.isImage():
		return t.image()
	case t.target == "embedded":
		if given := t.remoteOnly(); given != "" {
			return nil, usageError("--%s is about a target at a URL, and --target is embedded", given)
		}
		if err := knownFaults(t.faults, role); err != nil {
			return nil, err
		}
		return embedded.New(embedded.Options{Role: targets.Role(role), Faults: t.faults, Hostile: embedded.Hostile{Seed: seed, Knobs: knobs}}), nil
	case t.isURL():
		return t.remote(role)
	}
	return nil, usageError("--target is neither «embedded», nor an http or https URL, nor image: with a name%s", t.meant(role))
}

// knownRole refuses a role that does not exist, before it is taken for another
// one. Empty is both.
func knownRole(role string) error {
	if err := hookproof.CheckRole(role); err != nil {
		return usageError("--role: %v", err)
	}
	return nil
}

// meant is the target that was probably meant by one that is none: an address
// without a scheme is offered with one, that of a receiver without its path,
// which may be a secret.
func (t *targetFlags) meant(role string) string {
	if near := nearest.To(t.target, []string{"embedded"}); near != "" {
		return "; did you mean " + near + "?"
	}
	u, err := url.Parse("https://" + t.target)
	switch {
	case err != nil || strings.Contains(t.target, "://") || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return ""
	case u.Port() == "" && !strings.Contains(u.Hostname(), ".") && u.Hostname() != "localhost":
		return ""
	case role == features.Receiver && u.Path != "":
		return "; try https://" + u.Host + "/…"
	case role != features.Receiver && isLoopback(u.Hostname()):
		return "; try http://" + t.target
	}
	return "; try https://" + t.target
}

func (t *targetFlags) isURL() bool {
	return strings.HasPrefix(t.target, "http://") || strings.HasPrefix(t.target, "https://")
}

// plainAddress refuses an address that carries more than where something is:
// it goes into the report. The address itself is not repeated.
func plainAddress(flag, address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return usageError("--%s is no http or https URL", flag)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		instead := "--client-secret and --token"
		switch flag {
		case "event-hook":
			instead = "--event-hook-token"
		case "read-back":
			instead = "--read-back-header"
		}
		return usageError("--%s holds credentials or a query, which do not belong into an address; see %s", flag, instead)
	}
	return nil
}

// capabilities are the names that --claim takes for a target of the role.
func capabilities(c *features.Catalogue, role string) []string {
	var names []string
	for _, k := range c.Capabilities {
		if k.Role == role {
			names = append(names, k.Name)
		}
	}
	return names
}

// knownFaults refuses names of faults that do not exist, and those of the end
// that is not tested.
func knownFaults(names []string, role string) error {
	ends := map[string]targets.Role{}
	for _, f := range embedded.Faults() {
		ends[f.Name] = f.Role
	}
	for _, name := range names {
		end, known := ends[name]
		switch {
		case !known:
			return noSuchFault(name, slices.Sorted(maps.Keys(ends)))
		case (role == string(targets.RoleEmitter) || role == string(targets.RoleReceiver)) && role != string(end):
			return usageError("fault %s is one of the %s, and --role is %s", name, end, role)
		}
	}
	return nil
}

func noSuchFault(name string, known []string) error {
	return usageError("--fault: there is no fault %q; %s", name, nearest.Hint(name, known, "hookproof plan --faults"))
}

// remoteOnly is a flag that is set and that makes no sense for the embedded
// target; empty if there is none.
func (t *targetFlags) remoteOnly() string {
	for _, f := range []struct{ name, value string }{
		{"target-name", t.name}, {"target-version", t.version}, {"claim", strings.Join(t.claims, ",")},
	} {
		if f.value != "" {
			return f.name
		}
	}
	return t.reached()
}

// remote makes the target of an emitter at a URL; role is the one that was asked
// for.
func (t *targetFlags) remote(role string) (*remote.Target, error) {
	if len(t.faults) > 0 {
		return nil, usageError("--fault is about the embedded emitter; at a URL, switch faults by the control API")
	}
	for _, f := range []struct{ name, value string }{{"target", t.target}, {"auth", t.auth}, {"control", t.control}, {"event-hook", t.trigger}} {
		if err := plainAddress(f.name, f.value); err != nil {
			return nil, err
		}
	}
	switch {
	case strings.HasSuffix(strings.TrimSuffix(t.target, "/"), "/v1"):
		return nil, usageError("--target is without /v1, which the suite adds: --target %s", strings.TrimSuffix(strings.TrimSuffix(t.target, "/"), "/v1"))
	case t.environment == "" && role != features.Emitter:
		return nil, usageError("--environment is missing: the id of the environment that the credentials belong to; if a receiver is tested, --role receiver is missing")
	case t.environment == "":
		return nil, usageError("--environment is missing: the id of the environment that the credentials belong to")
	case t.token == "" && (t.clientID == "" || t.clientSecret == ""):
		return nil, usageError("credentials are missing: --client-id with HOOKPROOF_CLIENT_SECRET, or HOOKPROOF_TOKEN")
	}
	o := remote.Options{
		Emitter: targets.Emitter{
			API: strings.TrimSuffix(t.target, "/"), Auth: strings.TrimSuffix(t.auth, "/"), Environment: t.environment,
			ClientID: t.clientID, ClientSecret: t.clientSecret, Token: t.token, Control: strings.TrimSuffix(strings.TrimSuffix(t.control, "/"), "/control"), ControlToken: t.controlToken,
		},
		Name: t.name, Version: t.version,
		Receiver: targets.Public{ListenHost: t.receiverListen, Host: t.receiverHost},
	}
	o.Trigger, o.TriggerToken = t.trigger, t.triggerToken
	var err error
	if o.Rate, err = perSecond(t.rate); err != nil {
		return nil, err
	}
	if o.CA, err = authoritiesOf(t.ca); err != nil {
		return nil, err
	}
	if o.Claims, err = t.claimed(features.Emitter); err != nil {
		return nil, err
	}
	switch posts := slices.Contains(t.claims, string(targets.PostEvents)); {
	case slices.Contains(t.claims, string(targets.ClockControl)) && t.control == "":
		return nil, usageError("--claim clock-control needs --control, where the clock can be advanced")
	case posts && t.control == "" && t.trigger == "":
		return nil, usageError("--claim post-events needs --control or --event-hook, where events can be posted")
	case t.trigger != "" && !posts:
		o.Claims = append(o.Claims, targets.PostEvents)
	case t.trigger == "" && t.triggerToken != "":
		return nil, usageError("--event-hook-token is given without --event-hook")
	}
	for _, f := range []struct{ name, value string }{{"client-secret", t.clientSecret}, {"token", t.token}, {"control-token", t.controlToken}, {"event-hook-token", t.triggerToken}} {
		if err := secrets.Check("--"+f.name, f.value); err != nil {
			return nil, usageError("%v", err)
		}
	}
	made, err := remote.New(o)
	if err != nil {
		return nil, usageError("%v", err)
	}
	return made, nil
}

// claimed are the capabilities that a target of the role is said to have.
func (t *targetFlags) claimed(role string) ([]targets.Capability, error) {
	catalogue, err := features.Load()
	if err != nil {
		return nil, err
	}
	var claims []targets.Capability
	for _, claim := range t.claims {
		c, ok := catalogue.Capability(claim)
		if !ok || c.Role != role {
			return nil, usageError("--claim: there is no capability %q of role %s; %s", claim, role, nearest.Hint(claim, capabilities(catalogue, role), "hookproof run --help"))
		}
		claims = append(claims, targets.Capability(claim))
	}
	return claims, nil
}
