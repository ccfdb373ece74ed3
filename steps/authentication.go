package steps

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/driver"
	"github.com/hookproof/hookproof/steps/judge"
)

// requests are those that the sentences below make with other credentials
// than the suite's own.
const requests = `the environment is read|the subscriptions are listed|the subscription is read|` +
	`a subscription is requested|the subscription is replaced|the subscription is deleted|the subscription's connection is tested|` +
	`a user is created|a population is created|an application is created|a key is imported|a certificate is uploaded|the activities are read|` +
	`an unknown (?:user|population|application|key|environment) is deleted|an unknown application's secret is read`

// authenticationSteps fetch tokens, and make requests without one, with one
// that is worth nothing, or with that of another client.
func authenticationSteps() []Step {
	return []Step{
		step(`(`+requests+`) without a token`, func(w *World) any {
			return func(ctx context.Context, what string) error { return w.requestAs(ctx, what, "none") }
		}),
		step(`(`+requests+`) with a made-up token`, func(w *World) any {
			return func(ctx context.Context, what string) error {
				return w.requestAs(ctx, what, "Bearer "+w.driver.UUID())
			}
		}),
		step(`(`+requests+`) with a token that was altered`, func(w *World) any {
			return func(ctx context.Context, what string) error {
				token, err := w.token(ctx, w.driver.Transcript().Environment, driver.Credentials{})
				if err != nil {
					return err
				}
				return w.requestAs(ctx, what, "Bearer "+token+"x")
			}
		}),
		step(`a worker without roles in environment "([^"]*)"`, func(w *World) any { return w.stranger }),
		step(`(`+requests+`) by that worker`, func(w *World) any {
			return func(ctx context.Context, what string) error {
				token, err := w.token(ctx, w.worker.environment, w.worker.Credentials)
				if err != nil {
					return err
				}
				return w.requestAs(ctx, what, "Bearer "+token)
			}
		}),
		step(`the suite's own client asks for a token`, func(w *World) any {
			return func(ctx context.Context) error {
				t := w.driver.Transcript()
				if t.Client == "" {
					return unobserved("the suite was given an access token, and no client to ask for one with")
				}
				return w.askToken(ctx, t.Environment, driver.Credentials{})
			}
		}),
		step(`a worker asks for a token`, func(w *World) any {
			return func(ctx context.Context) error {
				made, err := w.makeWorker(ctx, w.environment, true)
				if err != nil {
					return err
				}
				return w.askToken(ctx, w.environment.id, made)
			}
		}),
		step(`the answer is a bearer token`, func(w *World) any {
			return func() error {
				return w.judged(judge.Response(w.answer, judge.Status(http.StatusOK), judge.BearerToken()))
			}
		}),
		step(`the API accepts the token`, func(w *World) any {
			return func(ctx context.Context) error {
				token := gjson.GetBytes(w.answer.Response.Body, "access_token").String()
				if err := w.requestAs(ctx, "the environment is read", "Bearer "+token); err != nil {
					return err
				}
				return w.judged(judge.Response(w.answer, judge.TokenAccepted()))
			}
		}),
	}
}

// worker is an application that acts for itself, and where it lives.
type worker struct {
	driver.Credentials
	environment string
}

// stranger makes a worker application that may do nothing anywhere.
func (w *World) stranger(ctx context.Context, environment string) error {
	home := w.others[environment]
	if home == nil {
		return fmt.Errorf("the scenario has not made environment %q", environment)
	}
	made, err := w.makeWorker(ctx, home, false)
	w.worker = worker{made, home.id}
	return err
}

// makeWorker makes a worker application and reads its secret, of which only
// the mark is known here.
func (w *World) makeWorker(ctx context.Context, home *environment, roles bool) (driver.Credentials, error) {
	path := "/v1/environments/" + home.id + "/applications"
	id, _, err := w.create(ctx, path, map[string]any{
		"name": w.driver.Name("worker"), "enabled": true, "protocol": "OPENID_CONNECT", "type": "WORKER",
		"grantTypes": []string{"CLIENT_CREDENTIALS"}, "tokenEndpointAuthMethod": "CLIENT_SECRET_BASIC", "assignActorRoles": roles,
	})
	if err != nil {
		return driver.Credentials{}, err
	}
	x, err := w.call(ctx, http.MethodGet, path+"/"+id+"/secret", nil)
	if err != nil {
		return driver.Credentials{}, err
	}
	r, err := answered(x, judge.Status(http.StatusOK))
	if err != nil {
		return driver.Credentials{}, err
	}
	secret := gjson.GetBytes(r.Body, "secret").String()
	if secret == "" {
		return driver.Credentials{}, unobserved("an answer to GET %s without a secret", x.Request.Path)
	}
	return driver.Credentials{ID: id, Secret: secret}, nil
}

