package api

import (
	"maps"
	"net/http"
	"slices"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func (a *API) listEnvironments(r *request) (response, error) {
	visible := slices.DeleteFunc(a.directory.ListEnvironments(), func(e directory.Entity) bool {
		return !r.grant.covers(e.ID)
	})
	return r.page(visible, "environments", r.link("environments"), r.environment)
}

func (a *API) createEnvironment(r *request) (response, error) {
	o, err := r.json()
	if err != nil {
		return response{}, err
	}
	made, err := a.directory.CreateEnvironment(r.Context(), r.caller, o)
	return r.shownEnvironment(http.StatusCreated, made, err)
}

func (a *API) getEnvironment(r *request) (response, error) {
	e, err := a.directory.GetEnvironment(r.env)
	return r.shownEnvironment(http.StatusOK, e, err)
}

func (a *API) replaceEnvironment(r *request) (response, error) {
	o, err := r.json()
	if err != nil {
		return response{}, err
	}
	e, err := a.directory.ReplaceEnvironment(r.Context(), r.caller, r.env, o)
	return r.shownEnvironment(http.StatusOK, e, err)
}

func (a *API) deleteEnvironment(r *request) (response, error) {
	return deleted(a.directory.DeleteEnvironment(r.Context(), r.caller, r.env))
}

func (a *API) billOfMaterials(r *request) (response, error) {
	e, err := a.directory.GetEnvironment(r.env)
	if err != nil {
		return response{}, err
	}
	return r.bill(e)
}

func (a *API) replaceBillOfMaterials(r *request) (response, error) {
	o, err := r.json()
	if err != nil {
		return response{}, err
	}
	e, err := a.directory.ReplaceBill(r.Context(), r.caller, r.env, o)
	if err != nil {
		return response{}, err
	}
	return r.bill(e)
}

func (r *request) bill(e directory.Entity) (response, error) {
	bill, ok := e.Members["billOfMaterials"].(map[string]any)
	if !ok {
		bill = object{"products": []object{{"type": "PING_ONE_BASE"}}}
	}
	bill = maps.Clone(bill)
	bill["_links"] = object{
		"self":        href(r.environmentLink("billOfMaterials")),
		"environment": href(r.environmentLink()),
	}
	bill["createdAt"] = e.CreatedAt.UTC().Format(subscription.TimeFormat)
	bill["updatedAt"] = e.UpdatedAt.UTC().Format(subscription.TimeFormat)
	return response{http.StatusOK, bill}, nil
}

func (r *request) shownEnvironment(status int, e directory.Entity, err error) (response, error) {
	if err != nil {
		return response{}, err
	}
	return response{status, r.environment(e)}, nil
}

func (r *request) environment(e directory.Entity) object {
	shown := maps.Clone(e.Members)
	shown["id"] = e.ID
	shown["organization"] = object{"id": directory.OrganizationID}
	shown["status"] = "ACTIVE"
	self := href(r.link("environments", e.ID))
	shown["_links"] = object{
		"self":            self,
		"environment":     self,
		"billOfMaterials": href(r.link("environments", e.ID, "billOfMaterials")),
		"subscriptions":   href(r.link("environments", e.ID, "subscriptions")),
		"populations":     href(r.link("environments", e.ID, "populations")),
		"users":           href(r.link("environments", e.ID, "users")),
		"applications":    href(r.link("environments", e.ID, "applications")),
		"activities":      href(r.link("environments", e.ID, "activities")),
		"keys":            href(r.link("environments", e.ID, "keys")),
		"certificates":    href(r.link("environments", e.ID, "certificates")),
		"organization":    href(r.link("organizations", directory.OrganizationID)),
	}
	times(shown, e)
	return shown
}
