package hookproof

import "testing"

func TestASubtestIsNamedExactly(t *testing.T) {
	t.Parallel()
	if got, want := exactly("TestConformance/limits/a-51st.b"), `^TestConformance$/^limits$/^a-51st\.b$`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
