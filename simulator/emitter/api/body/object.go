package body

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// An Object is one JSON object of a body, with the place to report problems to. A getter of a member that was not
// sent (or sent as null, which the platform's clients use for the same) returns the zero value and reports nothing; a
// member of another type is reported. The zero Object has no members.
type Object struct {
	found   *problems
	path    string
	members map[string]any
}

// Problems returns everything reported so far for the whole body, in the order of reporting.
func (o Object) Problems() []Problem {
	if o.found == nil {
		return nil
	}
	return slices.Clone(o.found.list)
}

// Report adds a problem, unless its target already has one.
func (o Object) Report(p Problem) {
	if o.found != nil {
		o.found.add(p)
	}
}

// Path is the JSON path of a member. Names that are no identifiers stand quoted in brackets.
func (o Object) Path(name string) string {
	if !identifier(name) {
		return o.path + "[" + strconv.Quote(name) + "]"
	}
	if o.path == "" {
		return name
	}
	return o.path + "." + name
}

func identifier(name string) bool {
	for _, r := range name {
		if !(r == '_' || r == '-' || r == '/' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z') {
			return false
		}
	}
	return name != ""
}

// Sent says whether the member at the dotted path stands in the object with a value other than null.
func (o Object) Sent(path string) bool {
	members := o.members
	for {
		name, rest, deeper := strings.Cut(path, ".")
		value := members[name]
		if !deeper {
			return value != nil
		}
		members, _ = value.(map[string]any)
		path = rest
	}
}

func (o Object) wrong(name, want string) { o.wrongAt(o.Path(name), want) }

func (o Object) wrongAt(target, want string) {
	o.Report(Problem{Code: InvalidValue, Target: target, Message: "The value must be " + want + "."})
}

// String returns a member that must be a string.
func (o Object) String(name string) string {
	value, ok := o.members[name].(string)
	if !ok && o.Sent(name) {
		o.wrong(name, "a string")
	}
	return value
}

// Bool returns a member that must be true or false.
func (o Object) Bool(name string) bool {
	value, ok := o.members[name].(bool)
	if !ok && o.Sent(name) {
		o.wrong(name, "a boolean")
	}
	return value
}

// Int returns a member that must be a 32-bit integer (the SDK's type of every number in a request).
func (o Object) Int(name string) int {
	number, ok := o.members[name].(json.Number)
	if !ok {
		if o.Sent(name) {
			o.wrong(name, "an integer")
		}
		return 0
	}
	value, err := strconv.ParseInt(number.String(), 10, 32)
	if err == nil {
		return int(value)
	}
	// 5e2 and 500.0 are the integer 500 in JSON's own terms.
	float, err := number.Float64()
	if err != nil || float != math.Trunc(float) || math.Abs(float) > math.MaxInt32 {
		o.wrong(name, "a 32-bit integer")
		return 0
	}
	return int(float)
}

// Integer returns a member that must be an integer of any size up to 64 digits; false if it was not sent or is none.
func (o Object) Integer(name string) (*big.Int, bool) {
	number, ok := o.members[name].(json.Number)
	if ok && len(number) <= maxDigits {
		if value, whole := new(big.Int).SetString(number.String(), 10); whole {
			return value, true
		}
	}
	if o.Sent(name) {
		o.wrong(name, "an integer")
	}
	return new(big.Int), false
}

const maxDigits = 64

// Object returns a member that must be an object; the zero Object's getters return zero values.
func (o Object) Object(name string) Object {
	members, ok := o.members[name].(map[string]any)
	if !ok && o.Sent(name) {
		o.wrong(name, "an object")
	}
	return Object{found: o.found, path: o.Path(name), members: members}
}

func (o Object) array(name string) ([]any, bool) {
	items, ok := o.members[name].([]any)
	if !ok && o.Sent(name) {
		o.wrong(name, "an array")
	}
	return items, ok
}

// Strings returns a member that must be an array of strings: nil if not sent, else not nil, in the order sent.
func (o Object) Strings(name string) []string {
	items, ok := o.array(name)
	if !ok {
		return nil
	}
	values := make([]string, 0, len(items))
	for i, item := range items {
		value, isString := item.(string)
		if !isString {
			o.wrongAt(fmt.Sprintf("%s[%d]", o.Path(name), i), "a string")
		}
		values = append(values, value)
	}
	return values
}

// IDs returns the ids of a member that must be an array of objects {"id":"…"}, nil if not sent, in the order sent.
func (o Object) IDs(name string) []string {
	items, ok := o.array(name)
	if !ok {
		return nil
	}
	ids := make([]string, 0, len(items))
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", o.Path(name), i)
		members, isObject := item.(map[string]any)
		if !isObject {
			o.Report(Problem{Code: InvalidValue, Target: at, Message: "The value must be an object with an id."})
		}
		entry := Object{found: o.found, path: at, members: members}
		id := entry.String("id")
		if isObject && id == "" {
			entry.Report(Problem{Code: RequiredValue, Target: entry.Path("id"), Message: "The id is required."})
		}
		ids = append(ids, id)
	}
	return ids
}

// Objects returns a member that must be an array of objects, nil if not sent, in the order sent.
func (o Object) Objects(name string) []Object {
	items, ok := o.array(name)
	if !ok {
		return nil
	}
	objects := make([]Object, 0, len(items))
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", o.Path(name), i)
		members, isObject := item.(map[string]any)
		if !isObject {
			o.wrongAt(at, "an object")
			continue
		}
		objects = append(objects, Object{found: o.found, path: at, members: members})
	}
	return objects
}

// StringMap returns a member that must be an object of strings, nil if not sent.
func (o Object) StringMap(name string) map[string]string {
	inner := o.Object(name)
	if inner.members == nil {
		return nil
	}
	values := make(map[string]string, len(inner.members))
	for _, key := range inner.names() {
		values[key] = inner.text(key)
	}
	return values
}

// names are sorted, so that problems come in the same order every time.
func (o Object) names() []string {
	names := make([]string, 0, len(o.members))
	for name := range o.members {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// text is String for a name that may contain dots, which Sent would read as a path.
func (o Object) text(name string) string {
	value, ok := o.members[name].(string)
	if !ok {
		o.wrong(name, "a string")
	}
	return value
}

// Required reports the member at the dotted path unless it was sent.
func (o Object) Required(path string) {
	if !o.Sent(path) {
		target := path
		if o.path != "" {
			target = o.path + "." + path
		}
		o.Report(Problem{Code: RequiredValue, Target: target, Message: "The value is required."})
	}
}

// Members returns the object's members as decoded: numbers as json.Number, order of arrays kept.
func (o Object) Members() map[string]any { return o.members }

// Over returns the object as it is after being merged over old: members of objects are merged, everything else
// replaces, null removes. Problems are still reported to the same body; old is not changed.
func (o Object) Over(old map[string]any) Object {
	o.members = merge(old, o.members)
	return o
}

func merge(old, patch map[string]any) map[string]any {
	merged := make(map[string]any, len(old)+len(patch))
	maps.Copy(merged, old)
	for name, value := range patch {
		inner, isObject := value.(map[string]any)
		before, wasObject := merged[name].(map[string]any)
		switch {
		case value == nil:
			delete(merged, name)
		case isObject && wasObject:
			merged[name] = merge(before, inner)
		default:
			merged[name] = value
		}
	}
	return merged
}
