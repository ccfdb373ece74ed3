package judge_test

import (
	"testing"

	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
)

func secured(certificates ...string) func(*transcript.Delivery) {
	return func(d *transcript.Delivery) {
		d.TLS = &transcript.TLS{Version: "TLS 1.3"}
		for _, c := range certificates {
			d.TLS.ClientCertificates = append(d.TLS.ClientCertificates, transcript.Certificate{SHA256: c, Subject: "CN=" + c})
		}
	}
}

func TestNoRequestCountsBrokenOffRequestsToo(t *testing.T) {
	t.Parallel()
	broken := func(d *transcript.Delivery) { d.Complete = false }
	checkScenes(t, at(judge.NoRequest), []sceneCase{
		{"only connections", sceneOf("a").connection(transcript.Connection{Seq: 1, Handshake: "failed"}), ""},
		{"a request in the clear", sceneOf("a").array("a"), "no TLS"},
		{"a request over TLS", sceneOf("a").body("[]", secured()), "TLS 1.3"},
		{"a request that was broken off", sceneOf("a").body("", broken), "POST"},
	})
}

func TestAttemptsAreConnectionsThatWereGivenUp(t *testing.T) {
	t.Parallel()
	failed, ok := transcript.Connection{Handshake: "failed"}, transcript.Connection{Handshake: "ok"}
	hello, silent := transcript.Connection{Handshake: "none", Error: "not HTTP: 1603"}, transcript.Connection{Handshake: "none"}
	for _, c := range []struct {
		name        string
		connections []transcript.Connection
		want        int
	}{
		{"none", nil, 0},
		{"handshakes that failed", []transcript.Connection{failed, failed}, 2},
		{"a handshake on a port without TLS", []transcript.Connection{hello}, 1},
		{"HTTP on a port without TLS", []transcript.Connection{silent, silent}, 0},
		{"a connection that may yet carry a request", []transcript.Connection{ok}, 0},
		{"connections given up for the next", []transcript.Connection{ok, ok, ok}, 2},
		{"both", []transcript.Connection{ok, failed}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := sceneOf("a")
			for _, x := range c.connections {
				s = s.connection(x)
			}
			if got := judge.Attempts(s.transcript(), "r"); got != c.want {
				t.Errorf("%d attempts, want %d", got, c.want)
			}
		})
	}
}

func TestPresentedWantsTheCertificateOnEveryDelivery(t *testing.T) {
	t.Parallel()
	checkScenes(t, func(t *transcript.Transcript) judge.Outcome { return judge.Presented(t, "r", "ab12") }, []sceneCase{
		{"presented", sceneOf("a").body("[]", secured("ab12")), ""},
		{"in upper case", sceneOf("a").body("[]", secured("AB12")), ""},
		{"with its chain", sceneOf("a").body("[]", secured("ab12", "cd34")), ""},
		{"none", sceneOf("a").body("[]", secured()), "none, with TLS 1.3"},
		{"no TLS", sceneOf("a").body("[]"), "no TLS"},
		{"another", sceneOf("a").body("[]", secured("cd34")), "cd34"},
		{"another first", sceneOf("a").body("[]", secured("cd34", "ab12")), "cd34"},
		{"not on the second", sceneOf("a").body("[]", secured("ab12")).body("[]", secured()), "delivery 2"},
		{"nothing came", sceneOf("a"), "none"},
	})
}

func TestNonePresentedWantsTLSWithoutACertificate(t *testing.T) {
	t.Parallel()
	checkScenes(t, at(judge.NonePresented), []sceneCase{
		{"none", sceneOf("a").body("[]", secured()), ""},
		{"one", sceneOf("a").body("[]", secured("ab12")), "ab12"},
		{"one on the second", sceneOf("a").body("[]", secured()).body("[]", secured("ab12")), "delivery 2"},
		{"no TLS", sceneOf("a").body("[]"), "none"},
		{"nothing came", sceneOf("a"), "none"},
	})
}
