package steps

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
	"github.com/hookproof/hookproof/targets"
)

// environmentSteps make environments and what lives in them.
func environmentSteps() []Step {
	return []Step{
		step(`an environment`, func(w *World) any { return w.anEnvironment }),
		step(`another environment "([^"]*)"`, func(w *World) any { return w.anotherEnvironment }),
		step(`populations? ((?:"[^"]*"(?:, | and )?)+)`, func(w *World) any { return w.populations }),
		step(`applications? ((?:"[^"]*"(?:, | and )?)+)`, func(w *World) any { return w.applications }),
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
	if err == nil { // whatever else goes with it, it has to go itself
		w.undo = append(w.undo, driver.Call{Peer: driver.Emitter, Method: http.MethodDelete, Path: "/v1/environments/" + id})
	}
	return id, err
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
		w.later(http.MethodDelete, w.here("/populations/"+id))
		w.environment.populations[name] = id
	}
	return nil
}

func (w *World) applications(ctx context.Context, list string) error {
	for _, name := range quoted(list) {
		id, _, err := w.create(ctx, w.here("/applications"), map[string]any{
			"name": name + " " + w.driver.Name("application"), "enabled": true, "protocol": "OPENID_CONNECT", "type": "WORKER",
			"grantTypes": []string{"CLIENT_CREDENTIALS"}, "tokenEndpointAuthMethod": "CLIENT_SECRET_BASIC",
		})
		if err != nil {
			return err
		}
		w.later(http.MethodDelete, w.here("/applications/"+id))
		w.environment.applications[name] = id
	}
	return nil
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