// askToken asks the token endpoint of an environment for a token.
func (w *World) askToken(ctx context.Context, environment string, as driver.Credentials) error {
	_, err := w.do(ctx, driver.Call{
		Peer: driver.Auth, Method: http.MethodPost, Path: "/" + url.PathEscape(environment) + "/as/token", As: &as,
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
		Body:   []byte("grant_type=client_credentials"),
	})
	return err
}

// token is the mark of a token that the client was given.
func (w *World) token(ctx context.Context, environment string, as driver.Credentials) (string, error) {
	if as == (driver.Credentials{}) && w.driver.Transcript().Client == "" {
		return "", unobserved("the suite was given an access token, and no client to ask for one with")
	}
	if err := w.askToken(ctx, environment, as); err != nil {
		return "", err
	}
	r, err := answered(w.answer, judge.Status(http.StatusOK), judge.BearerToken())
	if err != nil {
		return "", err
	}
	return gjson.GetBytes(r.Body, "access_token").String(), nil
}

// requestAs makes one of the requests with an Authorization header of its
// own. It is expected to be refused; what is made nevertheless is removed.
func (w *World) requestAs(ctx context.Context, what, authorization string) error {
	c, err := w.requestFor(what)
	if err != nil {
		return err
	}
	c.Authorization = authorization
	_, err = w.do(ctx, c)
	return err
}

// requestFor is the call that a sentence of requests stands for.
func (w *World) requestFor(what string) (driver.Call, error) {
	switch what {
	case "the environment is read":
		return jsonCall(http.MethodGet, w.here(""), nil)
	case "the subscriptions are listed":
		return jsonCall(http.MethodGet, w.here("/subscriptions"), nil)
	case "a key is imported":
		c, _, err := w.keyCall(theKey, usageMTLS)
		return c, err
	case "a certificate is uploaded":
		pem, err := w.freshCertificate()
		return uploadCall(pem, "SSL/TLS", w.environment), err
	case "the activities are read":
		return jsonCall(http.MethodGet, w.activities(`recordedAt gt "2000-01-01T00:00:00Z"`, 1), nil)
	case "a user is created":
		name := w.driver.Name("user")
		return jsonCall(http.MethodPost, w.here("/users"), map[string]any{"username": name, "email": name + "@hookproof.example"})
	case "a population is created":
		return jsonCall(http.MethodPost, w.here("/populations"), map[string]string{"name": w.driver.Name("population")})
	case "an application is created":
		return jsonCall(http.MethodPost, w.here("/applications"), w.application(w.driver.Name("application")))
	case "an unknown application's secret is read":
		return jsonCall(http.MethodGet, w.here("/applications/"+w.driver.UUID()+"/secret"), nil)
	case "an unknown environment is deleted":
		return jsonCall(http.MethodDelete, "/v1/environments/"+w.driver.UUID(), nil)
	}
	if kind, ok := strings.CutPrefix(what, "an unknown "); ok {
		return jsonCall(http.MethodDelete, w.here("/"+strings.TrimSuffix(kind, " is deleted")+"s/"+w.driver.UUID()), nil)
	}
	body, err := w.subscriptionBody("USER.CREATED", nil)
	if err != nil {
		return driver.Call{}, err
	}
	if what == "a subscription is requested" {
		return jsonCall(http.MethodPost, w.here("/subscriptions"), body)
	}
	s, err := w.theOne()
	if err != nil {
		return driver.Call{}, err
	}
	path := w.here("/subscriptions/" + s.id)
	switch what {
	case "the subscription is replaced":
		return jsonCall(http.MethodPut, path, body)
	case "the subscription is deleted":
		return jsonCall(http.MethodDelete, path, nil)
	case "the subscription's connection is tested":
		return testCall(path)
	}
	return jsonCall(http.MethodGet, path, nil)
}
