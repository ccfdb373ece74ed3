package api

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

// A route answers one method on one path. Segments of the pattern in braces match any one segment.
type route struct {
	method  string
	pattern string
	answer  func(*request) (response, error)
}

func (a *API) table() []route {
	routes := []route{
		{"GET", "roles", a.listRoles},
		{"GET", "roles/{id}", a.getRole},
		{"GET", "environments", a.listEnvironments},
		{"POST", "environments", a.createEnvironment},
		{"GET", "environments/{env}", a.getEnvironment},
		{"PUT", "environments/{env}", a.replaceEnvironment},
		{"DELETE", "environments/{env}", a.deleteEnvironment},
		{"GET", "environments/{env}/billOfMaterials", a.billOfMaterials},
		{"PUT", "environments/{env}/billOfMaterials", a.replaceBillOfMaterials},
		{"GET", "organizations", a.listOrganizations},
		{"GET", "organizations/{id}", a.getOrganization},
		{"GET", "organizations/{id}/licenses", a.listLicenses},
		{"GET", "organizations/{id}/licenses/{part}", a.getLicense},
		{"GET", "environments/{env}/applications/{id}/secret", a.readSecret},
		{"POST", "environments/{env}/applications/{id}/secret", a.rotateSecret},
		{"PATCH", "environments/{env}/users/{id}", a.patchUser},
		{"GET", "environments/{env}/users/{id}/enabled", a.readPart("enabled", enabledOf)},
		{"PUT", "environments/{env}/users/{id}/enabled", a.changePart("enabled", enabledOf, a.directory.SetEnabled)},
		{"GET", "environments/{env}/users/{id}/population", a.readPart("population", populationOf)},
		{"PUT", "environments/{env}/users/{id}/population", a.changePart("population", populationOf, a.directory.Move)},
		{"GET", "environments/{env}/users/{id}/password", a.readPart("password", passwordOf)},
		{"PUT", "environments/{env}/users/{id}/password", a.putPassword},
		{"POST", "environments/{env}/users/{id}/password", a.postPassword},
		{"GET", "environments/{env}/keys", a.listKeys},
		{"POST", "environments/{env}/keys", a.createKey},
		{"GET", "environments/{env}/keys/{id}", a.getKey},
		{"PUT", "environments/{env}/keys/{id}", a.updateKey},
		{"DELETE", "environments/{env}/keys/{id}", a.deleteKey},
		{"GET", "environments/{env}/keys/{id}/applications", a.keyApplications},
		{"GET", "environments/{env}/keys/{id}/csr", a.exportSigningRequest},
		{"POST", "environments/{env}/keys/{id}/csr", a.answerSigningRequest},
		{"GET", "environments/{env}/certificates", a.listCertificates},
		{"POST", "environments/{env}/certificates", a.uploadCertificate},
		{"GET", "environments/{env}/certificates/{id}", a.getCertificate},
		{"DELETE", "environments/{env}/certificates/{id}", a.deleteCertificate},
		{"GET", "environments/{env}/certificates/{id}/applications", a.certificateApplications},
		{"GET", "environments/{env}/subscriptions", a.listSubscriptions},
		{"POST", "environments/{env}/subscriptions", a.createSubscription},
		{"GET", "environments/{env}/subscriptions/{id}", a.getSubscription},
		{"PUT", "environments/{env}/subscriptions/{id}", a.replaceSubscription},
		{"DELETE", "environments/{env}/subscriptions/{id}", a.deleteSubscription},
		{"POST", "environments/{env}/subscriptions/{id}", a.testSubscription},
		{"GET", "environments/{env}/activities", a.listActivities},
		{"POST", "environments/{env}/activities", a.searchActivities},
		{"GET", "environments/{env}/activities/{id}", a.getActivity},
	}
	for _, holder := range []directory.Kind{directory.Application, directory.User} {
		assignments := "environments/{env}/" + holder.Plural() + "/{id}/roleAssignments"
		routes = append(routes,
			route{"GET", assignments, a.listRoleAssignments(holder)},
			route{"POST", assignments, a.assignRole(holder)},
			route{"GET", assignments + "/{part}", a.getRoleAssignment(holder)},
			route{"DELETE", assignments + "/{part}", a.revokeRole(holder)},
		)
	}
	for _, kind := range []directory.Kind{directory.Population, directory.Application, directory.User} {
		collection := "environments/{env}/" + kind.Plural()
		create := a.create(kind)
		if kind == directory.User {
			create = a.createUser
		}
		routes = append(routes,
			route{"GET", collection, a.list(kind)},
			route{"POST", collection, create},
			route{"GET", collection + "/{id}", a.get(kind)},
			route{"PUT", collection + "/{id}", a.replace(kind)},
			route{"DELETE", collection + "/{id}", a.delete(kind)},
		)
	}
	return routes
}

