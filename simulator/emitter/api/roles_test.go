package api_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
)

func TestRolesAreThePlatforms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.must(200, "GET", "/v1/roles", "")
	for name, scopes := range map[string]string{
		"Organization Admin":  `["ORGANIZATION"]`,
		"Environment Admin":   `["ORGANIZATION","ENVIRONMENT"]`,
		"Identity Data Admin": `["ORGANIZATION","ENVIRONMENT","POPULATION"]`,
		"Application Owner":   `["APPLICATION"]`,
	} {
		role := list.get(fmt.Sprintf(`_embedded.roles.#(name=="%s")`, name))
		if role.Get("applicableTo").Raw != scopes {
			t.Errorf("%s: %s", name, role.Raw)
		}
		if one := w.must(200, "GET", "/v1/roles/"+role.Get("id").Str, ""); one.get("name").Str != name {
			t.Error(one.body)
		}
	}
	w.refused(w.call("GET", "/v1/roles/"+id(w.environment()), ""), 404, "NOT_FOUND")
}

func TestRoleIsAssignedListedAndRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	user := env + "/users/" + w.must(201, "POST", env+"/users", `{"username":"u","email":"u@example.com"}`).get("id").Str
	population := w.must(200, "GET", env+"/populations", "").get("_embedded.populations.0.id").Str
	made := w.must(201, "POST", user+"/roleAssignments", assignmentOf("Identity Data Admin", "POPULATION", population))
	self := user + "/roleAssignments/" + made.get("id").Str
	for path, want := range map[string]string{
		"role.id": directory.RoleID("Identity Data Admin"), "scope.type": "POPULATION", "scope.id": population,
		"environment.id": id(env), "readOnly": "false", "_links.self.href": w.url + self,
	} {
		if got := made.get(path).String(); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if got := w.must(200, "GET", self, ""); got.body != made.body {
		t.Error(got.body)
	}
	duplicate := w.refused(w.call("POST", user+"/roleAssignments", assignmentOf("Identity Data Admin", "POPULATION", population)), 400, "INVALID_DATA")
	if duplicate.get("details.0.code").Str != "UNIQUENESS_VIOLATION" || duplicate.get("details.0.target").Str != "role" {
		t.Error(duplicate.body)
	}
	w.must(201, "POST", user+"/roleAssignments", assignmentOf("Environment Admin", "ORGANIZATION", directory.OrganizationID))
	if got := w.must(200, "GET", user+"/roleAssignments", ""); got.get("_embedded.roleAssignments.#").Int() != 2 || got.get("size").Int() != 2 {
		t.Error(got.body)
	}
	w.must(204, "DELETE", self, "")
	w.refused(w.call("GET", self, ""), 404, "NOT_FOUND")
	other := env + "/users/" + w.must(201, "POST", env+"/users", `{"username":"v","email":"v@example.com"}`).get("id").Str
	w.refused(w.call("DELETE", other+self[len(user):], ""), 404, "NOT_FOUND")
}

func TestClientGivesAwayOnlyWhatItReaches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env, foreign := w.environment(), w.environment()
	application, token := w.worker(env)
	w.token = token
	path := env + "/applications/" + application + "/roleAssignments"
	w.refused(w.call("POST", path, assignmentOf("Environment Admin", "ORGANIZATION", directory.OrganizationID)), 403, "ACCESS_FAILED")
	w.refused(w.call("POST", path, assignmentOf("Environment Admin", "ENVIRONMENT", id(foreign))), 403, "ACCESS_FAILED")
	w.must(201, "POST", path, assignmentOf("Configuration Read Only", "ENVIRONMENT", id(env)))
}

func TestWorkerHoldsRolesOfItsEnvironmentUnlessItWantsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	for wish, want := range map[string]int64{"": 3, `,"assignActorRoles":true`: 3, `,"assignActorRoles":false`: 0} {
		made := w.must(201, "POST", env+"/applications", `{"name":"W","enabled":true,"protocol":"OPENID_CONNECT","type":"WORKER",
			"grantTypes":["CLIENT_CREDENTIALS"],"tokenEndpointAuthMethod":"CLIENT_SECRET_BASIC"`+wish+`}`).get("id").Str
		held := w.must(200, "GET", env+"/applications/"+made+"/roleAssignments", "")
		if held.get("size").Int() != want {
			t.Errorf("%s: %s", wish, held.body)
		}
		for _, scope := range held.get("_embedded.roleAssignments.#.scope").Array() {
			if scope.Get("type").Str != "ENVIRONMENT" || scope.Get("id").Str != id(env) {
				t.Error(scope)
			}
		}
	}
}

