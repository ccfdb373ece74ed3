package judge

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
)

// distinct judges that no two events have one id: what arrives with the same
// id is of the same type and about the same resources. (EVT-001)
func (o *observed) distinct() *Broken {
	first := map[string]gjson.Result{}
	return o.everySite(func(s *site) *Broken {
		for _, d := range s.deliveries {
			for _, e := range d.events {
				id := e.Get("id").String()
				f, again := first[id]
				if !again {
					first[id] = e
				} else if id != "" && subject(f) != subject(e) {
					return broken(Fail("an id that no other event has").Got("id %s both of %s and of %s", id, cut(f.Raw), cut(e.Raw)), "EVT-001")
				}
			}
		}
		return nil
	})
}

// subject is the type of an event and what it is about.
func subject(event gjson.Result) string {
	words := []string{event.Get("action.type").String()}
	for _, r := range event.Get("resources").Array() {
		words = append(words, r.Get("id").String())
	}
	return strings.Join(words, " ")
}

// suspended judges that no event is delivered of those that were caused after
// the answer with which the subscription was disabled, and before it was asked
// to be enabled again. (DLV-020, or SUS-003 where it was created disabled)
func (o *observed) suspended(s *site) *Broken {
	for _, d := range s.deliveries {
		for _, e := range d.events {
			key, known := o.cause(e)
			if !known || o.twice[key] {
				continue
			}
			possible := s.between(o.caused[key], d.entry)
			if len(possible) == 0 || slices.ContainsFunc(possible, func(c configuration) bool { return c.enabled() }) {
				continue
			}
			rule := "SUS-003"
			if slices.ContainsFunc(possible, func(c configuration) bool { return c.replaced }) {
				rule = "DLV-020"
			}
			return broken(Fail("nothing of what happened while the subscription was disabled").
				Got("event %s (%s) in delivery %d", e.Get("id").String(), e.Get("action.type"), d.Seq), rule)
		}
	}
	return nil
}

// patience is how long an emitter waits at least for the answer to a
// delivery. Where more time has passed since a delivery can have begun, its
// answer may have come too late, or never.
const patience = time.Second

// resent judges that nothing comes again after its 200. Owed by a single
// subscription, whatever it was changed to meanwhile, and only where so
// little time has passed since the events of the first delivery were caused
// that the emitter cannot have given it up. (RTY-005)
func (o *observed) resent(s *site) *Broken {
	if !s.oneSubscription() || o.starved {
		return nil
	}
	taken := map[string]arrived{}
	for _, d := range s.deliveries {
		for _, e := range d.events {
			id := e.Get("id").String()
			if before, done := taken[id]; done && id != "" && !d.FirstByteAt.Before(before.Answer.At) && o.fresh(before, d.FirstByteAt) {
				return broken(Fail("event %s (%s) not again after the 200 to delivery %d", id, e.Get("action.type"), before.Seq).Got("again in delivery %d", d.Seq), "RTY-005")
			}
		}
		for _, e := range d.events {
			if id := e.Get("id").String(); acknowledged(d.Delivery) && taken[id].Seq == 0 {
				taken[id] = d
			}
		}
	}
	return nil
}

// fresh tells whether at is so soon after the last of the delivery's events
// was asked for that the emitter must still have been waiting for an answer.
func (o *observed) fresh(d arrived, at time.Time) bool {
	for _, e := range d.events {
		if key, ok := o.cause(e); ok && at.Sub(o.asked[key]) < patience {
			return true
		}
	}
	return false
}

// overtaken judges that while a delivery fails no other event is delivered,
// unless everything that waits comes along with it: whether a delivery that is
// tried again has the same events, fewer or more, is not documented. Owed by a
// single subscription, changed or not, that wants the same events all the time.
// Deliveries side by side that all succeed overtake nothing, and that one is
// never answered is known to the emitter only once it tries again, so that a
// delivery which begins before counts as side by side. (RTY-006)
func (o *observed) overtaken(s *site) *Broken {
	if !s.steady() || o.steered {
		return nil
	}
	waiting := map[string]int{} // the failed delivery, by event
	silent := map[string]int{}  // those that were never answered, by event
	taken := map[string]bool{}  // events that were answered with 200
	since := time.Time{}        // when the first delivery that waits had failed
	for _, d := range s.deliveries {
		if !d.Complete || d.err != nil {
			continue
		}
		keys := o.keys(d.events)
		for _, key := range keys {
			if n, again := silent[key]; again {
				waiting[key] = n
			}
		}
		behind := maps.Clone(waiting)
		maps.DeleteFunc(behind, func(key string, _ int) bool { return slices.Contains(keys, key) })
		for i, key := range keys {
			if _, waits := waiting[key]; !waits && !taken[key] && len(behind) > 0 && !d.FirstByteAt.Before(since) {
				return broken(Fail("no other event before the failed delivery %d was answered with 200", slices.Min(slices.Collect(maps.Values(behind)))).
					Got("event %s (%s) in delivery %d", d.events[i].Get("id").String(), d.events[i].Get("action.type"), d.Seq), "RTY-006")
			}
		}
		for _, key := range keys {
			switch {
			case acknowledged(d.Delivery):
				taken[key] = true
				delete(waiting, key)
				delete(silent, key)
			case d.Answer.Action == "hang":
				silent[key] = d.Seq
			case !taken[key]:
				if len(waiting) == 0 {
					since = d.Answer.At
				}
				waiting[key] = d.Seq
			}
		}
	}
	return nil
}

