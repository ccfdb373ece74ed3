package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// oneMeaning refuses a document whose members can be read in two ways: a name
// that stands twice in an object, and one that differs from the schema's in
// case only, which encoding/json takes for it and other readers do not. The
// document is one that encoding/json has read already.
func oneMeaning(document io.Reader) error {
	dec := json.NewDecoder(document)
	dec.UseNumber()
	where, what, err := ambiguity(dec, reflect.TypeFor[Results]())
	if err == nil && what != "" {
		err = fmt.Errorf("%s %s", strings.TrimPrefix(where, "."), what)
	}
	return err
}

// ambiguity is the first one in the value that comes next, which is read into
// a t, or into nothing where t is nil; and where it is.
func ambiguity(dec *json.Decoder, t reflect.Type) (where, what string, err error) {
	token, err := dec.Token()
	if err != nil {
		return "", "", err
	}
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch token {
	case json.Delim('['):
		var of reflect.Type
		if t != nil && t.Kind() == reflect.Slice {
			of = t.Elem()
		}
		for i := 0; dec.More(); i++ {
			if where, what, err = ambiguity(dec, of); what != "" || err != nil {
				return fmt.Sprintf(".%d%s", i, where), what, err
			}
		}
	case json.Delim('{'):
		if where, what, err = ambiguousMember(dec, t); what != "" || err != nil {
			return where, what, err
		}
	default:
		return "", "", nil
	}
	_, err = dec.Token() // the end
	return "", "", err
}

// ambiguousMember looks at the members of an object up to its end.
func ambiguousMember(dec *json.Decoder, t reflect.Type) (where, what string, err error) {
	known, seen := members(t), map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return "", "", err
		}
		name, _ := token.(string) // a member's name always is one
		where = "." + name
		if seen[name] {
			return where, "stands there twice", nil
		}
		seen[name] = true
		i := slices.IndexFunc(known, func(m member) bool { return m.name == name })
		if other := slices.IndexFunc(known, func(m member) bool { return strings.EqualFold(m.name, name) }); i < 0 && other >= 0 {
			return where, "is not in the case of the schema: " + known[other].name, nil
		}
		var of reflect.Type
		switch {
		case i >= 0:
			of = known[i].of
		case t != nil && t.Kind() == reflect.Map:
			of = t.Elem()
		}
		if below, what, err := ambiguity(dec, of); what != "" || err != nil {
			return where + below, what, err
		}
	}
	return "", "", nil
}

// member is a member that a struct takes from JSON.
type member struct {
	name string
	of   reflect.Type
}

func members(t reflect.Type) []member {
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	var list []member
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			list = append(list, member{name, f.Type})
		}
	}
	return list
}
