package main

import (
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/embedded"
	"github.com/hookproof/hookproof/targets/remote"
)

// targetFlags say who is tested.
type targetFlags struct {
	target, auth, environment, clientID, clientSecret, token, ca, control, controlToken, name, version string
	claims, faults                                                                                     []string
}

func (t *targetFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&t.target, "target", "embedded", "who is tested: «embedded», or the `URL` of an emitter's management API, without /v1")
	flags.StringVar(&t.auth, "auth", "", "base `URL` of the token endpoints; default: the target")
	flags.StringVar(&t.environment, "environment", "", "`id` of the environment that the credentials belong to")
	flags.StringVar(&t.clientID, "client-id", "", "`id` of the worker application that acts for the suite")
	flags.StringVar(&t.clientSecret, "client-secret", "", "its `secret`; better set as HOOKPROOF_CLIENT_SECRET")
	flags.StringVar(&t.token, "token", "", "an access `token` to use instead; better set as HOOKPROOF_TOKEN")
	flags.StringVar(&t.ca, "ca", "", "PEM `file` of the authorities to trust for the target's API")
	flags.StringVar(&t.control, "control", "", "base `URL` of the target's control API")
	flags.StringVar(&t.controlToken, "control-token", "", "`token` of the control API; better set as HOOKPROOF_CONTROL_TOKEN")
	flags.StringVar(&t.name, "target-name", "", "the target's `name` in reports; default: its URL")
	flags.StringVar(&t.version, "target-version", "", "the target's `version` in reports")
	flags.StringSliceVar(&t.claims, "claim", nil, "a `capability` that the target claims; repeatable: environments, post-events, certificates, activities, clock-control, tcp-ip")
	flags.StringSliceVar(&t.faults, "fault", nil, "switch on a deliberate `fault` of the embedded emitter, to see the suite notice it; repeatable; «hookproof plan --faults» lists all")
}

// make makes the target that the flags describe.
func (t *targetFlags) make() (targets.Target, error) {
	switch {
	case t.target == "embedded":
		if given := t.remoteOnly(); given != "" {
			return nil, usageError("--%s is about a target at a URL, and --target is embedded", given)
		}
		if err := knownFaults(t.faults); err != nil {
			return nil, err
		}
		return embedded.New(embedded.Options{Faults: t.faults}), nil
	case strings.HasPrefix(t.target, "http://"), strings.HasPrefix(t.target, "https://"):
		return t.remote()
	}
	return nil, usageError("target %q is neither «embedded» nor an http or https URL", t.target)
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
		return usageError("--%s holds credentials or a query, which do not belong into an address; see --client-secret and --token", flag)
	}
	return nil
}

// capabilities are the names that --claim takes.
func capabilities(c *features.Catalogue) []string {
	var names []string
	for _, k := range c.Capabilities {
		if k.Role == features.Emitter {
			names = append(names, k.Name)
		}
	}
	return names
}

// knownFaults refuses names of faults that do not exist, and lists those that
// do.
func knownFaults(names []string) error {
	var known []string
	for _, f := range embedded.Faults() {
		known = append(known, f.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return usageError("there is no fault %q; there are: %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// remoteOnly is a flag that is set and that makes no sense for the embedded
// target; empty if there is none.
func (t *targetFlags) remoteOnly() string {
	for _, f := range []struct{ name, value string }{
		{"auth", t.auth}, {"environment", t.environment}, {"client-id", t.clientID}, {"client-secret", t.clientSecret}, {"token", t.token},
		{"ca", t.ca}, {"target-name", t.name}, {"target-version", t.version}, {"control", t.control}, {"control-token", t.controlToken}, {"claim", strings.Join(t.claims, ",")},
	} {
		if f.value != "" {
			return f.name
		}
	}
	return ""
}

func (t *targetFlags) remote() (targets.Target, error) {
	if len(t.faults) > 0 {
		return nil, usageError("--fault is about the embedded emitter; at a URL, switch faults by the control API")
	}
	for _, f := range []struct{ name, value string }{{"target", t.target}, {"auth", t.auth}, {"control", t.control}} {
		if err := plainAddress(f.name, f.value); err != nil {
			return nil, err
		}
	}
	switch {
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
	}
	if t.ca != "" {
		pem, err := os.ReadFile(t.ca)
		if err != nil {
			return nil, usageError("--ca: %v", err)
		}
		o.CA = pem
	}
	catalogue, err := features.Load()
	if err != nil {
		return nil, err
	}
	for _, claim := range t.claims {
		c, ok := catalogue.Capability(claim)
		if !ok || c.Role != features.Emitter {
			return nil, usageError("--claim: there is no capability %q of emitters; there are: %s", claim, strings.Join(capabilities(catalogue), ", "))
		}
		o.Claims = append(o.Claims, targets.Capability(claim))
	}
	if slices.Contains(t.claims, string(targets.PostEvents)) && t.control == "" {
		return nil, usageError("--claim post-events needs --control, where events can be posted")
	}
	made, err := remote.New(o)
	if err != nil {
		return nil, usageError("%v", err)
	}
	return made, nil
}
