package reports

import (
	"fmt"
	"regexp"
	"strings"
)

// sharedBy is how many scenarios must have a symptom in common before it is
// said that they probably have one cause: fewer can be read one by one.
const sharedBy = 10

// alike says what most scenarios of an outcome have met, if it is one thing, and
// what may help: a wrong claim or a missing key fails hundreds. Empty if they
// differ, or are few.
func alike(r Results, o Outcome) string {
	times := map[string]int{}
	all, commonest := 0, ""
	for _, s := range r.Scenarios {
		if s.Outcome != o || s.Unfinished() || s.Reason == NotBegun {
			continue
		}
		all++
		symptom := symptomOf(s)
		if times[symptom]++; times[symptom] > times[commonest] {
			commonest = symptom
		}
	}
	n := times[commonest]
	if commonest == "" || n < sharedBy || 2*n < all {
		return ""
	}
	who := fmt.Sprintf("%d of these", n)
	if n == all {
		who = "All of these"
	}
	text := fmt.Sprintf("%s met the same, and so probably have one cause: %s.", who, cut(oneLine(commonest), 500))
	if advice := remedy(commonest, r.Target.Role); advice != "" {
		text += " " + advice
	}
	return text
}

// otherStatus is what an answer that is not the expected one is told with; what
// follows it, as a body or the size of a delivery, is another each time.
var otherStatus = regexp.MustCompile(`^status [1-5][0-9][0-9]\b`)

// symptomOf is what a scenario met instead of what it expected.
func symptomOf(s Scenario) string {
	met := s.Reason
	if s.Failure != nil {
		met = s.Failure.Actual
	} else if _, got, found := strings.Cut(s.Reason, ", got "); found { // a step that prepares the scenario
		met = got
	}
	if answered := otherStatus.FindString(met); answered != "" {
		return "an answer with " + answered
	}
	for _, text := range []string{unknownAuthority, nobodyListens} {
		if strings.Contains(met, text) {
			return text
		}
	}
	return met
}

// What Go says where a certificate leads to no authority that is known, and where
// no process listens at an address.
const (
	unknownAuthority = "certificate signed by unknown authority"
	nobodyListens    = "connection refused"
)

// remedy is what may help against a symptom that most scenarios of a run have.
func remedy(symptom, role string) string {
	switch refused := strings.HasSuffix(symptom, "status 401") || strings.HasSuffix(symptom, "status 403"); {
	case refused && role == "receiver":
		return "If it asks for a key: --hook-header, or --client-certificate and --client-key."
	case refused:
		return "Check what the run may do: --client-id and --client-secret, or --token; --control-token and --event-hook-token."
	case symptom == "an answer with status 404" && role == "receiver":
		return "Check the path in --target."
	case symptom == unknownAuthority:
		return "If the authority is one of your own, give it with --ca."
	case symptom == nobodyListens:
		return "Nothing listens at that address: start what should, or mend the port."
	case strings.HasSuffix(symptom, "is answered 404"):
		return "If that is a capability which the target has not, do not claim it."
	}
	return ""
}
