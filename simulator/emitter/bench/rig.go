package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/emitter"
	"github.com/hookproof/hookproof/simulator/emitter/event"
	"github.com/hookproof/hookproof/simulator/emitter/limits"
)

// rig is a receiver and an emitter with its data on disk, configured over its
// management API.
type rig struct {
	*sink
	emitter *emitter.Emitter
	dir     string
	token   string
	events  []event.Record
	at      map[string]int // number of the next event of an environment

	environments []string
	hooks        []hook
}

// hook is a subscription; its place in the list is its lane.
type hook struct{ environment, id string }

// startRig starts both, with so many subscriptions in environments of at most 50.
func startRig(ctx context.Context, o Options, subscriptions int, enabled bool) (*rig, error) {
	r := &rig{at: map[string]int{}}
	if err := r.start(ctx, o, subscriptions, enabled); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *rig) start(ctx context.Context, o Options, subscriptions int, enabled bool) (err error) {
	if r.events, err = ring(); err != nil {
		return err
	}
	if r.sink, err = startSink(subscriptions); err != nil {
		return err
	}
	if r.dir, err = os.MkdirTemp(o.Dir, "hookproof-bench-"); err != nil {
		return err
	}
	if r.emitter, err = emitter.Start(ctx, emitter.Options{Dir: r.dir, TrustedCAs: [][]byte{r.root}}); err != nil {
		return err
	}
	if r.token, err = r.login(ctx); err != nil {
		return err
	}
	for lane := range subscriptions {
		if lane%limits.SubscriptionsPerEnvironment == 0 {
			id, err := r.create(ctx, "", fmt.Sprintf(`{"name":"bench %d","type":"SANDBOX","region":"EU"}`, lane))
			if err != nil {
				return err
			}
			r.environments = append(r.environments, id)
		}
		environment := r.environments[len(r.environments)-1]
		id, err := r.create(ctx, "/"+environment+"/subscriptions", r.subscription(lane, enabled))
		if err != nil {
			return err
		}
		r.hooks = append(r.hooks, hook{environment, id})
	}
	return nil
}

func (r *rig) subscription(lane int, enabled bool) string {
	return fmt.Sprintf(`{"name":"lane %d","enabled":%t,"verifyTlsCertificates":true,"format":"ACTIVITY",`+
		`"httpEndpoint":{"url":%q},"filterOptions":{"includedActionTypes":["USER.CREATED"]}}`, lane, enabled, r.url(lane))
}

// enable resumes a subscription that was made suspended.
func (r *rig) enable(ctx context.Context, lane int) error {
	_, err := r.call(ctx, http.MethodPut, "/v1/environments/"+r.hooks[lane].environment+"/subscriptions/"+r.hooks[lane].id,
		"application/json", r.subscription(lane, true))
	return err
}

func (r *rig) close() error {
	var failed []error
	if r.emitter != nil {
		failed = append(failed, r.emitter.Close())
	}
	if r.sink != nil {
		r.sink.close()
	}
	if r.dir != "" {
		failed = append(failed, os.RemoveAll(r.dir))
	}
	return errors.Join(failed...)
}

// togetherEvents is how many events are appended in one call.
const togetherEvents = ringEvents

// append puts the next so many events into the environment's log.
func (r *rig) append(ctx context.Context, environment string, events int) error {
	for events > 0 {
		start := r.at[environment]
		end := min(start+min(events, togetherEvents), ringEvents)
		if err := r.emitter.Append(ctx, environment, r.events[start:end]...); err != nil {
			return err
		}
		r.at[environment] = end % ringEvents
		events -= end - start
	}
	return nil
}

func (r *rig) login(ctx context.Context) (string, error) {
	environment, id, secret := r.emitter.Bootstrap()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	answer, err := r.call(ctx, http.MethodPost, "/"+environment+"/as/token", "application/x-www-form-urlencoded", form.Encode())
	if err != nil {
		return "", err
	}
	return gjson.GetBytes(answer, "access_token").Str, nil
}

func (r *rig) create(ctx context.Context, below, body string) (string, error) {
	answer, err := r.call(ctx, http.MethodPost, "/v1/environments"+below, "application/json", body)
	if err != nil {
		return "", err
	}
	return gjson.GetBytes(answer, "id").Str, nil
}

func (r *rig) call(ctx context.Context, method, path, contentType, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.emitter.URL()+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		var compact bytes.Buffer
		if json.Compact(&compact, text) == nil {
			text = compact.Bytes()
		}
		return nil, fmt.Errorf("%s %s was answered %d: %s", method, path, answer.StatusCode, text)
	}
	return text, nil
}
