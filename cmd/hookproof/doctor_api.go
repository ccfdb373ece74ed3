package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/fixtures"
	"github.com/hookproof/hookproof/steps"
	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/targets"
)

// api checks that the target lets the suite in, and what it lets it do.
func (d *diagnosis) api(ctx context.Context, info targets.Info, system *targets.System) {
	client, err := driver.NewClient(system)
	if err != nil {
		d.fail("client", "see what it says", "%v", err)
		return
	}
	defer client.Close()
	if err := client.Reach(ctx); err != nil {
		d.fail("credentials", "check the client's id and secret, or the token, the environment, and --auth", "%v", err)
		return
	}
	d.ok("credentials", "a token is given, and environment %s can be read", system.Emitter.Environment)
	if err := steps.OnTime(ctx, client, system.Emitter); err != nil {
		d.fail("control: own clock", "start the target anew, without that run's data", "%v", err)
	}
	home := "/v1/environments/" + url.PathEscape(system.Emitter.Environment)
	d.subscriptions(ctx, client, home)
	d.eventHook(ctx, client, system.Emitter)
	d.claims(ctx, client, info, home)
	d.leftovers(ctx, client, info.Claims)
}

// subscriptions checks the rights that every scenario needs.
func (d *diagnosis) subscriptions(ctx context.Context, client *driver.Client, home string) {
	path := home + "/subscriptions"
	const rights = "give the client a role that may read and change subscriptions in its environment"
	status, body, err := client.Call(ctx, driver.Emitter, http.MethodGet, path, nil)
	if err != nil || status != http.StatusOK {
		d.fail("subscriptions: read", rights, "GET %s %s", path, answered(status, err))
		return
	}
	d.ok("subscriptions: read", "%d on the first page", len(gjson.GetBytes(body, "_embedded.subscriptions").Array()))
	made, err := trialSubscription()
	if err != nil {
		d.fail("subscriptions: create", "this is the suite's own error", "%v", err)
		return
	}
	status, body, err = client.Call(ctx, driver.Emitter, http.MethodPost, path, made)
	if err != nil || status/100 != 2 {
		d.fail("subscriptions: create", rights, "POST %s %s", path, answered(status, err))
		return
	}
	id := gjson.GetBytes(body, "id").String()
	if id == "" {
		d.fail("subscriptions: create", "answer with the subscription that was made, and its id; «hookproof cleanup» finds the one that was made now", "POST %s %s, and without an id", path, answered(status, err))
		return
	}
	status, _, err = client.Call(ctx, driver.Emitter, http.MethodDelete, path+"/"+url.PathEscape(id), nil)
	if err != nil || status/100 != 2 {
		d.fail("subscriptions: remove", rights+"; «hookproof cleanup» finds the one that was made now", "DELETE %s/%s %s", path, id, answered(status, err))
		return
	}
	d.ok("subscriptions: create", "one was made and removed")
}

// trialSubscription is a disabled subscription that delivers nowhere, with a
// name by which «hookproof cleanup» would find it.
func trialSubscription() ([]byte, error) {
	body, err := fixtures.Subscription("minimal")
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("hookproof-%s-doctor-%08x", driver.Run(rand.Text()), 0)
	if body, err = sjson.SetBytes(body, "name", name); err != nil {
		return nil, err
	}
	return sjson.SetBytes(body, "enabled", false)
}

// answered is what became of a request.
func answered(status int, err error) string {
	if err != nil {
		return fmt.Sprintf("is not answered: %v", err)
	}
	return fmt.Sprintf("is answered %d", status)
}

// hookWithin is how long an event hook may take to answer (docs/triggers.md).
const hookWithin = 30 * time.Second

// eventHook finds out whether the event hook takes the token, by a list of no
// events: it is answered as any other, and nothing happens.
func (d *diagnosis) eventHook(ctx context.Context, client *driver.Client, emitter targets.Emitter) {
	if emitter.Trigger == "" {
		return
	}
	const check = "event hook: token"
	body := fmt.Appendf(nil, `{"environment":%q,"events":[]}`, emitter.Environment)
	ctx, cancel := context.WithTimeout(ctx, hookWithin)
	defer cancel()
	status, _, err := client.Call(ctx, driver.Trigger, http.MethodPost, "", body)
	switch said := answered(status, err); {
	case err != nil:
		d.fail(check, fmt.Sprintf("let it answer within %v", hookWithin), "a list of no events %s", said)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		d.fail(check, "give the token that it expects with --event-hook-token (HOOKPROOF_EVENT_HOOK_TOKEN)", "a list of no events %s", said)
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		d.fail(check, "check the path of --event-hook, and that it takes a POST", "a list of no events %s", said)
	case status/100 != 2:
		d.warn(check, "answer a list of no events 2xx, once the token is right; otherwise only a run shows whether it is", "a list of no events %s, which does not show whether the token is right", said)
	default:
		d.ok(check, "a list of no events is taken")
	}
}

