package directory

import (
	"fmt"
	"strings"

	"github.com/hookproof/hookproof/simulator/emitter/event"
)

// A Caller is the API client a change is made by, as audit events show it.
type Caller struct {
	ID            string // of the application; need not be a UUID
	Name          string
	EnvironmentID string // of the application
	Base          string // URL that hrefs begin with, without a slash at its end
	IP            string // the client's address as seen by the emitter
	UserAgent     string // verbatim
	CorrelationID string
}

func (c Caller) href(environment string, path ...string) string {
	return strings.Join(append([]string{c.Base, "v1", "environments", environment}, path...), "/")
}

// audit makes the event of something that was done to a resource; done is "Created", "Updated" or "Deleted".
func (d *Directory) audit(c Caller, done string, r event.Resource, description string) event.Event {
	e := event.Event{
		CorrelationID: c.CorrelationID,
		RecordedAt:    d.opts.Now(),
		Type:          strings.ReplaceAll(r.Type, " ", "_") + "." + strings.ToUpper(done),
		Description:   title(r.Type) + " " + done,
		Resources:     []event.Resource{r},
		Result:        event.Result{Status: "SUCCESS", Description: description},
		Source:        event.Source{IPAddress: c.IP, UserAgent: c.UserAgent},
	}
	if c.ID != "" {
		e.Client = &event.Actor{
			ID: c.ID, Name: c.Name, Type: "CLIENT", EnvironmentID: c.EnvironmentID,
			Href: c.href(c.EnvironmentID, "applications", c.ID),
		}
	}
	if description == "" {
		e.Result.Description = fmt.Sprintf("%s %s %s", done, title(r.Type), r.Name)
	}
	return e
}

// title turns USER into User and ROLE_ASSIGNMENT into Role Assignment.
func title(resource string) string {
	words := strings.Split(strings.ToLower(resource), "_")
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, " ")
}

// entityEvent describes a change the way the published samples do (E1).
func (d *Directory) entityEvent(c Caller, kind Kind, done string, e Entity, description string) event.Event {
	if kind == Application && description == "" && done != "Deleted" {
		state := "disabled"
		if e.Flag("enabled") {
			state = "enabled"
		}
		description = fmt.Sprintf("%s Application %s using '%s' protocol of type '%s' with %s state",
			done, e.Name(), e.Text("protocol"), e.Text("type"), state)
	}
	return d.audit(c, done, event.Resource{
		Type: kind.Type(), ID: e.ID, Name: e.Name(), EnvironmentID: e.EnvironmentID, PopulationID: e.PopulationID(),
		Href: c.href(e.EnvironmentID, kind.Plural(), e.ID),
	}, description)
}
