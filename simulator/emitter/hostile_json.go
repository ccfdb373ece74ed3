package emitter

import (
	"fmt"
	"math/rand/v2"
	"strings"

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

// escapedLetters writes the first letter of every member's string as an escape,
// and a few others.
func escapedLetters(r *rand.Rand) func(string, []member) []member {
	return func(_ string, members []member) []member {
		for i, m := range members {
			if strings.HasPrefix(m.value, `"`) {
				members[i].value = escaped(m.value, r)
			}
		}
		return members
	}
}

// fewEscapes bounds the letters of a string that are escaped: each makes it
// five bytes longer.
const fewEscapes = 3

// escaped is the same JSON string with other letters of ASCII escaped; escapes
// that it has stay as they are.
func escaped(raw string, r *rand.Rand) string {
	var b strings.Builder
	n := 0
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		switch {
		case c == '\\' && raw[i+1] == 'u':
			b.WriteString(raw[i : i+6])
			i += 5
		case c == '\\':
			b.WriteString(raw[i : i+2])
			i++
		case letter && n < fewEscapes && (n == 0 || r.IntN(4) == 0):
			fmt.Fprintf(&b, `\u%04x`, c)
			n++
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
