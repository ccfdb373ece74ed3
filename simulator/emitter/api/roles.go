package api

import (
	"net/http"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

func (a *API) listRoles(r *request) (response, error) {
	roles := directory.Roles()
	items := make([]object, len(roles))
	for i, role := range roles {
		items[i] = r.role(role)
	}
	return response{http.StatusOK, collection(r.link("roles"), "roles", items, len(items))}, nil
}

func (a *API) getRole(r *request) (response, error) {
	role, err := directory.GetRole(r.id)
	if err != nil {
		return response{}, err
	}
	return response{http.StatusOK, r.role(role)}, nil
}

// role shows a role. Clients tell it from other kinds by its permissions, which are not modelled one by one.
func (r *request) role(role directory.Role) object {
	return object{
		"_links": object{"self": href(r.link("roles", role.ID))},
		"id":     role.ID, "name": role.Name, "description": role.Description, "applicableTo": role.ApplicableTo,
		"permissions": []object{},
	}
}

func (a *API) listRoleAssignments(holder directory.Kind) func(*request) (response, error) {
	return func(r *request) (response, error) {
		held, err := a.directory.RoleAssignments(r.env, holder, r.id)
		if err != nil {
			return response{}, err
		}
		items := make([]object, len(held))
		for i, assignment := range held {
			items[i] = r.roleAssignment(assignment)
		}
		self := r.environmentLink(holder.Plural(), r.id, "roleAssignments")
		return response{http.StatusOK, collection(self, "roleAssignments", items, len(items))}, nil
	}
}

// assignRole lets a client give away only what it reaches itself.
func (a *API) assignRole(holder directory.Kind) func(*request) (response, error) {
	return func(r *request) (response, error) {
		if _, err := a.directory.Get(r.env, holder, r.id); err != nil {
			return response{}, err
		}
		o, err := r.json()
		if err != nil {
			return response{}, err
		}
		if !r.mayGive(o) {
			return response{}, forbidden()
		}
		made, err := a.directory.AssignRole(r.Context(), r.caller, r.env, holder, r.id, o)
		if err != nil {
			return response{}, err
		}
		return response{http.StatusCreated, r.roleAssignment(made)}, nil
	}
}

func (r *request) mayGive(o body.Object) bool {
	scope, _ := o.Members()["scope"].(map[string]any)
	id, _ := scope["id"].(string)
	switch scope["type"] {
	case directory.ScopeOrganization:
		return r.grant.covers("")
	case directory.ScopeEnvironment:
		return id == "" || r.grant.covers(id)
	}
	return true
}

func (a *API) getRoleAssignment(holder directory.Kind) func(*request) (response, error) {
	return func(r *request) (response, error) {
		assignment, err := a.directory.GetRoleAssignment(r.env, holder, r.id, r.part)
		if err != nil {
			return response{}, err
		}
		return response{http.StatusOK, r.roleAssignment(assignment)}, nil
	}
}

func (a *API) revokeRole(holder directory.Kind) func(*request) (response, error) {
	return func(r *request) (response, error) {
		return deleted(a.directory.RevokeRole(r.Context(), r.caller, r.env, holder, r.id, r.part))
	}
}

func (r *request) roleAssignment(a directory.RoleAssignment) object {
	holder := r.environmentLink(a.Holder.Plural(), a.HolderID)
	return object{
		"_links": object{
			"self":        href(holder + "/roleAssignments/" + a.ID),
			"environment": href(r.environmentLink()),
			"role":        href(r.link("roles", a.RoleID)),
		},
		"id":          a.ID,
		"environment": object{"id": a.EnvironmentID},
		"role":        object{"id": a.RoleID},
		"scope":       object{"id": a.ScopeID, "type": a.ScopeType},
		"readOnly":    false,
	}
}
