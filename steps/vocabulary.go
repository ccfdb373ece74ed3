package steps

import (
	"regexp"
	"sync"

	"github.com/cucumber/godog"
)

// A Step is one sentence of the vocabulary and what it does. Bind gives the
// function that godog calls for one scenario's world; its parameters are the
// sentence's captured words, after a context.
type Step struct {
	Pattern *regexp.Regexp
	Bind    func(*World) any
}

// step makes a Step; the sentence is a regular expression that must match
// the whole text.
func step(sentence string, bind func(*World) any) Step {
	return Step{regexp.MustCompile("^" + sentence + "$"), bind}
}

// Vocabulary is every sentence that features may use, area by area. Every
// text of a feature matches exactly one of them, and every one is used.
func Vocabulary() []Step { return vocabulary() }

// vocabulary is compiled once: every scenario binds it to its own world.
var vocabulary = sync.OnceValue(func() []Step {
	var all []Step
	for _, area := range [][]Step{
		environmentSteps(),
		subscriptionSteps(),
		requestSteps(),
		answerSteps(),
		eventSteps(),
		postedSteps(),
		memberSteps(),
		activitySteps(),
		filterSteps(),
		retrySteps(),
		receiverSteps(),
		arrivalSteps(),
		changeSteps(),
		payloadSteps(),
		burstSteps(),
		tlsSteps(),
		authenticationSteps(),
		errorSteps(),
		connectionSteps(),
		formatSteps(),
		waitingSteps(),
		tcpSteps(),
		hookDeliverySteps(),
		hookRequestSteps(),
		readBackSteps(),
	} {
		all = append(all, area...)
	}
	return all
})

// register binds the vocabulary to a scenario's world.
func register(sc *godog.ScenarioContext, vocabulary []Step, w *World) {
	for _, s := range vocabulary {
		sc.Step(s.Pattern, s.Bind(w))
	}
}