// keys tell the events of a delivery apart, even if they get another id each
// time they are sent.
func (o *observed) keys(events []gjson.Result) []string {
	keys := make([]string, len(events))
	for i, e := range events {
		keys[i] = e.Get("id").String()
		if key, ok := o.cause(e); ok && !o.twice[key] {
			keys[i] = key
		}
	}
	return keys
}

// held judges how long events were held. Owed by a subscription that was
// enabled all the time, to a receiver that took everything at once; an event
// that waits until the delivery before it has been answered is not held for
// so long. That it arrives at all is for the scenario to judge. (DLV-012)
func (o *observed) held(s *site, times Times) *Broken {
	c, single := s.only()
	if !single || s.failing || o.steered || o.starved || !c.body.Get("enabled").Bool() {
		return nil
	}
	if slices.ContainsFunc(s.deliveries, func(d arrived) bool { return !acknowledged(d.Delivery) }) {
		return nil
	}
	free := time.Time{} // when the delivery before was answered
	seen := map[string]bool{}
	for _, d := range s.deliveries {
		for i, key := range o.keys(d.events) {
			entry, known := o.caused[key]
			if !known || seen[key] || o.twice[key] || entry < c.from {
				continue
			}
			seen[key] = true
			begin := o.t.Entries[entry].Caused.At
			if free.After(begin) {
				begin = free
			}
			if held := d.FirstByteAt.Sub(begin); held > times.Hold+times.Tolerance {
				return broken(Fail("held at most %v (and %v for the wire)", times.Hold, times.Tolerance).
					Got("%v for event %s (%s)", held.Round(time.Millisecond), d.events[i].Get("id").String(), o.t.Entries[entry].Caused.Name), "DLV-012")
			}
		}
		if d.Answer.At.After(free) {
			free = d.Answer.At
		}
	}
	return nil
}

// altered judges that an event is the same each time it is sent. Owed by a
// subscription that was not changed meanwhile. (RTY-012)
func (o *observed) altered(s *site) *Broken {
	if _, single := s.only(); !single {
		return nil
	}
	first := map[string]gjson.Result{}
	for _, d := range s.deliveries {
		for i, key := range o.keys(d.events) {
			e := d.events[i]
			f, again := first[key]
			switch {
			case key == "": // a format whose records tell no id where they are known to
				continue
			case !again:
				first[key] = e
				continue
			}
			if was, is := f.Get("id").String(), e.Get("id").String(); was != is {
				return broken(Fail("one id each time an event is sent, %s", was).Got("%s in delivery %d", is, d.Seq), "RTY-012")
			}
			if f.Raw != e.Raw && !cmp.Equal(f.Value(), e.Value()) {
				return broken(Fail("the same content each time an event is sent: %s", cut(f.Raw)).Got("%s in delivery %d", cut(e.Raw), d.Seq), "RTY-012")
			}
		}
	}
	return nil
}

// shuffled judges that within a delivery no event stands before one that had
// happened before anybody asked for it. Deliveries side by side may come in
// any order, and what was sent before has been in order once. (RTY-008)
func (o *observed) shuffled(s *site) *Broken {
	seen := map[string]bool{}
	for _, d := range s.deliveries {
		keys := o.keys(d.events)
		latest := -1 // the event asked for last among those that stand before
		for i, key := range keys {
			entry, known := o.caused[key]
			asked := o.asked[key]
			if !known || o.twice[key] || seen[key] || asked.IsZero() {
				continue
			}
			if latest >= 0 && o.t.Entries[entry].Caused.At.Before(o.asked[keys[latest]]) {
				return broken(Fail("%s before %s, which happened after it", o.t.Entries[entry].Caused.Name, o.t.Entries[o.caused[keys[latest]]].Caused.Name).
					Got("as number %d and %d in delivery %d", i+1, latest+1, d.Seq), "RTY-008")
			}
			if latest < 0 || asked.After(o.asked[keys[latest]]) {
				latest = i
			}
		}
		for _, key := range keys {
			seen[key] = true
		}
	}
	return nil
}
