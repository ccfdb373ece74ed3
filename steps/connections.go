package steps

import (
	"context"
	"net/http"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
)

// connectionSteps test the connection of a subscription.
func connectionSteps() []Step {
	return []Step{
		step(`the subscription's connection is tested`, func(w *World) any { return w.testConnection }),
		step(`the test is accepted`, func(w *World) any {
			return func() error { return w.judged(judge.Response(w.answer, judge.Success())) }
		}),
		step(`a test event is posted to the receiver`, func(w *World) any {
			return func(ctx context.Context) error {
				e, err := w.endpoint(theReceiver)
				if err != nil {
					return err
				}
				t := w.driver.Transcript()
				if _, err := w.driver.AwaitDeliveries(ctx, e, w.deadlines.Delivery, func() bool {
					return !judge.Tested(t, theReceiver).Failed()
				}); err != nil {
					return err
				}
				return w.judged(judge.Tested(t, theReceiver))
			}
		}),
	}
}

func (w *World) testConnection(ctx context.Context) error {
	s, err := w.theOne()
	if err != nil {
		return err
	}
	c, err := testCall(w.here("/subscriptions/" + s.id))
	if err != nil {
		return err
	}
	_, err = w.do(ctx, c)
	return err
}

// testCall asks for a test of the connection of the subscription at the path.
func testCall(path string) (driver.Call, error) {
	c, err := jsonCall(http.MethodPost, path, []byte("{}"))
	if err == nil {
		c.Header["Content-Type"] = judge.TestMedia
	}
	return c, err
}