// TestEventsOfAdministratorsAreTagged goes through the table of S1: what of it is done to a user who holds a role.
func TestEventsOfAdministratorsAreTagged(t *testing.T) {
	t.Parallel()
	const set, force = "application/vnd.pingidentity.password.set+json", "application/vnd.pingidentity.password.forceChange+json"
	const reset = "application/vnd.pingidentity.password.reset+json"
	for _, admin := range []bool{true, false} {
		t.Run(fmt.Sprint("administrator ", admin), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			env := w.environment()
			staff := w.must(201, "POST", env+"/populations", `{"name":"Staff"}`).get("id").Str
			user := env + "/users/" + w.must(201, "POST", env+"/users", `{"username":"u","email":"u@example.com"}`).get("id").Str
			if admin {
				w.must(201, "POST", user+"/roleAssignments", assignmentOf("Identity Data Admin", "ENVIRONMENT", id(env)))
			}
			before := len(w.journal.of(id(env)))
			w.must(200, "PATCH", user, `{"nickname":"n"}`)
			w.must(200, "PATCH", user, `{"username":"v"}`)
			w.must(200, "PATCH", user, `{"email":"v@example.com"}`)
			w.must(200, "PATCH", user, `{"mfaEnabled":true}`)
			w.must(200, "PUT", user+"/enabled", `{"enabled":false}`)
			w.must(200, "PUT", user, `{"username":"v","email":"v@example.com","enabled":true,"mfaEnabled":true}`)
			w.must(200, "PUT", user+"/population", fmt.Sprintf(`{"id":%q}`, staff))
			w.must(200, "PUT", user+"/password", `{"value":"one two three"}`, "Content-Type", set)
			w.must(200, "PUT", user+"/password", `{"newPassword":"four five six"}`, "Content-Type", reset)
			w.must(200, "POST", user+"/password", "", "Content-Type", force)
			w.must(204, "DELETE", user, "")
			var got []string
			for _, e := range w.journal.of(id(env))[before:] {
				line := e.Type + "|" + e.Description + "|" + e.Result.Description
				if slices.Equal(e.Tags, []string{"adminIdentityEvent"}) {
					line += "|tagged"
				}
				got = append(got, line)
				if r := e.Resources[0]; r.Type != "USER" || r.ID != id(user) || r.EnvironmentID != id(env) || r.PopulationID == "" || r.Href != w.url+user {
					t.Errorf("%s of %+v", e.Type, r)
				}
			}
			tag := map[bool]string{true: "|tagged", false: ""}[admin]
			want := []string{
				"USER.UPDATED|User Updated|Updated User u",
				"USER.UPDATED|User Updated|Updated User v" + tag,
				"USER.UPDATED|User Updated|Updated User v" + tag,
				"USER.UPDATED|User Updated|Updated User v" + tag,
				"USER.UPDATED|User Updated|Updated enabled for User v" + tag,
				"USER.UPDATED|User Updated|Updated User v" + tag,
				"USER.MOVED|User Moved|Moved User v",
				"PASSWORD.SET|Password Set|Set Password for User v" + tag,
				"PASSWORD.RESET|Password Reset|Reset Password for User v" + tag,
				"PASSWORD.FORCE_CHANGE|Password Force Change|Force Change Password for User v" + tag,
				"USER.DELETED|User Deleted|Deleted User v" + tag,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAssigningARoleToAUserIsTagged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.environment()
	user := env + "/users/" + w.must(201, "POST", env+"/users", `{"username":"u","email":"u@example.com"}`).get("id").Str
	application, _ := w.worker(env)
	before := len(w.journal.of(id(env)))
	for _, holder := range []string{user, env + "/applications/" + application} {
		made := w.must(201, "POST", holder+"/roleAssignments", assignmentOf("Identity Data Read Only", "ENVIRONMENT", id(env)))
		w.must(204, "DELETE", holder+"/roleAssignments/"+made.get("id").Str, "")
	}
	var got []string
	for _, e := range w.journal.of(id(env))[before:] {
		got = append(got, fmt.Sprint(e.Type, "|", e.Description, "|", e.Result.Description, "|", e.Resources[0].Type, e.Tags))
	}
	want := []string{
		"ROLE_ASSIGNMENT.CREATED|Role Assignment Created|Created Role Assignment for User u|USER[adminIdentityEvent]",
		"ROLE_ASSIGNMENT.DELETED|Role Assignment Deleted|Deleted Role Assignment for User u|USER[adminIdentityEvent]",
		"ROLE_ASSIGNMENT.CREATED|Role Assignment Created|Created Role Assignment for Application W|APPLICATION[]",
		"ROLE_ASSIGNMENT.DELETED|Role Assignment Deleted|Deleted Role Assignment for Application W|APPLICATION[]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
