package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/hookproof/hookproof/fixtures"
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
	home := "/v1/environments/" + url.PathEscape(system.Emitter.Environment)
	d.subscriptions(ctx, client, home)
	d.claims(ctx, client, info, home)
	d.leftovers(ctx, client, info.Claims)
}

// subscriptions checks the rights that every scenario needs.
func (d *diagnosis) subscriptions(ctx context.Context, client *driver.Client, home string) {
	path := home + "/subscriptions"
	const rights = "give the client a role that may read and change subscriptions in its environment"
	status, body, err := client.Call(ctx, driver.Emitter, http.MethodGet, path, nil)
	if err != nil || status != http.StatusOK {
		d.fail("subscriptions: read", rights, "GET %s is answered %d %v", path, status, errText(err))
		return
	}
	d.ok("subscriptions: read", "%d on the first page", len(gjson.GetBytes(body, "_embedded.subscriptions").Array()))
	made, err := trialSubscription()
	if err != nil {
		d.fail("subscriptions: create", "this is the suite's own error", "%v", err)
		return
	}
	status, body, err = client.Call(ctx, driver.Emitter, http.MethodPost, path, made)
	id := gjson.GetBytes(body, "id").String()
	if err != nil || status/100 != 2 || id == "" {
		d.fail("subscriptions: create", rights, "POST %s is answered %d %v", path, status, errText(err))
		return
	}
	status, _, err = client.Call(ctx, driver.Emitter, http.MethodDelete, path+"/"+url.PathEscape(id), nil)
	if err != nil || status/100 != 2 {
		d.fail("subscriptions: remove", rights+"; «hookproof cleanup» finds the one that was made now", "DELETE %s/%s is answered %d %v", path, id, status, errText(err))
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

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// claims looks at what serves each claimed capability. A capability that has
// no request which changes nothing is left to the run.
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
			d.fail("claim "+string(c.claim), "do not claim it, or give the client the right", "GET %s is answered %d %v", c.path, status, errText(err))
			continue
		}
		d.ok("claim "+string(c.claim), "it answers")
	}
	if !slices.Contains(info.Claims, targets.Environments) {
		d.warn("environment", "claim «environments» if the target makes them on request", "all scenarios share one: those that fill it run alone, and the run takes longer")
	}
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
