package directory

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/hookproof/hookproof/simulator/emitter/api/body"
)

// object is a JSON object as encoding/json decodes it.
type object = map[string]any

// assigned are the members of every resource that only the server sets; a client that sends back what it read may
// send them, without effect.
var assigned = [...]string{"id", "environment", "_links", "_embedded", "createdAt", "updatedAt"}

// read makes the members of a resource from a request and reports what is wrong with it. old is what it replaces.
func (k Kind) read(e *environment, old Entity, o body.Object) object {
	switch k {
	case Population:
		return readPopulation(e, old, o)
	case Application:
		return readApplication(o)
	default:
		return readUser(e, old, o)
	}
}

// sent are the members of a request without those only the server sets.
func sent(o body.Object, without ...string) object {
	members := maps.Clone(o.Members())
	if members == nil {
		members = object{}
	}
	for _, name := range append(assigned[:], without...) {
		delete(members, name)
	}
	for name, value := range members {
		if value == nil {
			delete(members, name)
		}
	}
	return members
}

func text(o body.Object, names ...string) {
	for _, name := range names {
		o.String(name)
	}
}

// requiredText reports a member that is missing, empty, or no string.
func requiredText(o body.Object, name string) string {
	o.Required(name)
	value := o.String(name)
	if strings.TrimSpace(value) == "" {
		o.Report(body.Problem{Code: body.EmptyValue, Target: o.Path(name), Message: "The value must not be empty."})
	}
	return value
}

// unique reports a value that another resource of the table has already.
func unique(o body.Object, t *table[Entity], self, name, value string) {
	other, taken := t.find(func(e Entity) bool {
		return e.ID != self && strings.EqualFold(e.Text(name), value)
	})
	if taken && value != "" {
		o.Report(body.Problem{
			Code: body.UniquenessViolation, Target: o.Path(name), Message: "A resource with the specified " + name + " already exists.",
			Inner: &body.Inner{ExistingID: other.ID},
		})
	}
}

func readPopulation(e *environment, old Entity, o body.Object) object {
	unique(o, &e.populations, old.ID, "name", requiredText(o, "name"))
	text(o, "description", "preferredLanguage")
	isDefault := o.Bool("default")
	for _, name := range []string{"passwordPolicy", "theme"} {
		if o.Sent(name) {
			requiredText(o.Object(name), "id")
		}
	}

	members := sent(o, "userCount")
	// There is always exactly one default population; it stops being it when another becomes it.
	members["default"] = isDefault || old.Flag("default")
	if !o.Sent("preferredLanguage") {
		members["preferredLanguage"] = keep(old, "preferredLanguage", "en")
	}
	if !o.Sent("theme") {
		// Clients need a theme's id on every population; themes themselves are not modelled.
		members["theme"] = keep(old, "theme", object{"id": e.self.Load().ID})
	}
	return members
}

func keep(old Entity, name string, otherwise any) any {
	if value, ok := old.Members[name]; ok {
		return value
	}
	return otherwise
}

func readApplication(o body.Object) object {
	requiredText(o, "name")
	o.Required("enabled")
	o.Bool("enabled")
	protocol := requiredText(o, "protocol")
	requiredText(o, "type")
	if protocol == "OPENID_CONNECT" {
		requiredText(o, "tokenEndpointAuthMethod")
	}
	text(o, "description", "pkceEnforcement")
	o.Bool("assignActorRoles")
	for _, name := range []string{"grantTypes", "responseTypes", "redirectUris", "postLogoutRedirectUris", "tags"} {
		o.Strings(name)
	}
	return sent(o, "clientSecret", "secret")
}

// Longest values of a user's members, in characters (G1).
const (
	maxUserName   = 128
	maxUserText   = 256
	maxExternalID = 1024
	maxPhone      = 32
)

// limited reports a text that is longer than its maximum, in characters.
func limited(o body.Object, maximum int, names ...string) {
	for _, name := range names {
		if utf8.RuneCountInString(o.String(name)) > maximum {
			o.Report(body.Problem{
				Code: body.SizeLimitExceeded, Target: o.Path(name), Message: fmt.Sprintf("At most %d characters are allowed.", maximum),
				Inner: &body.Inner{MaximumValue: &maximum},
			})
		}
	}
}

func readUser(e *environment, old Entity, o body.Object) object {
	unique(o, &e.users, old.ID, "username", requiredText(o, "username"))
	limited(o, maxUserName, "username")
	limited(o, maxUserText, "email", "locale", "nickname", "preferredLanguage", "title", "type", "timezone")
	limited(o, maxExternalID, "externalId")
	limited(o, maxPhone, "mobilePhone", "primaryPhone")
	limited(o.Object("name"), maxUserText, "given", "family", "middle", "formatted", "honorificPrefix", "honorificSuffix")
	if address := requiredText(o, "email"); !mailbox(address) {
		o.Report(body.Problem{Code: body.InvalidValue, Target: "email", Message: "The value must be an e-mail address."})
	}
	o.Bool("enabled")
	o.Bool("mfaEnabled")
	if lifecycle := o.Object("lifecycle"); lifecycle.Sent("status") {
		oneOf(lifecycle, "status", lifecycle.String("status"), "ACCOUNT_OK", "VERIFICATION_REQUIRED")
	}
	population := o.Object("population").String("id")
	switch {
	case old.ID != "": // it changes at an address of its own only (G1)
		population = old.PopulationID()
	case !o.Sent("population.id"):
		population = e.defaultPopulation()
	}
	if _, known := e.populations.get(population); !known {
		o.Report(body.Problem{Code: body.InvalidValue, Target: "population.id", Message: "There is no population with this id."})
	}

	members := sent(o, "password", "memberOfGroupIDs", "memberOfGroupNames", "lastSignOn")
	members["population"] = object{"id": population}
	defaults := object{
		"enabled": true, "mfaEnabled": false,
		"lifecycle": object{"status": "ACCOUNT_OK"}, "account": object{"status": "OK", "canAuthenticate": true},
	}
	for name, value := range defaults {
		if !o.Sent(name) {
			members[name] = keep(old, name, value)
		}
	}
	return members
}

// mailbox says whether a text has the form of an e-mail address; whether anybody reads it, is not asked.
func mailbox(address string) bool {
	at := strings.LastIndex(address, "@")
	return at > 0 && at < len(address)-1 && !strings.ContainsAny(address, " \t\r\n")
}

func (e *environment) defaultPopulation() string {
	p, _ := e.populations.find(func(p Entity) bool { return p.Flag("default") })
	return p.ID
}

// UserCount is how many users a population has.
func (d *Directory) UserCount(environment, population string) json.Number {
	e, ok := d.environment(environment)
	if !ok {
		return "0"
	}
	n := 0
	for _, u := range e.users.list() {
		if u.PopulationID() == population {
			n++
		}
	}
	return number(n)
}
