package judge

import (
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// A configuration is a subscription as one create or replacement asked for
// it.
type configuration struct {
	subscription string // its id, or something else that no other has
	body         gjson.Result
	target       string // path and query of its URL
	replaced     bool   // it took the place of another
	// from and until are the entries of the transcript with which it began
	// and ended: what is caused after until was caused after the answer to
	// the request that ended it.
	from, until int
}

// A site is one endpoint of the receiver: the configurations that deliver
// there, and what was delivered.
type site struct {
	name           string
	path           string
	configurations []configuration
	deliveries     []arrived
	// failing tells that the receiver was told to do anything but take all.
	failing bool
}

// arrived is a delivery with the events in it, and the entry of the
// transcript in which it was seen.
type arrived struct {
	transcript.Delivery
	events []gjson.Result
	err    error // the body holds none
	entry  int
}

// observed is a transcript read once for all invariants.
type observed struct {
	t      *transcript.Transcript
	redact transcript.Redactor // of the run
	sites  []*site
	// posted are the events that were posted, by id; caused are the entries
	// of the caused events, by what tells them apart.
	posted map[string]gjson.Result
	caused map[string]int
	// asked are the times at which the requests were made that caused them.
	asked map[string]time.Time
	// twice are the keys of caused that several events have.
	twice map[string]bool
	// steered tells that the target was made to behave in another way than
	// by posting events: its clock, say, was moved.
	steered bool
	// tested tells that a connection was tested, which may bring an event that
	// nothing has caused; tester is the user agent that was sent with it.
	tested bool
	tester string
	// starved tells that the suite's own receiver took long to answer: times
	// that were measured meanwhile say little about the target.
	starved bool
}

// prompt is how long the suite's own receiver takes at most to answer, on a
// machine that has time for it.
const prompt = 400 * time.Millisecond

var (
	subscriptionPath = regexp.MustCompile(`^/v1/environments/[^/?]+/subscriptions(?:/([^/?]+))?$`)
	endpointPath     = regexp.MustCompile(`^/inspect/endpoints/([^/?]+)/(?:behaviour|listener)$`)
)

func observe(t *transcript.Transcript) *observed {
	o := &observed{t: t, redact: transcript.NewRedactor(t.Salt), posted: map[string]gjson.Result{}, caused: map[string]int{}, asked: map[string]time.Time{}, twice: map[string]bool{}}
	var known []configuration
	ids := map[string]*site{}      // by the receiver's id
	begun := map[int64]time.Time{} // of exchanges, by their end
	for i, e := range t.Entries {
		switch {
		case e.Caused != nil:
			key := causeKey(*e.Caused)
			if _, again := o.caused[key]; again {
				o.twice[key] = true
			} else {
				o.caused[key] = i
				o.asked[key] = begun[e.Caused.At.UnixNano()]
			}
		case e.Exchange != nil:
			begun[e.Exchange.End.UnixNano()] = e.At
			switch e.Exchange.Peer {
			case "emitter":
				known = configured(known, i, *e.Exchange)
				if testsConnection(e.Exchange.Request) {
					o.tested, o.tester = true, strings.Join(e.Exchange.Request.Headers["User-Agent"], " ")
				}
			case "control", "trigger":
				o.controlled(*e.Exchange)
			case "receiver":
				o.prepared(ids, *e.Exchange)
				o.starved = o.starved || e.Exchange.End.Sub(e.At) > prompt
			}
		}
	}
	for _, s := range o.sites {
		for _, c := range known {
			if rest, leads := strings.CutPrefix(c.target, s.path); leads && (rest == "" || strings.ContainsRune("/?", rune(rest[0]))) {
				s.configurations = append(s.configurations, c)
			}
		}
	}
	for i, e := range t.Entries {
		if e.Watch == nil {
			continue
		}
		if n := slices.IndexFunc(o.sites, func(s *site) bool { return s.name == e.Watch.Endpoint }); n >= 0 {
			for _, d := range e.Watch.Deliveries {
				if d.Method == http.MethodHead && len(d.Body) == 0 {
					continue // delivers nothing: a connection test looks whether somebody is there (TST-003)
				}
				a := arrived{Delivery: d, entry: i}
				if d.Complete && !d.Truncated {
					a.events, a.err = Events(d)
					unwrap(a.events)
				}
				o.sites[n].deliveries = append(o.sites[n].deliveries, a)
			}
		}
	}
	return o
}

// TestMedia is the content type that makes a POST to a subscription a test of
// its connection. (V2)
const TestMedia = "application/vnd.pingidentity.subscription.test+json"

func testsConnection(r transcript.Request) bool {
	path := subscriptionPath.FindStringSubmatch(r.Path)
	return r.Method == http.MethodPost && path != nil && path[1] != "" &&
		slices.ContainsFunc(r.Headers["Content-Type"], func(v string) bool { return strings.HasPrefix(v, TestMedia) })
}

// unwrap puts the audit event in the place of a record that carries it in an
// envelope (formats SPLUNK and NEWRELIC).
func unwrap(records []gjson.Result) {
	for i, r := range records {
		if inner := r.Get("event"); inner.IsObject() && !r.Get("id").Exists() {
			records[i] = inner
		}
	}
}

// configured are the configurations known after an exchange about one. A
// request without an answer, or with one of 5xx, may have been carried out:
// what it asked for is possible then, and so is what was before.
func configured(known []configuration, entry int, x transcript.Exchange) []configuration {
	path := subscriptionPath.FindStringSubmatch(x.Request.Path)
	if path == nil || x.Request.Method == http.MethodGet {
		return known
	}
	if x.Request.Method == http.MethodPost && path[1] != "" {
		return known // an operation on a subscription, such as its test, changes nothing
	}
	done := x.Response != nil && x.Response.Status/100 == 2
	if !done && x.Response != nil && x.Response.Status/100 != 5 {
		return known
	}
	id := path[1]
	if done {
		for i, c := range known {
			if c.subscription == id && id != "" && c.until == math.MaxInt {
				known[i].until = entry
			}
		}
	}
	body := gjson.ParseBytes(x.Request.Body)
	u, err := url.Parse(body.Get("httpEndpoint.url").String())
	if x.Request.Method == http.MethodDelete || !gjson.ValidBytes(x.Request.Body) || err != nil {
		return known
	}
	if id == "" && done {
		id = gjson.GetBytes(x.Response.Body, "id").String()
	}
	if id == "" {
		id = "unknown " + u.RequestURI()
	}
	return append(known, configuration{subscription: id, body: body, target: u.RequestURI(), replaced: x.Request.Method == http.MethodPut, from: entry, until: math.MaxInt})
}

// controlled notes events that were posted, and that anything else was done.
func (o *observed) controlled(x transcript.Exchange) {
	posted := false
	for line := range postedIn(x) {
		event := gjson.ParseBytes(line)
		o.posted[event.Get("id").String()], posted = event, true
	}
	o.steered = o.steered || !posted
}

// prepared notes a receiver that was made, or told to behave in another way.
func (o *observed) prepared(ids map[string]*site, x transcript.Exchange) {
	if x.Response == nil {
		return
	}
	if path := endpointPath.FindStringSubmatch(x.Request.Path); path != nil && ids[path[1]] != nil {
		ids[path[1]].failing = true
		return
	}
	if x.Request.Method != http.MethodPost || x.Request.Path != "/inspect/endpoints" {
		return
	}
	asked, made := gjson.ParseBytes(x.Request.Body), gjson.ParseBytes(x.Response.Body)
	_, name, _ := strings.Cut(asked.Get("name").String(), "#")
	address := made.Get("dedicated.url").String()
	if address == "" {
		address = made.Get("urls.trusted").String()
	}
	u, err := url.Parse(address)
	if err != nil || len(u.Path) < 2 {
		return
	}
	s := &site{name: name, path: u.Path}
	s.failing = asked.Get("listener").Exists() || asked.Get("behaviour.steps").Exists() || asked.Get("behaviour.then").Exists()
	ids[made.Get("id").String()] = s
	o.sites = append(o.sites, s)
}

// causeKey tells a caused event from others: by its id where it was posted,
// else by its type and what it is about.
func causeKey(c transcript.Caused) string {
	if c.EventID != "" {
		return c.EventID
	}
	return c.Type + " " + c.Resource
}

// cause is the key of the event among those caused, and whether it is one.
func (o *observed) cause(event gjson.Result) (string, bool) {
	if id := event.Get("id").String(); id != "" {
		if _, ok := o.caused[id]; ok {
			return id, true
		}
	}
	kind := event.Get("action.type").String()
	for _, r := range event.Get("resources").Array() {
		key := kind + " " + r.Get("id").String()
		if _, ok := o.caused[key]; ok {
			return key, true
		}
	}
	return "", false
}

// possible are the configurations that a delivery may be of: those that had
// begun, and had not ended before all of its events were caused.
func (o *observed) possible(s *site, d arrived) []configuration {
	first := math.MaxInt
	for _, e := range d.events {
		key, ok := o.cause(e)
		if !ok {
			first = -1
			break
		}
		first = min(first, o.caused[key])
	}
	if len(d.events) == 0 {
		first = -1
	}
	return s.between(first, d.entry)
}

// between are the configurations that had begun before the entry last, and had
// not ended before the entry first.
func (s *site) between(first, last int) []configuration {
	var found []configuration
	for _, c := range s.configurations {
		if c.from < last && c.until > first {
			found = append(found, c)
		}
	}
	return found
}

// enabled tells whether the subscription was to deliver.
func (c configuration) enabled() bool { return c.body.Get("enabled").Type != gjson.False }

// steady tells whether a single subscription ever delivered to the site that,
// whatever else was changed, was enabled all the time, at one URL, and wanted
// the same events in the same format.
func (s *site) steady() bool {
	if !s.oneSubscription() {
		return false
	}
	first, last := s.configurations[0], s.configurations[len(s.configurations)-1]
	for _, c := range s.configurations[1:] {
		if c.target != first.target || !c.enabled() || !cmp.Equal(c.body.Get("filterOptions").Value(), first.body.Get("filterOptions").Value()) || c.body.Get("format").String() != first.body.Get("format").String() {
			return false
		}
	}
	return last.until == math.MaxInt
}

// only is the one configuration that ever delivered to the site, of a
// subscription that was never changed; false where there was another.
func (s *site) only() (configuration, bool) {
	if len(s.configurations) != 1 || s.configurations[0].until != math.MaxInt {
		return configuration{}, false
	}
	return s.configurations[0], true
}

// oneSubscription tells whether a single one ever delivered to the site.
func (s *site) oneSubscription() bool {
	for _, c := range s.configurations {
		if c.subscription != s.configurations[0].subscription || strings.HasPrefix(c.subscription, "unknown ") {
			return false
		}
	}
	return len(s.configurations) > 0
}