// claims looks at what serves each claimed capability. One that has no request
// which changes nothing is left to the run.
func (d *diagnosis) claims(ctx context.Context, client *driver.Client, info targets.Info, home string) {
	for _, c := range []struct {
		claim      targets.Capability
		peer, path string
	}{
		{targets.Environments, driver.Emitter, "/v1/environments"},
		{targets.Certificates, driver.Emitter, home + "/certificates"},
		{targets.Activities, driver.Emitter, home + "/activities?filter=" + url.QueryEscape(`recordedAt gt "2026-01-01T00:00:00Z"`) + "&limit=1"},
		{targets.ClockControl, driver.Control, "/control/clock"},
	} {
		if !slices.Contains(info.Claims, c.claim) {
			continue
		}
		status, _, err := client.Call(ctx, c.peer, http.MethodGet, c.path, nil)
		if err != nil || status != http.StatusOK {
			d.fail("claim "+string(c.claim), "do not claim it, or give the client the right", "GET %s %s", c.path, answered(status, err))
			continue
		}
		d.ok("claim "+string(c.claim), "it answers")
	}
	for _, c := range []targets.Capability{targets.ConnectionTest, targets.TCPIP, targets.TCPDelivery} {
		if slices.Contains(info.Claims, c) {
			d.ok("claim "+string(c), "only a run shows whether it is served")
		}
	}
	if !slices.Contains(info.Claims, targets.Environments) {
		d.shared()
	}
}

// shared tells what is not judged where all scenarios share one environment.
func (d *diagnosis) shared() {
	scenarios, rules, err := judgedApart()
	if err != nil {
		d.fail("environment", "this is the suite's own error", "%v", err)
		return
	}
	d.warn("environment", "--claim environments, if the target makes them on request",
		"all scenarios share one, and some run alone, which takes longer; %d that need one of their own are not applicable, so that the limit of 50 subscriptions and more is not judged: %s",
		scenarios, strings.Join(rules, ", "))
}

// judgedApart are the rules that nothing judges without environments of the
// scenarios' own, and how many scenarios need one.
func judgedApart() (scenarios int, rules []string, err error) {
	catalogue, err := features.Load()
	if err != nil {
		return 0, nil, err
	}
	all, err := features.Scenarios(catalogue, features.FS)
	if err != nil {
		return 0, nil, err
	}
	apart := map[string]bool{} // by rule, whether all of its scenarios need one
	for _, s := range all {
		needs := slices.Contains(s.Needs, string(targets.Environments))
		if needs {
			scenarios++
		}
		for _, rule := range s.Rules {
			before, seen := apart[rule]
			apart[rule] = needs && (before || !seen)
		}
	}
	maps.DeleteFunc(apart, func(_ string, all bool) bool { return !all })
	return scenarios, slices.Sorted(maps.Keys(apart)), nil
}

func (d *diagnosis) leftovers(ctx context.Context, client *driver.Client, claims []targets.Capability) {
	found, err := client.Leftovers(ctx, claims)
	switch {
	case err != nil:
		d.warn("leftovers", "give the client the right to list them", "%d things of earlier runs are there; not everything could be looked for: %v", len(found), err)
	case len(found) > 0:
		d.warn("leftovers", "«hookproof cleanup» lists them, and with --run or --all removes them, unless their run is going on", "%d things of earlier runs are there", len(found))
	default:
		d.ok("leftovers", "earlier runs have left nothing")
	}
}

// receiver checks whether the emitter can reach the receiver simulator. Only
// a delivery shows it; what can be said before is said.
func (d *diagnosis) receiver(ctx context.Context, flags *targetFlags) {
	u, err := url.Parse(flags.target)
	if err != nil {
		return
	}
	near := isLoopback(u.Hostname())
	host := flags.receiverHost
	if host == "" {
		host = flags.receiverListen
	}
	switch {
	case near && host == "":
		d.ok("receiver", "the emitter is on this machine, and reaches 127.0.0.1")
	case host == "" || isLoopback(host) && !near:
		d.warn("receiver", "--receiver-listen 0.0.0.0 --receiver-host NAME, where NAME leads from the emitter to this machine",
			"the receiver simulator listens on 127.0.0.1, which an emitter at %s does not reach", u.Hostname())
	case net.ParseIP(host) != nil && net.ParseIP(host).IsUnspecified():
		d.fail("receiver", "--receiver-host NAME, where NAME leads from the emitter to this machine", "%s is no address that an emitter could call", host)
	case net.ParseIP(host) == nil && !resolves(ctx, host):
		d.warn("receiver", "check the spelling of --receiver-host; it has to lead from the emitter to this machine", "%s is no name that this machine knows", host)
	default:
		own, _ := os.Hostname()
		d.ok("receiver", "the emitter is given %s (this machine calls itself %s); firewalls must let it in", host, own)
	}
}

func resolves(ctx context.Context, host string) bool {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	return err == nil && len(addresses) > 0
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
