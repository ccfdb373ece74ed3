package main

import (
	"net/http"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hookproof/hookproof/features"
	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/internal/secrets"
	"github.com/hookproof/hookproof/targets"
	"github.com/hookproof/hookproof/targets/remote"
)

// hookFlags say what a delivery to a receiver under test must have, and how
// what it has stored is read back.
type hookFlags struct {
	headers                      []string
	clientCertificate, clientKey string
	readBack, readBackCommand    string
	readBackHeaders              []string
}

func (h *hookFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&h.headers, "hook-header", nil, "`header` that every delivery to the receiver under test has, as «Name: value»; repeatable; better set as HOOKPROOF_HOOK_HEADER")
	flags.StringVar(&h.clientCertificate, "client-certificate", "", "PEM `file` of the certificate that deliveries to the receiver under test present, with its intermediates")
	flags.StringVar(&h.clientKey, "client-key", "", "PEM `file` of the private key of --client-certificate")
	flags.StringVar(&h.readBack, "read-back", "", "`URL` where the receiver's stored events are asked for: a POST of {\"ids\":[…]} is answered by the events, one a line")
	flags.StringArrayVar(&h.readBackHeaders, "read-back-header", nil, "`header` of the requests to --read-back, as «Name: value»; repeatable; better set as HOOKPROOF_READ_BACK_HEADER")
	flags.StringVar(&h.readBackCommand, "read-back-command", "", "`command` that reads ids, one a line, and prints the stored events; split at spaces, run without a shell")
}

// given is a flag that is set; empty if there is none.
func (h *hookFlags) given() string {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"hook-header", len(h.headers) > 0}, {"client-certificate", h.clientCertificate != ""}, {"client-key", h.clientKey != ""},
		{"read-back", h.readBack != ""}, {"read-back-header", len(h.readBackHeaders) > 0}, {"read-back-command", h.readBackCommand != ""},
	} {
		if f.set {
			return f.name
		}
	}
	return ""
}

// receiver makes the target of a receiver at a URL.
func (t *targetFlags) receiver() (targets.Target, error) {
	if given := t.reached("ca"); given != "" {
		return nil, usageError("--%s is not about a receiver, and --role is receiver", given)
	}
	if len(t.faults) > 0 {
		return nil, usageError("--fault is about the embedded pair, and not about a receiver at a URL")
	}
	o := remote.ReceiverOptions{Hook: targets.Hook{URL: t.target}, Name: t.name, Version: t.version}
	var err error
	if o.Claims, err = t.claimed(features.Receiver); err != nil {
		return nil, err
	}
	if err := t.hook.agreed(&o.Hook); err != nil {
		return nil, err
	}
	if o.CA, err = authoritiesOf(t.ca); err != nil {
		return nil, err
	}
	if o.ReadBack, err = t.hook.reading(); err != nil {
		return nil, err
	}
	made, err := remote.NewReceiver(o)
	if err != nil {
		return nil, usageError("%v", err)
	}
	return made, nil
}

// agreed is what a delivery must have.
func (h *hookFlags) agreed(hook *targets.Hook) (err error) {
	if hook.Headers, err = headersOf("hook-header", h.headers); err != nil {
		return err
	}
	if hook.ClientCertificate, err = contentOf("client-certificate", h.clientCertificate); err != nil {
		return err
	}
	hook.ClientKey, err = contentOf("client-key", h.clientKey)
	return err
}

// authoritiesOf are the certificates of the file that --ca names; nothing if it
// names none.
func authoritiesOf(path string) ([]byte, error) {
	content, err := contentOf("ca", path)
	if err != nil || path == "" {
		return nil, err
	}
	if _, err := pki.ReadCertificates(content); err != nil {
		return nil, usageError("--ca: %s: %v; it takes certificates in PEM; of one in DER, «openssl x509 -inform der -in ca.der -out ca.pem» makes it", path, err)
	}
	return content, nil
}

// contentOf is what the file that a flag names holds; nothing if it names none.
func contentOf(flag, path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError("--%s: %v", flag, err)
	}
	return content, nil
}

// reading is how stored events are read back; nil if nothing is said.
func (h *hookFlags) reading() (targets.ReadBack, error) {
	switch {
	case h.readBack != "" && h.readBackCommand != "":
		return nil, usageError("--read-back and --read-back-command exclude each other")
	case h.readBack == "" && len(h.readBackHeaders) > 0:
		return nil, usageError("--read-back-header needs --read-back, where it is sent")
	case h.readBackCommand != "":
		args := strings.Fields(h.readBackCommand)
		if len(args) == 0 {
			return nil, usageError("--read-back-command names no program")
		}
		return remote.CommandReadBack{Args: args}, nil
	case h.readBack == "":
		return nil, nil
	}
	if err := plainAddress("read-back", h.readBack); err != nil {
		return nil, err
	}
	headers, err := headersOf("read-back-header", h.readBackHeaders)
	if err != nil {
		return nil, err
	}
	return remote.HTTPReadBack{URL: h.readBack, Headers: headers}, nil
}

// noHeaderName are characters that the name of a header cannot have (RFC 9110
// section 5.6.2).
const noHeaderName = " \t\r\n\x00\"(),/;<=>?@[\\]{}"

// headersOf reads headers of the form «Name: value». No error repeats a
// value, which may be a secret.
func headersOf(flag string, lines []string) (map[string]string, error) {
	headers := map[string]string{}
	for i, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name, value = http.CanonicalHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok || name == "" || value == "" || strings.ContainsAny(name, noHeaderName) || strings.ContainsAny(value, "\r\n\x00"):
			return nil, usageError("--%s: number %d is not of the form «Name: value»", flag, i+1)
		case headers[name] != "":
			return nil, usageError("--%s: %s is given twice", flag, name)
		}
		if err := secrets.Check("--"+flag, secrets.OfHeader(name, value)); err != nil {
			return nil, usageError("%v", err)
		}
		headers[name] = value
	}
	return headers, nil
}
