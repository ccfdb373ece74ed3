package emitter

import (
	"math/rand/v2"

	"github.com/tidwall/gjson"
)

// member is one of an object, as it stands.
type member struct{ name, value string }

// rewritten rebuilds a JSON text: change sees the members of every object, from
// the inside out, with the path of names that leads there, and returns those
// that are to stand there. Everything else stays as it is, byte for byte.
func rewritten(text string, change func(path string, members []member) []member) string {
	return string(rewrite(nil, "", gjson.Parse(text), change))
}

func rewrite(dst []byte, path string, v gjson.Result, change func(string, []member) []member) []byte {
	switch {
	case v.IsArray():
		dst = append(dst, '[')
		for i, e := range v.Array() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = rewrite(dst, path, e, change)
		}
		return append(dst, ']')
	case v.IsObject():
		var members []member
		v.ForEach(func(name, value gjson.Result) bool {
			inner := name.Str
			if path != "" {
				inner = path + "." + name.Str
			}
			members = append(members, member{name.Raw, string(rewrite(nil, inner, value, change))})
			return true
		})
		dst = append(dst, '{')
		for i, m := range change(path, members) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(append(append(dst, m.name...), ':'), m.value...)
		}
		return append(dst, '}')
	}
	return append(dst, v.Raw...)
}

func shuffledMembers(r *rand.Rand) func(string, []member) []member {
	return func(_ string, members []member) []member {
		r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		return members
	}
}

// moreMembers adds members that no document names to some objects.
func moreMembers(r *rand.Rand) func(string, []member) []member {
	extras := []member{
		{`"x-extension"`, `{"since":"2026-11-22","flags":[true,null,1e3]}`}, {`"X"`, `"\u00fc\ud83d\ude00"`}, {`"later"`, `null`}, {`"n"`, `-0.5`},
	}
	return func(_ string, members []member) []member {
		if r.IntN(2) == 0 {
			return members
		}
		return append(members, extras[r.IntN(len(extras))])
	}
}
