package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/hookproof/hookproof/simulator/emitter/directory"
	"github.com/hookproof/hookproof/simulator/emitter/subscription"
)

func (a *API) listOrganizations(r *request) (response, error) {
	return response{http.StatusOK, collection(r.link("organizations"), "organizations", []object{r.organization()}, 1)}, nil
}

func (a *API) getOrganization(r *request) (response, error) {
	if r.id != directory.OrganizationID {
		return response{}, directory.ErrNotFound
	}
	return response{http.StatusOK, r.organization()}, nil
}

func (r *request) organization() object {
	self := r.link("organizations", directory.OrganizationID)
	return object{
		"_links": object{"self": href(self), "environments": href(r.link("environments")), "licenses": href(self + "/licenses")},
		"id":     directory.OrganizationID, "name": "Reference Organization", "type": "INTERNAL",
		"createdAt": licenseBegins.Format(subscription.TimeFormat), "updatedAt": licenseBegins.Format(subscription.TimeFormat),
	}
}

// The one license has no end that anybody will see.
var (
	licenseBegins  = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	licenseExpires = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
)

// licenses are the directory's one, as an entity that can be filtered like others.
func licenses() []directory.Entity {
	return []directory.Entity{{
		ID: directory.LicenseID, CreatedAt: licenseBegins, UpdatedAt: licenseBegins,
		Members: object{"name": "Reference License", "package": "INTERNAL", "status": "ACTIVE"},
	}}
}

func (a *API) listLicenses(r *request) (response, error) {
	if r.id != directory.OrganizationID {
		return response{}, directory.ErrNotFound
	}
	self := r.link("organizations", r.id, "licenses")
	return r.page(licenses(), "licenses", self, func(e directory.Entity) object { return a.license(r, e) })
}

func (a *API) getLicense(r *request) (response, error) {
	if r.id != directory.OrganizationID || r.part != directory.LicenseID {
		return response{}, directory.ErrNotFound
	}
	return response{http.StatusOK, a.license(r, licenses()[0])}, nil
}

func (a *API) license(r *request, e directory.Entity) object {
	self := r.link("organizations", directory.OrganizationID)
	assigned := 0
	for _, environment := range a.directory.ListEnvironments() {
		license, _ := environment.Members["license"].(map[string]any)
		if license["id"] == e.ID && r.grant.covers(environment.ID) {
			assigned++
		}
	}
	return object{
		"_links":                    object{"self": href(strings.Join([]string{self, "licenses", e.ID}, "/")), "organization": href(self)},
		"id":                        e.ID,
		"name":                      e.Text("name"),
		"package":                   e.Text("package"),
		"status":                    e.Text("status"),
		"organization":              object{"id": directory.OrganizationID},
		"beginsAt":                  licenseBegins.Format(subscription.TimeFormat),
		"expiresAt":                 licenseExpires.Format(subscription.TimeFormat),
		"assignedEnvironmentsCount": assigned,
		"environments": object{
			"allowAddResources": true, "allowConnections": true, "allowProduction": true,
			"regions": []string{"NORTH_AMERICA", "EU", "AP", "CA", "AU", "SG"},
		},
		"users": object{"allowPasswordManagement": true, "allowRoleAssignment": true, "allowUpdateSelf": true},
	}
}
