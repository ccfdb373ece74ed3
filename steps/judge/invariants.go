package judge

import (
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// Broken is a promise that was broken although no step of the scenario asked
// for it, and the rules that make it.
type Broken struct {
	Rules []string
	Outcome
}

// Times are the times that the documents name, and what is allowed on top
// for the wire and the clocks.
type Times struct{ Hold, Tolerance time.Duration }

// Invariants looks through everything that was observed in a scenario for
// promises that hold for every delivery and every event, whatever the
// scenario is about, and gives the first that is broken; nil, if none is. A
// MUST goes before a SHOULD.
//
// What a subscription is to deliver, and how, is taken from the requests that
// made it what it is. Where a promise is not owed, nothing is judged: what
// was caused before a change was answered may be delivered as before or as
// after it; what several subscriptions deliver to one endpoint may be of any
// of them; an endpoint to which no known subscription leads is not looked at.
func Invariants(t *transcript.Transcript, times Times) *Broken {
	o := observe(t)
	for _, look := range []func() *Broken{
		o.everyDelivery,
		o.distinct,
		func() *Broken { return o.everySite(o.suspended) },
		func() *Broken { return o.everySite(o.resent) },
		func() *Broken { return o.everySite(o.overtaken) },
		func() *Broken { return o.everySite(func(s *site) *Broken { return o.held(s, times) }) },
		func() *Broken { return o.everySite(o.altered) },
		func() *Broken { return o.everySite(o.shuffled) },
	} {
		if b := look(); b != nil {
			return b
		}
	}
	return nil
}

func broken(o Outcome, rules ...string) *Broken {
	if !o.failed {
		return nil
	}
	return &Broken{rules, o}
}

func (o *observed) everySite(judge func(*site) *Broken) *Broken {
	for _, s := range o.sites {
		if b := judge(s); b != nil {
			b.Actual += " at receiver \"" + s.name + "\""
			return b
		}
	}
	return nil
}

// everyDelivery judges single deliveries by the configurations that they may
// be of; one that it fits is enough for every promise.
func (o *observed) everyDelivery() *Broken {
	return o.everySite(func(s *site) *Broken {
		for _, d := range s.deliveries {
			configurations := o.possible(s, d)
			if len(configurations) == 0 {
				continue
			}
			in := " in delivery " + ordinal(d.Seq, len(s.deliveries))
			for _, judge := range o.promises() {
				if b := byAny(configurations, d, judge); b != nil {
					b.Actual += in
					return b
				}
			}
			if b := o.included(configurations, d); b != nil {
				b.Actual += in
				return b
			}
		}
		return nil
	})
}

type promise func(configuration, arrived) *Broken

// byAny is what the promise finds in a delivery by the configuration that
// began last, unless another makes it right.
func byAny(configurations []configuration, d arrived, judge promise) *Broken {
	var last *Broken
	for _, c := range configurations {
		if last = judge(c, d); last == nil {
			return nil
		}
	}
	return last
}

// promises are those about a single delivery.
func (o *observed) promises() []promise {
	list := []promise{asRequested, o.withHeaders, o.hidingInText}
	for _, p := range []promise{inLines, laidOut} {
		list = append(list, func(c configuration, d arrived) *Broken {
			if !d.Complete || d.Truncated {
				return nil
			}
			return p(c, d)
		})
	}
	for _, p := range []promise{neverEmpty, inFormat, withinLimit, withID, o.hidingAddress, o.hidingAgent} {
		list = append(list, func(c configuration, d arrived) *Broken {
			// The body of what arrived in part, or in a format other than the
			// documented one of activities, says nothing.
			if !d.Complete || d.Truncated || !c.ofActivities() {
				return nil
			}
			return p(c, d)
		})
	}
	return list
}

func (c configuration) ofActivities() bool {
	format := c.body.Get("format")
	return !format.Exists() || format.Type == gjson.Null || format.Str == "ACTIVITY"
}
