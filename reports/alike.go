package reports

import (
	"fmt"
	"regexp"
)

// sharedBy is how many scenarios must have a symptom in common before it is
// said that they probably have one cause: fewer can be read one by one.
const sharedBy = 10

// alike says what most scenarios of an outcome have met, if it is one thing: a
// wrong claim or a missing key fails hundreds. Empty if they differ, or are few.
func alike(r Results, o Outcome) string {
	times := map[string]int{}
	all, commonest := 0, ""
	for _, s := range r.Scenarios {
		if s.Outcome != o {
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
	return fmt.Sprintf("%s met the same, and so probably have one cause: %s.", who, cut(oneLine(commonest), 500))
}

// otherStatus is what an answer that is not the expected one is told with; what
// follows it, as a body or the size of a delivery, is another each time.
var otherStatus = regexp.MustCompile(`^status [1-5][0-9][0-9]\b`)

// symptomOf is what a scenario met instead of what it expected.
func symptomOf(s Scenario) string {
	if s.Failure == nil {
		return s.Reason
	}
	if answered := otherStatus.FindString(s.Failure.Actual); answered != "" {
		return "an answer with " + answered
	}
	return s.Failure.Actual
}
