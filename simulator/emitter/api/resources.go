package api

import (
	"context"
	"maps"
	"net/http"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func (a *API) list(kind directory.Kind) func(*request) (response, error) {
	return func(r *request) (response, error) {
		all, err := a.directory.List(r.env, kind)
		if err != nil {
			return response{}, err
		}
		return r.page(all, kind.Plural(), r.environmentLink(kind.Plural()), func(e directory.Entity) object {
			return a.show(r, kind, e)
		})
	}
}

func (a *API) create(kind directory.Kind) func(*request) (response, error) {
	return func(r *request) (response, error) {
		o, err := r.json()
		if err != nil {
			return response{}, err
		}
		made, err := a.directory.Create(r.Context(), r.caller, r.env, kind, o)
		return a.shown(r, http.StatusCreated, kind, made, err)
	}
}

func (a *API) get(kind directory.Kind) func(*request) (response, error) {
	return func(r *request) (response, error) {
		e, err := a.directory.Get(r.env, kind, r.id)
		return a.shown(r, http.StatusOK, kind, e, err)
	}
}

func (a *API) replace(kind directory.Kind) func(*request) (response, error) {
	return a.change(kind, a.directory.Replace)
}

// change answers a request that changes an entity by a JSON body.
func (a *API) change(kind directory.Kind,
	apply func(context.Context, directory.Caller, string, directory.Kind, string, body.Object) (directory.Entity, error),
) func(*request) (response, error) {
	return func(r *request) (response, error) {
		if _, err := a.directory.Get(r.env, kind, r.id); err != nil {
			return response{}, err
		}
		o, err := r.json()
		if err != nil {
			return response{}, err
		}
		e, err := apply(r.Context(), r.caller, r.env, kind, r.id, o)
		return a.shown(r, http.StatusOK, kind, e, err)
	}
}

func (a *API) delete(kind directory.Kind) func(*request) (response, error) {
	return func(r *request) (response, error) {
		return deleted(a.directory.Delete(r.Context(), r.caller, r.env, kind, r.id))
	}
}

func deleted(err error) (response, error) { return response{status: http.StatusNoContent}, err }

func (a *API) shown(r *request, status int, kind directory.Kind, e directory.Entity, err error) (response, error) {
	if err != nil {
		return response{}, err
	}
	return response{status, a.show(r, kind, e)}, nil
}

func (a *API) show(r *request, kind directory.Kind, e directory.Entity) object {
	shown := maps.Clone(e.Members)
	shown["id"] = e.ID
	shown["environment"] = object{"id": e.EnvironmentID}
	shown["_links"] = object{
		"self":        href(r.environmentLink(kind.Plural(), e.ID)),
		"environment": href(r.environmentLink()),
	}
	times(shown, e)
	if kind == directory.Population {
		shown["userCount"] = a.directory.UserCount(e.EnvironmentID, e.ID)
	}
	return shown
}

func times(shown object, e directory.Entity) {
	shown["createdAt"] = e.CreatedAt.UTC().Format(subscription.TimeFormat)
	shown["updatedAt"] = e.UpdatedAt.UTC().Format(subscription.TimeFormat)
}

func (a *API) readSecret(r *request) (response, error) {
	secret, err := a.directory.ReadSecret(r.Context(), r.caller, r.env, r.id)
	return a.secret(r, secret, err)
}

func (a *API) rotateSecret(r *request) (response, error) {
	secret, err := a.directory.RotateSecret(r.Context(), r.caller, r.env, r.id)
	return a.secret(r, secret, err)
}

func (a *API) secret(r *request, secret string, err error) (response, error) {
	if err != nil {
		return response{}, err
	}
	return response{http.StatusOK, object{
		"_links": object{
			"self":        href(r.environmentLink("applications", r.id, "secret")),
			"environment": href(r.environmentLink()),
			"application": href(r.environmentLink("applications", r.id)),
		},
		"environment": object{"id": r.env},
		"secret":      secret,
	}}, nil
}
