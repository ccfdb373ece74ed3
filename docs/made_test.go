package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// builds are the commands of the pages that build a program. Each is run once,
// and every reader gets what it has made.
var builds = []string{
	"CGO_ENABLED=0 go build -o dist/hookproof ./cmd/hookproof",
	"go build -o hookproof ./cmd/hookproof",
	"CGO_ENABLED=0 go build -o dist/nats-server github.com/nats-io/nats-server/v2",
	"go build -C examples -o ../dist/example-emitter ./emitter",
	"CGO_ENABLED=0 go build -C examples -o receiver/dist/receiver ./receiver",
	"go build -C examples -o ../dist/example-receiver ./receiver",
}

// inPlaceOf are commands that were run already, or would only build first, and
// images of which somebody may have their own.
var inPlaceOf = func() *strings.Replacer {
	var all []string
	for _, b := range builds {
		all = append(all, b, ":")
	}
	return strings.NewReplacer(append(all,
		"go run ./cmd/hookproof", "hookproof",
		"go tool hookproof", "hookproof",
		"go run ./emitter", "example-emitter",
		"go run ./receiver", "example-receiver",
		"-t hookproof/", "-t hookproof-docs/",
		"image:hookproof/", "image:hookproof-docs/",
		" hookproof/hookproof ", " hookproof-docs/hookproof ",
	)...)
}()

// files of the repository are what commands of the pages read.
var files = []string{"Dockerfile", ".dockerignore", "compose.yaml", "compose/nats.conf", "examples/receiver/Dockerfile"}

// made is what there is before the first page.
type made struct {
	clone  string // the repository
	module string // what one gets who downloads its module
	tree   string // what a reader's folder begins with

	containers *sync.Mutex // held by the page that has some
}

func build(t *testing.T) made {
	t.Helper()
	clone, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	m := made{clone: clone, module: published(t), tree: t.TempDir(), containers: &sync.Mutex{}}
	for _, name := range files {
		to := filepath.Join(m.tree, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(root, name))
		if err == nil {
			err = os.WriteFile(to, content, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	output := regexp.MustCompile(`(?:-C (\S+) )?-o (\S+)`)
	for _, b := range builds {
		of := output.FindStringSubmatch(b)
		cmd := exec.CommandContext(t.Context(), "bash", "-c", strings.Replace(b, "-o "+of[2], `-o "$TO"`, 1))
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -race=false -ldflags=-w", "TO="+filepath.Join(m.tree, of[1], of[2]))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", b, err, out)
		}
	}
	return m
}

// published is a folder with what the module proxy would serve.
func published(t *testing.T) string {
	t.Helper()
	version := module.Version{Path: "github.com/hookproof/hookproof", Version: "v0.1.0"}
	file, err := os.Create(filepath.Join(t.TempDir(), "module.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := zip.CreateFromDir(file, version, root); err != nil {
		t.Fatalf("nobody could download the module: %v", err)
	}
	folder := filepath.Join(t.TempDir(), "module")
	if err := zip.Unzip(folder, version, file.Name()); err != nil {
		t.Fatalf("nobody could download the module: %v", err)
	}
	return folder
}
