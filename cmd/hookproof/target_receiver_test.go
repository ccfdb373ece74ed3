package main

import (
	"strings"
	"testing"

	"github.com/hookproof/hookproof/reports"
)

func TestAReceiverThatIsDescribedWronglyIsUsage(t *testing.T) {
	t.Parallel()
	at := []string{"run", "--role", "receiver", "--target", "https://127.0.0.1:1/canary"}
	image := []string{"run", "--role", "receiver", "--target", "image:registry.example/receiver"}
	for name, c := range map[string]struct {
		args []string
		want string // in what is printed
	}{
		"no TLS":                    {[]string{"run", "--role", "receiver", "--target", "http://127.0.0.1:1/canary"}, "--target: the receiver's address begins with http://127.0.0.1:1, and deliveries go over HTTPS only"},
		"credentials in the URL":    {[]string{"run", "--role", "receiver", "--target", "https://canary:canary@127.0.0.1:1/canary"}, "--target: the receiver's address at https://127.0.0.1:1 holds credentials"},
		"no scheme":                 {[]string{"run", "--role", "receiver", "--target", "127.0.0.1:1/canary"}, "try https://127.0.0.1:1/…"},
		"header without a value":    {append(at, "--hook-header", "canary"), "--hook-header: number 1"},
		"header twice":              {append(at, "--hook-header", "x-a: canary", "--hook-header", "X-A: canary"), "given twice"},
		"a short credential":        {append(at, "--hook-header", "Authorization: Bearer canary"), "--hook-header is too short"},
		"a short key":               {append(at, "--read-back", "http://127.0.0.1:1", "--read-back-header", "X-Api-Key: canary"), "--read-back-header is too short"},
		"claim of an emitter":       {append(at, "--claim", "tcp-ip"), "read-back"},
		"unchecked credentials":     {append(at, "--claim", "authentication"), "--hook-header or HOOKPROOF_HOOK_HEADER"},
		"no client certificate":     {append(at, "--claim", "mutual-tls"), "--client-certificate and --client-key"},
		"no way to read back":       {append(at, "--claim", "read-back"), "--read-back or --read-back-command"},
		"no such file":              {append(at, "--client-certificate", "no-such.pem"), "--client-certificate"},
		"two ways to read back":     {append(at, "--read-back", "http://127.0.0.1:1", "--read-back-command", "cat"), "exclude"},
		"headers to nowhere":        {append(at, "--read-back-header", "a: canary"), "--read-back"},
		"an emitter's option":       {append(at, "--environment", "x"), "--environment"},
		"a fault":                   {append(at, "--fault", "receiver-redirects"), "--fault"},
		"an image with a CA":        {append(image, "--ca", "ca.pem"), "--ca"},
		"an image to read back":     {append(image, "--read-back", "http://127.0.0.1:1"), "--claim read-back"},
		"an image and a simulator":  {append(image, "--receiver-image", "x"), "--receiver-image"},
		"an image with a fault":     {append(image, "--fault", "receiver-redirects"), "--fault"},
		"an image, emitter's claim": {append(image, "--claim", "tcp-ip"), "read-back"},
		"an image, no credentials":  {append(image, "--claim", "authentication"), "no header"},
		"an image, half a variable": {append(image, "--image-env", "canary"), "--image-env"},
		"a rate":                    {append(at, "--rate", "10/s"), "--rate is not about a receiver"},
		"an event hook":             {append(at, "--event-hook", "http://127.0.0.1:1/"), "--event-hook is not about a receiver"},
		"an image that is none":     {[]string{"run", "--role", "receiver", "--target", "image:./nosuch"}, "no image can be built"},
		"a simulator alone":         {[]string{"run", "--role", "receiver", "--receiver-image", "x"}, "--receiver-image"},
		"a receiver's option alone": {[]string{"run", "--hook-header", "a: canary"}, "--role receiver"},
		"a receiver as an emitter":  {[]string{"run", "--target", "https://127.0.0.1:1", "--read-back", "http://127.0.0.1:1"}, "--role receiver"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out := run(t, append(c.args, "--out", t.TempDir())...)
			if code != reports.ExitUsage || !strings.Contains(out, c.want) || strings.Contains(out, "canary") {
				t.Errorf("code %d: %s", code, out)
			}
		})
	}
}

func TestAReceiverThatIsNotThereMakesTheRunIncomplete(t *testing.T) {
	t.Parallel()
	code, out := run(t, "run", "--role", "receiver", "--target", "https://127.0.0.1:1/canary", "--rule", "RCV-002", "--out", t.TempDir())
	if code != reports.ExitIncomplete || strings.Contains(out, "canary") {
		t.Errorf("code %d: %s", code, out)
	}
}
