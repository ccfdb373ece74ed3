package steps

import (
	"slices"
	"testing"

	"github.com/hookproof/hookproof/features"
)

func TestEveryTextOfAFeatureMatchesOneSentenceAndEverySentenceIsUsed(t *testing.T) {
	t.Parallel()
	catalogue, err := features.Load()
	if err != nil {
		t.Fatal(err)
	}
	scenarios, err := features.Scenarios(catalogue, features.FS)
	if err != nil {
		t.Fatal(err)
	}
	vocabulary := Vocabulary()
	used := make([]bool, len(vocabulary))
	for _, s := range scenarios {
		for _, text := range s.Steps {
			var matching []string
			for i, sentence := range vocabulary {
				if sentence.Pattern.MatchString(text) {
					used[i] = true
					matching = append(matching, sentence.Pattern.String())
				}
			}
			if len(matching) != 1 {
				t.Errorf("%s: «%s» matches %d sentences: %q", s.Location(), text, len(matching), matching)
			}
		}
	}
	for i, u := range used {
		if !u {
			t.Errorf("no feature uses the sentence %s", vocabulary[i].Pattern)
		}
	}
}

func TestNoSentenceStandsTwiceInTheVocabulary(t *testing.T) {
	t.Parallel()
	var seen []string
	for _, s := range Vocabulary() {
		if slices.Contains(seen, s.Pattern.String()) {
			t.Errorf("the sentence %s stands twice", s.Pattern)
		}
		seen = append(seen, s.Pattern.String())
	}
}
