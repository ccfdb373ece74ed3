package judge_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryJudgeIsTested finds judges that no test of this package names.
func TestEveryJudgeIsTested(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named, judges := map[string]bool{}, map[string]string{} // judges: their files, by name
	for _, path := range paths {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				named[n.Name] = named[n.Name] || strings.HasSuffix(path, "_test.go")
			case *ast.FuncDecl:
				// outcome.go is what judges are written with.
				if path != "outcome.go" && n.Recv == nil && n.Name.IsExported() && isJudge(n.Type) {
					judges[n.Name.Name] = path
				}
			}
			return true
		})
	}
	if len(judges) == 0 {
		t.Error("no judge was found")
	}
	for name, path := range judges {
		if !named[name] {
			t.Errorf("%s: judge %s has no table of good and bad transcripts; add one to the tests of that file", path, name)
		}
	}
}

// isJudge tells whether a function gives what a judge finds.
func isJudge(f *ast.FuncType) bool {
	if f.Results == nil {
		return false
	}
	switch result := f.Results.List[len(f.Results.List)-1].Type.(type) {
	case *ast.Ident:
		return result.Name == "Outcome" || result.Name == "Expectation"
	case *ast.StarExpr, *ast.FuncType: // a *Broken, or a judge of one event
		return true
	}
	return false
}
