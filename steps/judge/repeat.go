package judge

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/steps/transcript"
)

// Repeats expects that the members of what was sent, at these paths, stand in
// the answer with the same values. A path that was not sent, or sent as null,
// promises nothing. More members than were sent, another order of members and
// of elements, and another case of header names are all the same.
// Rules SUB-CRUD-007, SUB-CRUD-013, SUB-REQ-016 and SUB-REQ-017.
func Repeats(sent []byte, paths ...string) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		if !gjson.ValidBytes(r.Body) {
			return Fail("a body of JSON").Got("%s", cut(r.Body))
		}
		for _, path := range paths {
			if o := contains(path, gjson.GetBytes(sent, path), gjson.GetBytes(r.Body, path)); o.failed {
				return o
			}
		}
		return Pass
	}}
}

// Agrees expects the values of an earlier answer at these paths, no fewer and
// no more; an absent member, null and false mean the same.
// Rule SUB-CRUD-008.
func Agrees(earlier []byte, paths ...string) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		if o := Repeats(earlier, paths...).judge(r); o.failed {
			return o
		}
		for _, path := range paths {
			was, is := gjson.GetBytes(earlier, path), gjson.GetBytes(r.Body, path)
			if surplus := more(path, was, is); surplus != "" {
				return Fail("%s as in the earlier answer, %s", path, cut(describe(was))).Got("%s: %s", surplus, cut(is.Raw))
			}
		}
		return Pass
	}}
}

// contains fails unless got has everything that want has.
func contains(path string, want, got gjson.Result) Outcome {
	differs := Fail("%s = %s", path, cut(want.Raw)).Got("%s", cut(describe(got)))
	switch {
	case !want.Exists() || want.Type == gjson.Null:
		return Pass
	case want.IsObject():
		if !got.IsObject() {
			return differs
		}
		o := Pass
		want.ForEach(func(key, value gjson.Result) bool {
			o = contains(path+"."+key.Str, value, memberOf(got, key.Str, strings.HasSuffix(path, "headers")))
			return !o.failed
		})
		return o
	case want.IsArray():
		if !got.IsArray() || !sameElements(want.Array(), got.Array()) {
			return differs
		}
	case !got.Exists() || !Same(got.Value(), want.Value()):
		return differs
	}
	return Pass
}

// memberOf is the object's member of that name; names of headers have no case.
func memberOf(object gjson.Result, name string, fold bool) gjson.Result {
	var found gjson.Result
	object.ForEach(func(key, value gjson.Result) bool {
		if key.Str == name || fold && strings.EqualFold(key.Str, name) {
			found = value
			return false
		}
		return true
	})
	return found
}

// sameElements tells whether each wanted element is among got, one for one,
// in whatever order.
func sameElements(want, got []gjson.Result) bool {
	if len(want) != len(got) {
		return false
	}
	left := slices.Clone(got)
	for _, w := range want {
		i := slices.IndexFunc(left, func(g gjson.Result) bool { return sameElement(w, g) })
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}

// sameElement tells whether an element is the wanted one. A reference is known
// by its id; what else an answer tells of the other resource is left open.
func sameElement(want, got gjson.Result) bool {
	if id := want.Get("id"); want.IsObject() && id.Type == gjson.String {
		return got.IsObject() && got.Get("id").Type == gjson.String && got.Get("id").Str == id.Str
	}
	return !contains("", want, got).failed
}

// more is the path of the first member that is but was not, or empty.
func more(path string, was, is gjson.Result) string {
	switch {
	case !is.Exists() || is.Type == gjson.Null || is.Type == gjson.False:
		return ""
	case !was.Exists() || was.Type == gjson.Null:
		return path
	case is.IsObject():
		surplus := ""
		is.ForEach(func(key, value gjson.Result) bool {
			surplus = more(path+"."+key.Str, memberOf(was, key.Str, strings.HasSuffix(path, "headers")), value)
			return surplus == ""
		})
		return surplus
	}
	return ""
}

// Gone expects that nothing is left at the path: no member, null, or an empty
// list or object. Rule SUB-CRUD-014.
func Gone(path string) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		got := gjson.GetBytes(r.Body, path)
		switch {
		case !gjson.ValidBytes(r.Body):
			return Fail("no %s", path).Got("a body that is no JSON: %s", cut(r.Body))
		case !got.Exists(), got.Type == gjson.Null:
			return Pass
		case got.IsArray() && len(got.Array()) == 0, got.IsObject() && len(got.Map()) == 0:
			return Pass
		}
		return Fail("no %s", path).Got("%s", cut(got.Raw))
	}}
}

// Equal expects that the answer's members at both paths have one value;
// neither may be missing. Rules SUB-REQ-019 and SUB-REQ-020.
func Equal(path, other string) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		got, want := gjson.GetBytes(r.Body, path), gjson.GetBytes(r.Body, other)
		if !want.Exists() || want.Type == gjson.Null {
			return Fail("%s equal to %s", path, other).Got("no %s in %s", other, cut(r.Body))
		}
		if o := contains(path, want, got); o.failed {
			return o
		}
		if surplus := more(path, want, got); surplus != "" {
			return Fail("%s = %s", path, cut(want.Raw)).Got("%s", cut(got.Raw))
		}
		return Pass
	}}
}

// JSONOrAbsent expects this value at the path, or no member there.
// Rules SUB-REQ-018 and SUB-REQ-022.
func JSONOrAbsent(path string, want any) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		if got := gjson.GetBytes(r.Body, path); gjson.ValidBytes(r.Body) && (!got.Exists() || got.Type == gjson.Null) {
			return Pass
		}
		return JSON(path, want).judge(r)
	}}
}

// Overridden expects that the member at the path is the server's own and not
// the one that the client sent. Rule SUB-CRUD-022.
func Overridden(sent []byte, path string) Expectation {
	return Expectation{2, func(r transcript.Response) Outcome {
		was, got := gjson.GetBytes(sent, path), gjson.GetBytes(r.Body, path)
		if !got.Exists() || got.Type == gjson.Null || Same(got.Value(), was.Value()) {
			return Fail("the server's own %s, not the %s that was sent", path, cut(was.Raw)).Got("%s", cut(describe(got)))
		}
		return Pass
	}}
}
