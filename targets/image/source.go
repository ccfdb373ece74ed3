package image

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Source is where a container comes from: an image by its name, or a folder
// that one is built from.
type Source struct {
	// Image is the name of an image, pulled where it is not there.
	Image string
	// Context is a folder with a Dockerfile, and Stage the stage of it to
	// build; empty: the last.
	Context, Stage string
}

// ParseSource reads an image's name, or a path that begins with "." or "/"
// and may end with "#" and a stage of its Dockerfile: "./emitter#test".
func ParseSource(text string) (Source, error) {
	if !strings.HasPrefix(text, ".") && !strings.HasPrefix(text, "/") {
		if text == "" || strings.ContainsAny(text, " \t#") {
			return Source{}, fmt.Errorf("%q is no name of an image; a folder with a Dockerfile begins with ./ or /", text)
		}
		return Source{Image: text}, nil
	}
	folder, stage, _ := strings.Cut(text, "#")
	if _, err := os.Stat(filepath.Join(folder, "Dockerfile")); err != nil {
		return Source{}, fmt.Errorf("no image can be built from %s: %w", folder, err)
	}
	return Source{Context: folder, Stage: stage}, nil
}

func (s Source) empty() bool { return s == Source{} }

// String is the source as ParseSource takes it.
func (s Source) String() string {
	if s.Stage != "" {
		return s.Context + "#" + s.Stage
	}
	return s.Context + s.Image
}
