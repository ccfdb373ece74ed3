package steps

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/steps/transcript"
	"github.com/hookproof/hookproof/targets"
)

// environmentSteps make environments and what lives in them.
func environmentSteps() []Step {
	return []Step{
		step(`an environment`, func(w *World) any { return w.anEnvironment }),
		step(`another environment "([^"]*)"`, func(w *World) any { return w.anotherEnvironment }),
		step(`populations? ((?:"[^"]*"(?:, | and )?)+)`, func(w *World) any { return w.populations }),
		step(`applications? ((?:"[^"]*"(?:, | and )?)+)`, func(w *World) any { return w.applications }),
		step(`the deletion of population "([^"]*)" is requested`, func(w *World) any { return w.requestDeletion }),
		step(`(\d+) (applications|populations)`, func(w *World) any { return w.many }),
		step(`the environment is read`, func(w *World) any {
			return func(ctx context.Context) error {
				_, err := w.call(ctx, http.MethodGet, w.here(""), nil)
				return err
			}
		}),
		step(`the environment of the suite's own client is read`, func(w *World) any {
			return func(ctx context.Context) error {
				_, err := w.call(ctx, http.MethodGet, "/v1/environments/"+w.driver.Transcript().Environment, nil)
				return err
			}
		}),
		step(`the answer is (\d+) with the time of the environment's creation`, func(w *World) any {
			return func(status int) error {
				return w.judged(judge.Response(w.answer, judge.Status(status),
					judge.Matching("createdAt", "a date and time of RFC 3339", judge.IsDateTime)))
			}
		}),
	}
}

// anEnvironment gives the scenario an environment of its own where the
// target can make one, else the one that the suite's credentials belong to.
func (w *World) anEnvironment(ctx context.Context) error {
	id, err := w.makeEnvironment(ctx)
	if err != nil {
		return err
	}
	w.environment = newEnvironment(id)
	return nil
}

func (w *World) anotherEnvironment(ctx context.Context, name string) error {
	if !w.claims(targets.Environments) {
		return unobserved("the target makes no second environment")
	}
	id, err := w.makeEnvironment(ctx)
	if err != nil {
		return err
	}
	w.others[name] = newEnvironment(id)
	return nil
}

func (w *World) makeEnvironment(ctx context.Context) (string, error) {
	own := w.driver.Transcript().Environment
	if !w.claims(targets.Environments) {
		return own, nil
	}
	x, err := w.call(ctx, http.MethodGet, "/v1/environments/"+own, nil)
	if err != nil {
		return "", err
	}
	r, err := answered(x, judge.Status(http.StatusOK))
	if err != nil {
		return "", err
	}
	body := map[string]any{"name": w.driver.Name("environment"), "type": "SANDBOX", "region": "NA"}
	if region := gjson.GetBytes(r.Body, "region"); region.Exists() {
		body["region"] = region.Value()
	}
	if license := gjson.GetBytes(r.Body, "license.id"); license.Exists() {
		body["license"] = map[string]string{"id": license.String()}
	}
	id, _, err := w.create(ctx, "/v1/environments", body)
	if err != nil {
		return "", err
	}
	w.fresh[id] = w.answer.End
	return id, w.settled(ctx, id)
}

const (
	// settles is how long a new environment may be unknown to some of the
	// target: the vendor's own client allows 17 s (G1).
	settles = 20 * time.Second
	// settlePause is between two looks at it.
	settlePause = 500 * time.Millisecond
)

// settled waits until a new environment can be read. What comes of one that
// cannot is for the steps to see.
func (w *World) settled(ctx context.Context, id string) error {
	for {
		x, err := w.call(ctx, http.MethodGet, "/v1/environments/"+id, nil)
		switch {
		case err != nil:
			return err
		case x.Response == nil || x.Response.Status != http.StatusNotFound || x.End.Sub(w.fresh[id]) > settles:
			return nil
		}
		w.driver.Pause(ctx, settlePause)
	}
}

// ask makes calls side by side. A create in a new environment that is answered
// 404 is made again: an environment that can be read may still be unknown to
// what creates (G1). Every attempt is recorded; the last is returned.
func (w *World) ask(ctx context.Context, calls []driver.Call) ([]transcript.Exchange, error) {
	answers, err := w.driver.DoAll(ctx, calls)
	for err == nil {
		var early []int
		var again []driver.Call
		for i, x := range answers {
			if w.tooEarly(x) {
				early, again = append(early, i), append(again, calls[i])
			}
		}
		if len(again) == 0 {
			return answers, nil
		}
		w.driver.Pause(ctx, settlePause)
		var later []transcript.Exchange
		later, err = w.driver.DoAll(ctx, again)
		for n, x := range later {
			answers[early[n]] = x
		}
	}
	return nil, err
}

// tooEarly tells whether a create was answered 404 while its environment is
// new. What it would create is told by the path: a collection right below the
// environment.
func (w *World) tooEarly(x transcript.Exchange) bool {
	if x.Request.Method != http.MethodPost || x.Response == nil || x.Response.Status != http.StatusNotFound {
		return false
	}
	id, collection, _ := strings.Cut(strings.TrimPrefix(x.Request.Path, "/v1/environments/"), "/")
	made, fresh := w.fresh[id]
	return fresh && !strings.Contains(collection, "/") && x.End.Sub(made) <= settles
}

// quoted are the words in quotes of a list such as `"A", "B" and "C"`.
func quoted(list string) []string {
	var words []string
	for i, part := range strings.Split(list, `"`) {
		if i%2 == 1 {
			words = append(words, part)
		}
	}
	return words
}

func (w *World) populations(ctx context.Context, list string) error {
	for _, name := range quoted(list) {
		id, _, err := w.create(ctx, w.here("/populations"), map[string]string{"name": name + " " + w.driver.Name("population")})
		if err != nil {
			return err
		}
		w.environment.populations[name] = id
	}
	return nil
}

// requestDeletion asks for the deletion of a population. Whether that is granted
// while a subscription names it is not documented.
func (w *World) requestDeletion(ctx context.Context, name string) error {
	id := w.environment.populations[name]
	if id == "" {
		return fmt.Errorf("there is no population %q", name)
	}
	_, err := w.call(ctx, http.MethodDelete, w.here("/populations/"+id), nil)
	return err
}

func (w *World) applications(ctx context.Context, list string) error {
	for _, name := range quoted(list) {
		id, _, err := w.create(ctx, w.here("/applications"), w.application(name+" "+w.driver.Name("application")))
		if err != nil {
			return err
		}
		w.environment.applications[name] = id
	}
	return nil
}

// application is the body of an application that acts for itself.
func (w *World) application(name string) map[string]any {
	return map[string]any{
		"name": name, "enabled": true, "protocol": "OPENID_CONNECT", "type": "WORKER",
		"grantTypes": []string{"CLIENT_CREDENTIALS"}, "tokenEndpointAuthMethod": "CLIENT_SECRET_BASIC",
	}
}

// many makes so many populations or applications, called "population 1" and
// so on.
func (w *World) many(ctx context.Context, count int, kind string) error {
	build := w.populations
	if kind == "applications" {
		build = w.applications
	}
	for i := range count {
		if err := build(ctx, fmt.Sprintf(`"%s %d"`, strings.TrimSuffix(kind, "s"), i+1)); err != nil {
			return err
		}
	}
	return nil
}
