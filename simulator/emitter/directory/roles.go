package directory

import "github.com/google/uuid"

// A Role is one of the platform's own roles. Custom roles are not modelled.
type Role struct {
	ID           string
	Name         string
	Description  string
	ApplicableTo []string // scope types it can be assigned with
}

// What a role assignment reaches (G1).
const (
	ScopeOrganization = "ORGANIZATION"
	ScopeEnvironment  = "ENVIRONMENT"
	ScopePopulation   = "POPULATION"
	ScopeApplication  = "APPLICATION"
)

// Names of roles that the emitter itself assigns (G1).
const (
	RoleClientApplicationDeveloper = "Client Application Developer"
	RoleEnvironmentAdmin           = "Environment Admin"
	RoleIdentityDataAdmin          = "Identity Data Admin"
	RoleOrganizationAdmin          = "Organization Admin"
)

// roleNames are the platform's roles (G1) with the scopes they can be assigned with.
var roleNames = [...]struct {
	name         string
	applicableTo []string
}{
	{"Advanced Identity Cloud Super Admin", []string{ScopeOrganization, ScopeEnvironment}},
	{"Advanced Identity Cloud Tenant Admin", []string{ScopeOrganization, ScopeEnvironment}},
	{"Application Owner", []string{ScopeApplication}},
	{"Authorize Gateway Policy Evaluator", []string{ScopeEnvironment}},
	{RoleClientApplicationDeveloper, []string{ScopeOrganization, ScopeEnvironment}},
	{"Configuration Read Only", []string{ScopeOrganization, ScopeEnvironment}},
	{"Custom Roles Admin", []string{ScopeOrganization, ScopeEnvironment}},
	{"DaVinci Admin", []string{ScopeOrganization, ScopeEnvironment}},
	{"DaVinci Admin Read Only", []string{ScopeOrganization, ScopeEnvironment}},
	{RoleEnvironmentAdmin, []string{ScopeOrganization, ScopeEnvironment}},
	{"Help Desk Admin", []string{ScopeOrganization, ScopeEnvironment, ScopePopulation}},
	{RoleIdentityDataAdmin, []string{ScopeOrganization, ScopeEnvironment, ScopePopulation}},
	{"Identity Data Read Only", []string{ScopeOrganization, ScopeEnvironment, ScopePopulation}},
	{RoleOrganizationAdmin, []string{ScopeOrganization}},
	{"PingFederate Administrator", []string{ScopeOrganization, ScopeEnvironment}},
	{"PingFederate Auditor", []string{ScopeOrganization, ScopeEnvironment}},
	{"PingFederate Crypto Administrator", []string{ScopeOrganization, ScopeEnvironment}},
	{"PingFederate Expression Administrator", []string{ScopeOrganization, ScopeEnvironment}},
	{"PingFederate User Administrator", []string{ScopeOrganization, ScopeEnvironment}},
}

// Roles returns the platform's roles by name. Their ids are the same in every emitter.
func Roles() []Role {
	roles := make([]Role, len(roleNames))
	for i, r := range roleNames {
		roles[i] = Role{
			ID: RoleID(r.name), Name: r.name, ApplicableTo: r.applicableTo,
			Description: "The platform's role " + r.name + ".",
		}
	}
	return roles
}

// RoleID is the id of the role with a name.
func RoleID(name string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("role "+name)).String()
}

// GetRole returns one role.
func GetRole(id string) (Role, error) {
	for _, r := range Roles() {
		if r.ID == id {
			return r, nil
		}
	}
	return Role{}, ErrNotFound
}