// match returns the route of a request with its path variables; without one, the methods that the path allows.
func (a *API) match(method, path string) (route, map[string]string, []string) {
	var allowed []string
	for _, candidate := range a.routes {
		vars, ok := matches(candidate.pattern, path)
		if !ok {
			continue
		}
		if candidate.method == method || candidate.method == http.MethodGet && method == http.MethodHead {
			return candidate, vars, nil
		}
		allowed = append(allowed, candidate.method)
	}
	slices.Sort(allowed)
	return route{}, nil, slices.Compact(allowed)
}

func matches(pattern, path string) (map[string]string, bool) {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	vars := map[string]string{}
	for i, segment := range want {
		switch {
		case strings.HasPrefix(segment, "{") && have[i] != "":
			vars[strings.Trim(segment, "{}")] = have[i]
		case segment != have[i]:
			return nil, false
		}
	}
	return vars, true
}

// request is one authenticated request that a route answers.
type request struct {
	*http.Request
	writer http.ResponseWriter
	env    string
	id     string
	part   string // what stands below the resource, e.g. the id of a role assignment
	base   string // what links begin with
	grant  grant
	caller directory.Caller
	pieces *Pieces
}

// ServeHTTP answers with JSON, whatever happens.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, header := range []string{transactionHeader, sessionHeader} {
		w.Header().Set(header, externalID(r.Header.Get(header)))
	}
	defer func() {
		if cause := recover(); cause != nil {
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			a.opts.Log.Error("request failed", "method", r.Method, "panic", cause, "stack", string(debug.Stack()))
			a.fail(w, unexpected())
		}
	}()
	path := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if environment, ok := strings.CutSuffix(path, "/as/token"); ok && !strings.Contains(environment, "/") {
		a.serveToken(w, r, environment)
		return
	}
	if environment, ok := strings.CutSuffix(path, "/as/jwks"); ok && !strings.Contains(environment, "/") {
		a.serveKeys(w, r, environment)
		return
	}
	resource, ok := strings.CutPrefix(path, "v1/")
	if !ok {
		a.fail(w, notFound())
		return
	}
	answer, err := a.serve(w, r, resource)
	if err != nil {
		a.fail(w, a.failure(r, err))
		return
	}
	answer.write(w)
}

func (a *API) serve(w http.ResponseWriter, r *http.Request, path string) (response, error) {
	granted, err := a.authenticate(r)
	if err != nil {
		return response{}, err
	}
	found, vars, allowed := a.match(r.Method, path)
	if found.answer == nil {
		if len(allowed) == 0 {
			return response{}, notFound()
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return response{}, methodNotAllowed()
	}
	env := vars["env"]
	if !a.permits(granted, found, vars) {
		return response{}, forbidden()
	}
	if env != "" {
		if _, err := a.directory.GetEnvironment(env); err != nil {
			return response{}, err
		}
	}
	req := &request{Request: r, writer: w, env: env, id: vars["id"], part: vars["part"], base: a.base(r), grant: granted, pieces: a.pieces.Load()}
	req.caller = a.caller(r, granted, req.base)
	w.Header().Set("Correlation-Id", req.caller.CorrelationID)
	return found.answer(req)
}

func (a *API) base(r *http.Request) string {
	if a.opts.PublicURL != "" {
		return strings.TrimSuffix(a.opts.PublicURL, "/")
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

func (a *API) caller(r *http.Request, g grant, base string) directory.Caller {
	return directory.Caller{
		ID: g.client, Name: g.name, EnvironmentID: g.environment, Base: base,
		IP: a.clientAddress(r), UserAgent: r.UserAgent(), CorrelationID: uuid.NewString(),
	}
}

// failure turns an error into what the client is told; what is not the client's fault is logged.
func (a *API) failure(r *http.Request, err error) Failure {
	var (
		known    Failure
		invalid  *directory.Invalid
		limit    *directory.LimitReached
		conflict *directory.Conflict
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, directory.ErrNotFound):
		return notFound()
	case errors.As(err, &invalid):
		return invalidData(invalid.Problems...)
	case errors.As(err, &limit):
		return limitReached(limit.Limit)
	case errors.As(err, &directory.NoPassword{}):
		return requestFailed("NO_PASSWORD", "The user has no password.")
	case errors.As(err, &conflict):
		return constraint(conflict)
	}
	a.opts.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	return unexpected()
}

func (r *request) link(path ...string) string {
	return r.base + "/v1/" + strings.Join(path, "/")
}

func (r *request) environmentLink(path ...string) string {
	return r.link(append([]string{"environments", r.env}, path...)...)
}

func (r *request) String() string { return fmt.Sprintf("%s %s", r.Method, r.URL.Path) }
