package api

import (
	"context"
	"net/http"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

// Media types of what is done to a user (G1, V7). The platform's pages write the last with and without its suffix.
const (
	userImport          = "application/vnd.pingidentity.user.import+json"
	passwordSet         = "application/vnd.pingidentity.password.set+json"
	passwordReset       = "application/vnd.pingidentity.password.reset+json"
	passwordForceChange = "application/vnd.pingidentity.password.forceChange+json"
	passwordForced      = "application/vnd.pingidentity.password.forceChange"
)

// createUser makes a user, with a password if the media type says so.
func (a *API) createUser(r *request) (response, error) {
	media, err := r.media("application/json", userImport)
	if err != nil {
		return response{}, err
	}
	o, err := r.object()
	if err != nil {
		return response{}, err
	}
	var made directory.Entity
	if media == userImport {
		made, err = a.directory.ImportUser(r.Context(), r.caller, r.env, o)
	} else {
		made, err = a.directory.Create(r.Context(), r.caller, r.env, directory.User, o)
	}
	return a.shown(r, http.StatusCreated, directory.User, made, err)
}

func (a *API) patchUser(r *request) (response, error) {
	return a.change(directory.User, a.directory.Patch)(r)
}

// part answers with one part of a user, which has an address of its own.
func (r *request) userPart(name string, user directory.Entity, shown object) response {
	shown["_links"] = object{
		"self":        href(r.environmentLink("users", user.ID, name)),
		"environment": href(r.environmentLink()),
		"user":        href(r.environmentLink("users", user.ID)),
	}
	return response{http.StatusOK, shown}
}

// readPart answers with a part of a user as it is.
func (a *API) readPart(name string, show func(directory.Entity) object) func(*request) (response, error) {
	return func(r *request) (response, error) {
		user, err := a.directory.Get(r.env, directory.User, r.id)
		if err != nil {
			return response{}, err
		}
		return r.userPart(name, user, show(user)), nil
	}
}

// changePart answers with a part of a user after a request changed it.
func (a *API) changePart(name string, show func(directory.Entity) object,
	apply func(context.Context, directory.Caller, string, string, body.Object) (directory.Entity, error),
) func(*request) (response, error) {
	return func(r *request) (response, error) {
		if _, err := a.directory.Get(r.env, directory.User, r.id); err != nil {
			return response{}, err
		}
		o, err := r.json()
		if err != nil {
			return response{}, err
		}
		user, err := apply(r.Context(), r.caller, r.env, r.id, o)
		if err != nil {
			return response{}, err
		}
		return r.userPart(name, user, show(user)), nil
	}
}

func enabledOf(u directory.Entity) object    { return object{"enabled": u.Flag("enabled")} }
func populationOf(u directory.Entity) object { return object{"id": u.PopulationID()} }

func passwordOf(u directory.Entity) object {
	shown := object{
		"environment": object{"id": u.EnvironmentID},
		"user":        object{"id": u.ID},
		"status":      u.PasswordState(),
	}
	if u.Password != nil {
		shown["lastChangedAt"] = u.Password.ChangedAt.UTC().Format(subscription.TimeFormat)
	}
	return shown
}

// putPassword sets or resets a password, as the media type says.
func (a *API) putPassword(r *request) (response, error) {
	if _, err := a.directory.Get(r.env, directory.User, r.id); err != nil {
		return response{}, err
	}
	media, err := r.media(passwordSet, passwordReset)
	if err != nil {
		return response{}, err
	}
	o, err := r.object()
	if err != nil {
		return response{}, err
	}
	apply := a.directory.SetPassword
	if media == passwordReset {
		apply = a.directory.ResetPassword
	}
	user, err := apply(r.Context(), r.caller, r.env, r.id, o)
	if err != nil {
		return response{}, err
	}
	return r.userPart("password", user, passwordOf(user)), nil
}

// postPassword forces a change at the next sign-on; what the body says does not matter.
func (a *API) postPassword(r *request) (response, error) {
	if _, err := a.directory.Get(r.env, directory.User, r.id); err != nil {
		return response{}, err
	}
	if _, err := r.media(passwordForceChange, passwordForced); err != nil {
		return response{}, err
	}
	user, err := a.directory.ForcePasswordChange(r.Context(), r.caller, r.env, r.id)
	if err != nil {
		return response{}, err
	}
	return r.userPart("password", user, passwordOf(user)), nil
}
