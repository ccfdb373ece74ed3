package api

import (
	"net/http"
	"strings"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

// area is a part of the API that roles open.
type area int

const (
	configuration area = iota // the environment itself and what has no area of its own
	applications
	identities  // users
	populations // configuration to some, identity data to others
)

// powers are what a role lets its holder do within its scope.
type powers struct{ reads, writes []area }

// powersOf tells what the platform's roles permit, as far as the emitter serves it (G1). Every other role permits
// nothing here.
func powersOf(role string) powers {
	all := []area{configuration, applications, identities, populations}
	setup := []area{configuration, applications, populations}
	people := []area{identities, populations}
	switch role {
	case directory.RoleOrganizationAdmin:
		return powers{reads: all, writes: setup}
	case directory.RoleEnvironmentAdmin:
		return powers{reads: setup, writes: setup}
	case directory.RoleIdentityDataAdmin:
		return powers{reads: append(people, configuration), writes: people}
	case directory.RoleClientApplicationDeveloper:
		return powers{reads: []area{configuration, applications}, writes: []area{applications}}
	case "Configuration Read Only":
		return powers{reads: setup}
	case "Identity Data Read Only":
		return powers{reads: people}
	}
	return powers{}
}

func (p powers) include(a area, write bool) bool {
	list := p.reads
	if write {
		list = p.writes
	}
	for _, other := range list {
		if other == a {
			return true
		}
	}
	return false
}

// reach is one role within its scope.
type reach struct {
	powers
	scopeType, scopeID string
}

// reaches are the roles an application holds now: one that is taken away ends at once, whatever tokens say.
func (a *API) reaches(application directory.Entity) []reach {
	held, err := a.directory.RoleAssignments(application.EnvironmentID, directory.Application, application.ID)
	if err != nil {
		return nil // it went away in between
	}
	var all []reach
	for _, assignment := range held {
		if role, err := directory.GetRole(assignment.RoleID); err == nil {
			all = append(all, reach{powersOf(role.Name), assignment.ScopeType, assignment.ScopeID})
		}
	}
	return all
}

// covers says whether the grant reaches an environment with any role; "" is what lies outside of all.
func (g grant) covers(environment string) bool {
	if g.everywhere {
		return true
	}
	for _, r := range g.reaches {
		if r.scopeType == directory.ScopeOrganization || environment != "" && r.scopeType == directory.ScopeEnvironment && r.scopeID == environment {
			return true
		}
	}
	return false
}

// permits says whether a grant allows a request to a route.
func (a *API) permits(g grant, found route, vars map[string]string) bool {
	environment := vars["env"]
	write := found.method != http.MethodGet && found.pattern != readByPost
	switch {
	case g.everywhere:
		return true
	case environment == "" && !write:
		return len(g.reaches) > 0 // lists outside of environments show what the grant covers
	}
	wanted := areaOf(found.pattern)
	for _, r := range g.reaches {
		if r.include(wanted, write) && a.within(r, environment, wanted, vars["id"]) {
			return true
		}
	}
	return false
}

// readByPost is read with POST, so that what is looked for stands in no address (V7).
const readByPost = "environments/{env}/activities"

func areaOf(pattern string) area {
	segments := strings.Split(pattern, "/")
	if len(segments) < 3 || strings.Contains(pattern, "/roleAssignments") {
		return configuration // whoever sets up an environment also says who administrates it
	}
	switch segments[2] {
	case "applications":
		return applications
	case "users":
		return identities
	case "populations":
		return populations
	}
	return configuration
}

// within says whether the scope of a role has what a request names. A role for a population opens the population and
// its users by their ids.
func (a *API) within(r reach, environment string, wanted area, id string) bool {
	switch r.scopeType {
	case directory.ScopeOrganization:
		return true
	case directory.ScopeEnvironment:
		return r.scopeID == environment
	case directory.ScopePopulation:
		if wanted == populations {
			return id == r.scopeID
		}
		user, err := a.directory.Get(environment, directory.User, id)
		return wanted == identities && err == nil && user.PopulationID() == r.scopeID
	}
	return false
}
