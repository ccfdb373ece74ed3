package hookproof

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/hookproof/hookproof"

// An arrow that must not be: packages below From never come to import, by
// whatever way, a package below To.
type forbidden struct{ From, To, Because string }

func arrows() []forbidden {
	return []forbidden{
		{"steps", "simulator", "a judge that shares code with the reference repeats its mistakes"},
		{"features", "simulator", "what is promised must not depend on how somebody keeps it"},
		{"reports", "simulator", "a report speaks of any implementation"},
		{"simulator", "steps", "the reference must not know how it is judged"},
		{"simulator", "features", "the reference must not know what it is judged by"},
		{"simulator", "reports", "the reference does not report"},
		{"simulator", "targets", "the reference does not know that it is tested"},
		{"simulator/emitter", "simulator/receiver", "the two ends meet on the wire only"},
		{"simulator/receiver", "simulator/emitter", "the two ends meet on the wire only"},
		{"features", "steps", "what is promised does not depend on how it is observed"},
		{"features", "reports", "what is promised does not depend on what is reported"},
		{"fixtures", "steps", "fixtures are usable without the suite"},
		{"fixtures", "features", "fixtures are usable without the suite"},
		{"fixtures", "simulator", "fixtures are usable without the suite"},
		{"internal", "steps", "the forms of a secret are everybody's"},
		{"internal", "targets", "the forms of a secret are everybody's"},
		{"reports", "steps", "a report is made from results, not from steps"},
		{"reports", "targets", "a report is made from results, not from targets"},
		{"targets", "steps", "who is tested does not depend on how"},
		{"steps", "reports", "a step observes, and does not report"},
		{"steps", "targets/embedded", "the embedded target brings the simulators along"},
		{"steps/judge", "steps/driver", "a judge is pure"},
		{"steps/judge", "targets", "a judge is pure"},
		{"steps/judge", "fixtures", "a judge reads what was recorded only"},
	}
}

// onlyFrom are the packages that may import the simulators directly.
var mayKnowSimulators = []string{"targets/embedded", "cmd/hookproof"}

func TestTheRoomsKeepTheArrowsOfTheDesign(t *testing.T) {
	t.Parallel()
	graph := imports(t)
	if len(graph) < 10 {
		t.Fatalf("found only %d packages: the test looks at the wrong place", len(graph))
	}
	for _, a := range arrows() {
		for from := range graph {
			if !below(from, a.From) {
				continue
			}
			if way := reach(graph, from, a.To, nil); way != nil {
				t.Errorf("%s comes to import %s (%s): %s", from, a.To, strings.Join(way, " → "), a.Because)
			}
		}
	}
	for from, tos := range graph {
		if below(from, "simulator") || slices.Contains(mayKnowSimulators, from) {
			continue
		}
		for _, to := range tos {
			if below(to, "simulator") {
				t.Errorf("%s imports %s; only %v may know the simulators", from, to, mayKnowSimulators)
			}
		}
	}
}

// The examples are what somebody else might have written: whoever reads them, or
// takes them for a beginning, needs nothing but Go.
func TestTheExamplesNeedTheStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("examples/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		looked++
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			// What is not of the standard library begins with the name of a host.
			if first, _, _ := strings.Cut(strings.Trim(spec.Path.Value, `"`), "/"); strings.Contains(first, ".") {
				t.Errorf("%s imports %s", file, spec.Path.Value)
			}
		}
	}
	if looked < 6 {
		t.Errorf("looked at only %d files: the test looks at the wrong place", looked)
	}
}

func below(pkg, room string) bool { return pkg == room || strings.HasPrefix(pkg, room+"/") }

// reach is a way from a package to a room, nil if there is none.
func reach(graph map[string][]string, from, room string, way []string) []string {
	if slices.Contains(way, from) {
		return nil
	}
	way = append(slices.Clone(way), from)
	if len(way) > 1 && below(from, room) {
		return way
	}
	for _, to := range graph[from] {
		if found := reach(graph, to, room, way); found != nil {
			return found
		}
	}
	return nil
}

// imports are the imports within the module, by package path below it; those
// of tests are left out, as a test may bring whatever it takes.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string]map[string]bool{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && file != "." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(file))
		if found[pkg] == nil {
			found[pkg] = map[string]bool{}
		}
		for _, spec := range parsed.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if inner, ok := strings.CutPrefix(name, module+"/"); ok {
				found[pkg][inner] = true
			} else if name == module {
				found[pkg]["."] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	graph := map[string][]string{}
	for pkg, tos := range found {
		graph[pkg] = slices.Sorted(maps.Keys(tos))
	}
	return graph
}
