package judge

import (
	"net/http"

	"github.com/hookproof/hookproof/steps/transcript"
)

// deliveryTest is the type of the event that tests a connection (R1, V2).
const deliveryTest = "EVENT_DELIVERY_TEST"

// Tested fails unless a POST brought the event of a connection test to the
// endpoint. Rule TST-002.
func Tested(t *transcript.Transcript, endpoint string) Outcome {
	arrivals := Arrivals(t, endpoint)
	for _, a := range arrivals {
		if a.Delivery.Method == http.MethodPost && a.Event.Get("action.type").Str == deliveryTest {
			return Pass
		}
	}
	o := Fail("a POST with an event of type %s at receiver %q", deliveryTest, endpoint).Got("%s%s", Arrived(t, endpoint), methods(t, endpoint))
	if len(arrivals) == 0 {
		return o.absence()
	}
	return o
}

// methods says by which methods the endpoint was asked.
func methods(t *transcript.Transcript, endpoint string) string {
	text := ""
	for _, d := range t.Deliveries(endpoint) {
		text += ", " + d.Method
	}
	return text
}
