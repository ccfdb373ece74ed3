package main

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/image"
)

// imagePrefix begins a target that is started from an image.
const imagePrefix = "image:"

// isImage tells whether an end of the pair is to run in a container.
func (t *targetFlags) isImage() bool {
	return strings.HasPrefix(t.target, imagePrefix) || t.receiverImage != ""
}

// image makes a target of which an end runs in a container.
func (t *targetFlags) image() (targets.Target, error) {
	if given := t.reached(); given != "" {
		return nil, usageError("--%s is about a target at a URL; an image is told its addresses and credentials, see docs/containers.md", given)
	}
	if len(t.faults) > 0 {
		return nil, usageError("--fault is about the embedded emitter; an image of the reference emitter takes --image-env HOOKPROOF_FAULT=NAME")
	}
	o := image.Options{Name: t.name, Version: t.version, Log: os.Stderr}
	var err error
	switch reference, is := strings.CutPrefix(t.target, imagePrefix); {
	case is:
		if o.Emitter, err = image.ParseSource(reference); err != nil {
			return nil, usageError("--target %s: %v", t.target, err)
		}
	case t.target != "embedded":
		return nil, usageError("--receiver-image goes with --target embedded or image:…; an emitter at a URL reaches the receiver at --receiver-host")
	case len(t.claims) > 0:
		return nil, usageError("--claim is about a target that is not embedded")
	}
	if t.receiverImage != "" {
		if o.Receiver, err = image.ParseSource(t.receiverImage); err != nil {
			return nil, usageError("--receiver-image %s: %v", t.receiverImage, err)
		}
	}
	if o.Claims, err = t.claimed(features.Emitter); err != nil {
		return nil, err
	}
	if o.Variables, err = t.given(); err != nil {
		return nil, err
	}
	made, err := image.New(o)
	if err != nil {
		return nil, usageError("%v", err)
	}
	return made, nil
}

// imageOfReceiver makes the target of a receiver that is started from an image.
func (t *targetFlags) imageOfReceiver() (targets.Target, error) {
	if given := t.reached(); given != "" {
		return nil, usageError("--%s is not about a receiver in a container; the suite gives it its certificate, see docs/containers.md", given)
	}
	switch {
	case len(t.faults) > 0:
		return nil, usageError("--fault is about the embedded pair")
	case t.hook.readBack+t.hook.readBackCommand != "" || len(t.hook.readBackHeaders) > 0:
		return nil, usageError("--%s is about a receiver at a URL; one in a container serves reading back at a port of its own, and --claim read-back says so", t.hook.given())
	}
	source, err := image.ParseSource(strings.TrimPrefix(t.target, imagePrefix))
	if err != nil {
		return nil, usageError("--target %s: %v", t.target, err)
	}
	var hook targets.Hook
	if err := t.hook.agreed(&hook); err != nil {
		return nil, err
	}
	o := image.ReceiverOptions{
		Source: source, Headers: hook.Headers, ClientCertificate: hook.ClientCertificate, ClientKey: hook.ClientKey,
		Name: t.name, Version: t.version, Log: os.Stderr,
	}
	if o.Claims, err = t.claimed(features.Receiver); err != nil {
		return nil, err
	}
	if o.Variables, err = t.given(); err != nil {
		return nil, err
	}
	made, err := image.NewReceiver(o)
	if err != nil {
		return nil, usageError("%v", err)
	}
	return made, nil
}

// given are the variables for the container of a target.
func (t *targetFlags) given() (map[string]string, error) {
	variables := map[string]string{}
	for _, entry := range t.variables {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			return nil, usageError("--image-env takes NAME=VALUE, and one is given without a name or an equals sign")
		}
		variables[name] = value
	}
	return variables, nil
}

// reached is a flag that is set and says how an emitter at a URL is reached, but
// for those that are excepted; empty if there is none.
func (t *targetFlags) reached(except ...string) string {
	for _, f := range []struct{ name, value string }{
		{"auth", t.auth}, {"environment", t.environment}, {"client-id", t.clientID}, {"client-secret", t.clientSecret}, {"token", t.token},
		{"ca", t.ca}, {"control", t.control}, {"control-token", t.controlToken}, {"rate", t.rate},
		{"event-hook", t.trigger}, {"event-hook-token", t.triggerToken}, {"receiver-listen", t.receiverListen}, {"receiver-host", t.receiverHost},
	} {
		if f.value != "" && !slices.Contains(except, f.name) {
			return f.name
		}
	}
	return ""
}

// perSecond reads a rate such as "10/s" or "600/m".
func perSecond(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	count, unit, _ := strings.Cut(text, "/")
	units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}
	n, err := strconv.ParseFloat(count, 64)
	per, known := units[unit]
	if err != nil || !known || !(n > 0) || n > 1e6 {
		return 0, usageError("--rate %q is no rate such as 10/s, 600/m or 3000/h", text)
	}
	return n / per.Seconds(), nil
}
