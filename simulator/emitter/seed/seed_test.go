package seed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/hookproof/hookproof/fixtures/pki"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/seed"
	"github.com/hookproof/hookproof/simulator/emitter/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal counts what was recorded.
type journal struct {
	mu sync.Mutex
	n  int
}

func (j *journal) Record(_ context.Context, _ string, events ...event.Event) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.n += len(events)
	return nil
}

// open makes an empty directory; wrap may stand between it and its store.
func open(t testing.TB, j *journal, wrap func(jetstream.JetStream) jetstream.JetStream) *directory.Directory {
	t.Helper()
	ctx := context.Background()
	store, err := storage.Open(ctx, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	js := store.JetStream()
	if wrap != nil {
		js = wrap(js)
	}
	d, err := directory.Open(ctx, directory.Options{Recorder: j, Place: storage.Place{JetStream: js, Kind: store.Kind()}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// files are what a seed names beside it.
type files map[string][]byte

func (f files) open(name string) (io.ReadCloser, error) {
	content, ok := f[name]
	if !ok {
		return nil, fmt.Errorf("open %s: no such file", name)
	}
	return io.NopCloser(bytes.NewReader(content)), nil
}

func load(t testing.TB, d *directory.Directory, text string, f files) (seed.Loaded, error) {
	t.Helper()
	return seed.Load(context.Background(), d, seed.File{Name: "tenant.yaml", Content: strings.NewReader(text), Open: f.open})
}

func write(t testing.TB, d *directory.Directory, secrets bool) string {
	t.Helper()
	var text bytes.Buffer
	if err := seed.Write(&text, d, secrets); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

const (
	environmentID = "11111111-1111-4111-8111-111111111111"
	keyPassword   = "canary-password"
)

const tenant = `
environments:
  - id: 11111111-1111-4111-8111-111111111111
    name: Staging
    type: SANDBOX
    region: EU
    populations:
      - name: Customers
      - name: Default
        default: false
      - name: Staff
        default: true
    applications:
      - name: Worker
        enabled: true
        protocol: OPENID_CONNECT
        type: WORKER
        tokenEndpointAuthMethod: CLIENT_SECRET_BASIC
        secret: canary-secret
        roleAssignments:
          - role: {name: Environment Admin}
            scope: {type: ENVIRONMENT}
          - role: {name: Identity Data Admin}
            scope: {type: POPULATION, name: Staff}
    users:
      - username: ann
        email: ann@example.com
        population: {name: Customers}
      - username: bob
        email: bob@example.com
        birthday: 2001-02-03
        roleAssignments:
          - role: {name: Organization Admin}
            scope: {type: ORGANIZATION}
    keys:
      - name: receiver
        usageType: OUTBOUND_MTLS
        file: client.p12
        password: canary-password
    certificates:
      - usageType: SSL/TLS
        file: ca.pem
    subscriptions:
      - name: to the receiver
        enabled: true
        httpEndpoint:
          url: https://receiver.example/hook
          headers: {Authorization: Basic canary-header}
        filterOptions:
          includedActionTypes: [USER.CREATED]
          includedPopulations: [{name: Staff}]
          includedApplications: [{name: Worker}]
        verifyTlsCertificates: true
        tlsClientAuthKeyPair: {name: receiver}
        payloadOptions:
          maximumPayloadLimit: {type: EVENTS_PER_PAYLOAD, size: 10}
---
environments:
  - name: Empty
    type: PRODUCTION
    region: NA
`

func material(t testing.TB) files {
	t.Helper()
	ca, err := pki.NewAuthority("receivers")
	if err != nil {
		t.Fatal(err)
	}
	identity, err := ca.Issue(pki.Leaf{Name: "client", Client: true, Intermediate: true})
	if err != nil {
		t.Fatal(err)
	}
	file, err := identity.PKCS12(keyPassword)
	if err != nil {
		t.Fatal(err)
	}
	return files{"client.p12": file, "ca.pem": ca.PEM()}
}

func TestASeedBringsEverythingItNames(t *testing.T) {
	t.Parallel()
	var j journal
	d := open(t, &j, nil)
	loaded, err := load(t, d, tenant, material(t))
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Environments != 2 || len(d.Environments()) != 2 {
		t.Errorf("%+v, %v", loaded, d.Environments())
	}
	if j.n != 0 {
		t.Errorf("%d events were recorded", j.n)
	}
	list := func(kind directory.Kind) map[string]directory.Entity {
		all, err := d.List(environmentID, kind)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]directory.Entity{}
		for _, e := range all {
			found[e.Name()] = e
		}
		return found
	}
	populations, applications, users := list(directory.Population), list(directory.Application), list(directory.User)
	if len(populations) != 3 || !populations["Staff"].Flag("default") || populations["Default"].Flag("default") {
		t.Errorf("populations %v", populations)
	}
	if applications["Worker"].Secret != "canary-secret" {
		t.Error("the application has another secret")
	}
	if users["ann"].PopulationID() != populations["Customers"].ID || users["bob"].PopulationID() != populations["Staff"].ID {
		t.Errorf("users %v", users)
	}
	if users["bob"].Text("birthday") != "2001-02-03" {
		t.Errorf("a date became %v", users["bob"].Members["birthday"])
	}
	held, err := d.RoleAssignments(environmentID, directory.Application, applications["Worker"].ID)
	if err != nil || len(held) != 2 || held[0].ScopeID != environmentID || held[1].ScopeID != populations["Staff"].ID {
		t.Errorf("roles %v, %v", held, err)
	}
	s := d.Subscriptions(environmentID)[0]
	if s.PopulationIDs[0] != populations["Staff"].ID || s.ApplicationIDs[0] != applications["Worker"].ID || s.LimitSize != 10 {
		t.Errorf("%+v", s)
	}
	if keys, err := d.ListKeys(environmentID); err != nil || keys[0].Name() != "receiver" {
		t.Errorf("keys %v, %v", keys, err)
	}
	if pair, ok := d.KeyPair(environmentID, s.KeyID); !ok || pair.Leaf.Subject.CommonName != "client" || len(d.Trusted(environmentID)) != 1 {
		t.Error("no key pair or no certificate")
	}
	empty, err := d.List(d.Environments()[1], directory.Population)
	if d.Environments()[0] != environmentID {
		empty, err = d.List(d.Environments()[0], directory.Population)
	}
	if err != nil || len(empty) != 1 || !empty[0].Flag("default") {
		t.Errorf("an environment without populations has %v, %v", empty, err)
	}
}

func TestASeedThatIsLoadedAgainChangesNothing(t *testing.T) {
	t.Parallel()
	d := open(t, &journal{}, nil)
	f := material(t)
	if _, err := load(t, d, tenant, f); err != nil {
		t.Fatal(err)
	}
	before := write(t, d, true)
	loaded, err := load(t, d, tenant, f)
	if err != nil || loaded.Environments != 0 || len(loaded.Known) != 2 {
		t.Errorf("%+v, %v", loaded, err)
	}
	if diff := cmp.Diff(stable(before), stable(write(t, d, true))); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsExportedLoadsAgain(t *testing.T) {
	t.Parallel()
	first := open(t, &journal{}, nil)
	if _, err := load(t, first, tenant, material(t)); err != nil {
		t.Fatal(err)
	}
	for _, secrets := range []bool{true, false} {
		text := write(t, first, secrets)
		second := open(t, &journal{}, nil)
		if _, err := load(t, second, text, nil); err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		again := write(t, second, secrets)
		if diff := cmp.Diff(stable(text), stable(again)); diff != "" {
			t.Errorf("secrets %v: %s", secrets, diff)
		}
		for _, canary := range []string{"canary-secret", "canary-header", "pkcs12"} {
			if strings.Contains(text, canary) != secrets {
				t.Errorf("secrets %v, but %s: %v", secrets, canary, !secrets)
			}
		}
		if strings.Contains(text, keyPassword) {
			t.Error("the password of a key is kept")
		}
	}
}

// stable leaves out what differs from one export to the next: PKCS #12 is
// salted, and what was left out is not there to be left out again.
func stable(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.Contains(line, "pkcs12: ") && !strings.Contains(line, "left out") && line != "    keys: []\n" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func TestAWrongSeedIsRefusedByItsLinesAndChangesNothing(t *testing.T) {
	t.Parallel()
	const head = "environments:\n  - name: E\n    type: SANDBOX\n    region: EU\n"
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"no YAML", "environments:\n  - name: [\n", []string{"tenant.yaml:"}},
		{"no mapping", "- a\n", []string{"tenant.yaml:1: "}},
		{"unknown at the top", "\nenvironment: []\n", []string{"tenant.yaml:2: environment: is unknown"}},
		{"no list", "environments: 3\n", []string{"tenant.yaml:1: environments must be a list"}},
		{"environment without type", "environments:\n  - name: E\n    region: EU\n", []string{"tenant.yaml:2: type: "}},
		{"environment of a wrong type", "environments:\n  - name: E\n    region: EU\n    type: X\n", []string{"tenant.yaml:4: type: "}},
		{"name twice", head + "    region: NA\n", []string{"tenant.yaml:5: region stands twice"}},
		{"unknown list", head + "    usres:\n      - username: ann\n", []string{"tenant.yaml:5: usres: is unknown here; did you mean users?"}},
		{"wrong id", head + "    users:\n      - username: a\n        email: a@example.com\n        id: x\n", []string{"tenant.yaml:8: id: "}},
		{"id twice", head + "    populations:\n      - {name: A, id: " + environmentID + "}\n      - {name: B, id: " + environmentID + "}\n", []string{"tenant.yaml:7: id: "}},
		{"two defaults", head + "    populations:\n      - {name: A, default: true}\n      - {name: B, default: true}\n", []string{"tenant.yaml:7: default: "}},
		{"name of another", head + "    populations:\n      - name: A\n      - name: a\n", []string{"tenant.yaml:7: name: "}},
		{"two mistakes", head + "    users:\n      - email: 3\n", []string{"tenant.yaml:6: username: ", "tenant.yaml:6: email: "}},
		{"unknown population", head + "    users:\n      - username: a\n        email: a@example.com\n        population: {name: X}\n", []string{"tenant.yaml:8: population: the environment has no population named X"}},
		{"unknown role", head + "    users:\n      - username: a\n        email: a@example.com\n        roleAssignments:\n          - role: {name: King}\n            scope: {type: ENVIRONMENT}\n", []string{"tenant.yaml:9: role: "}},
		{"role in a wrong scope", head + "    users:\n      - username: a\n        email: a@example.com\n        roleAssignments:\n          - role: {name: Organization Admin}\n            scope: {type: ENVIRONMENT}\n", []string{"tenant.yaml:10: scope.type: "}},
		{"role for an unknown population", head + "    users:\n      - username: a\n        email: a@example.com\n        roleAssignments:\n          - role: {name: Identity Data Admin}\n            scope: {type: POPULATION, name: X}\n", []string{"tenant.yaml:10: scope: the environment has no population named X"}},
		{"key without a file", head + "    keys:\n      - usageType: OUTBOUND_MTLS\n", []string{"tenant.yaml:6: either file or pkcs12"}},
		{"missing file", head + "    keys:\n      - usageType: OUTBOUND_MTLS\n        file: none.p12\n", []string{"tenant.yaml:7: file: open none.p12"}},
		{"wrong password", head + "    keys:\n      - usageType: OUTBOUND_MTLS\n        file: client.p12\n        password: x\n", []string{"tenant.yaml:8: password: "}},
		{"a certificate that is none", head + "    certificates:\n      - usageType: SSL/TLS\n        pem: x\n", []string{"tenant.yaml:7: "}},
		{"subscription", head + "    subscriptions:\n      - name: s\n        enabled: true\n        httpEndpoint:\n          url: http://x.example\n        filterOptions:\n          includedActionTypes: []\n        verifyTlsCertificates: true\n",
			[]string{"tenant.yaml:9: httpEndpoint.url: ", "tenant.yaml:11: filterOptions.includedActionTypes: "}},
		{"mistaken name in a subscription", head + "    subscriptions:\n      - name: s\n        enabled: true\n        httpEndpoint: {url: 'https://x.example'}\n        filterOptions:\n          includedActionTypes: [A]\n          includedTag: [adminIdentityEvent]\n        verifyTlsCertificates: true\n",
			[]string{"tenant.yaml:11: filterOptions.includedTag: is unknown here; did you mean includedTags?"}},
		{"a name near a required one", "environments:\n  - name: E\n    typ: SANDBOX\n    region: EU\n", []string{"tenant.yaml:3: typ: is unknown here; did you mean type?"}},
		{"a name near another of a user", head + "    users:\n      - usernam: ann\n        email: a@example.com\n        mfaEnabeld: true\n", []string{"tenant.yaml:6: usernam: is unknown here; did you mean username?", "tenant.yaml:8: mfaEnabeld: is unknown here; did you mean mfaEnabled?"}},
		{"a name near a list's", head + "    user: {username: ann}\n", []string{"tenant.yaml:5: user: is unknown here; did you mean users?"}},
		{"a name near one that only a seed has", head + "    applications:\n      - {name: A, enabled: true, protocol: SAML, type: X, secrt: x}\n", []string{"tenant.yaml:6: secrt: is unknown here; did you mean secret?"}},
		{"near at the top", "enviroments: []\n", []string{"tenant.yaml:1: enviroments: is unknown here; did you mean environments?"}},
		{"what only the emitter sets", head + "    status: ACTIVE\n    populations:\n      - {name: A, userCount: 3}\n", []string{"tenant.yaml:5: status: is set by the emitter", "tenant.yaml:7: userCount: is set by the emitter"}},
		{"a password", head + "    users:\n      - {username: a, email: a@example.com, password: {value: x}}\n", []string{"tenant.yaml:6: password: is not taken from a seed"}},
		{"mistaken name in a reference", head + "    users:\n      - username: a\n        email: a@example.com\n        population: {nam: Default}\n", []string{"tenant.yaml:8: population.nam: is unknown here; did you mean name?"}},
		{"name and id in a reference", head + "    users:\n      - username: a\n        email: a@example.com\n        population: {name: Default, id: x}\n", []string{"tenant.yaml:8: population.name: stands beside id"}},
		{"mistaken names in a role", head + "    users:\n      - username: a\n        email: a@example.com\n        roleAssignments:\n          - role: {name: Organization Admin, x: 1}\n            scope: {type: ORGANIZATION, name: X}\n            scopes: []\n",
			[]string{"tenant.yaml:9: role.x: is unknown here; there are: id, name", "tenant.yaml:10: scope.name: is unknown here; there are: type, id", "tenant.yaml:11: scopes: is unknown here; did you mean scope?"}},
		{"mistaken name in a key", head + "    keys:\n      - usageType: OUTBOUND_MTLS\n        fil: client.p12\n        file: client.p12\n        password: canary-password\n", []string{"tenant.yaml:7: fil: is unknown here; did you mean file?"}},
		{"a second document", head + "---\nenvironments:\n  - name: F\n    type: X\n    region: EU\n", []string{"tenant.yaml:8: type: "}},
		{"the 51st subscription", head + "    subscriptions:\n" + strings.Repeat("      - {name: s, enabled: true, httpEndpoint: {url: 'https://x.example'}, filterOptions: {includedActionTypes: [A]}, verifyTlsCertificates: true}\n", 51),
			[]string{"tenant.yaml:56: The maximum of 50"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := open(t, &journal{}, nil)
			// An environment before the mistake does not come either.
			text := "environments: [{name: Good, type: SANDBOX, region: EU}]\n---\n" + c.text
			_, err := load(t, d, c.text, material(t))
			var invalid *seed.Invalid
			if !errors.As(err, &invalid) {
				t.Fatalf("loaded: %v", err)
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(c.want) {
				t.Errorf("says %q", got)
			}
			for i := range min(len(got), len(c.want)) {
				if !strings.HasPrefix(got[i], c.want[i]) {
					t.Errorf("says %q, want %q", got[i], c.want[i])
				}
			}
			if _, err := load(t, d, text, material(t)); err == nil || len(d.Environments()) != 0 {
				t.Errorf("%v is there, %v", d.Environments(), err)
			}
		})
	}
}

// failing lets the first puts into a bucket pass and refuses later ones.
type failing struct {
	jetstream.JetStream
	pass *int
}

func (f failing) KeyValue(ctx context.Context, name string) (jetstream.KeyValue, error) {
	kv, err := f.JetStream.KeyValue(ctx, name)
	return failingBucket{kv, f.pass}, err
}

type failingBucket struct {
	jetstream.KeyValue
	pass *int
}

func (f failingBucket) Put(ctx context.Context, key string, value []byte) (uint64, error) {
	if *f.pass--; *f.pass < 0 {
		return 0, errors.New("the disk is full")
	}
	return f.KeyValue.Put(ctx, key, value)
}

func TestASeedThatCannotBeStoredLeavesNothing(t *testing.T) {
	t.Parallel()
	f := material(t)
	for pass := range 20 {
		left := pass
		var bucket jetstream.JetStream
		d := open(t, &journal{}, func(js jetstream.JetStream) jetstream.JetStream {
			bucket = js
			return failing{js, &left}
		})
		_, err := load(t, d, tenant, f)
		if err == nil {
			if pass < 10 {
				t.Fatalf("%d puts were enough", pass)
			}
			return
		}
		again, openErr := directory.Open(context.Background(), directory.Options{
			Recorder: &journal{}, Place: storage.Place{JetStream: bucket, Kind: jetstream.MemoryStorage},
		})
		if openErr != nil {
			t.Fatal(openErr)
		}
		if len(d.Environments()) != 0 || len(again.Environments()) != 0 {
			t.Errorf("after %d puts: %v, %v", pass, d.Environments(), again.Environments())
		}
	}
	t.Error("never stored")
}

func TestAnyTextSurvivesExportAndLoad(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		first, second := open(t, &journal{}, nil), open(t, &journal{}, nil)
		o := map[string]string{}
		for _, name := range []string{"name", "icon", "description"} {
			o[name] = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
				"null", "~", "yes", "1e3", "0x1", "2001-02-03", "- a", "a: b", "#", "'", "\"", "<<", "line\nline\n", " lead", "\u007f", "\u2028", "|", "*a", "&a", "!!int 3",
			})).Filter(func(s string) bool { return strings.TrimSpace(s) != "" }).Draw(r, name)
		}
		text := fmt.Sprintf("environments: [{type: SANDBOX, region: EU, name: %s, icon: %s, description: %s}]", quoted(o["name"]), quoted(o["icon"]), quoted(o["description"]))
		if _, err := load(t, first, text, nil); err != nil {
			r.Skip(err) // the literal cannot say it
		}
		exported := write(t, first, true)
		if _, err := load(t, second, exported, nil); err != nil {
			r.Fatalf("%v:\n%s", err, exported)
		}
		a, errA := first.GetEnvironment(first.Environments()[0])
		b, errB := second.GetEnvironment(second.Environments()[0])
		if errA != nil || errB != nil || !cmp.Equal(a.Members, b.Members) {
			r.Errorf("%q became %q:\n%s", a.Members, b.Members, exported)
		}
	})
}

func FuzzLoad(f *testing.F) {
	f.Add(tenant)
	f.Add("a: &a [*a]")
	f.Add("environments:\n  - &e {name: E, type: SANDBOX, region: EU, x: [*e]}")
	d := open(f, &journal{}, nil)
	f.Fuzz(func(t *testing.T, text string) {
		before := len(d.Environments())
		loaded, err := load(t, d, text, nil)
		if got := len(d.Environments()); err != nil && got != before || err == nil && got != before+loaded.Environments {
			t.Errorf("%d environments became %d: %+v, %v", before, got, loaded, err)
		}
	})
}

// quoted is a text as a YAML literal.
func quoted(s string) string {
	var literal strings.Builder
	literal.WriteByte('"')
	for _, r := range s {
		fmt.Fprintf(&literal, `\U%08x`, r)
	}
	return literal.String() + `"`
}
