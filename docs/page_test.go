// Package docs_test runs what the documents tell people to run, and holds what
// they say against the code.
package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository, as seen from this folder.
const root = ".."

// A page is a document, with what is fenced in it.
type page struct {
	name   string // such as "docs/running.md"
	text   string
	blocks []block
}

// A block is what stands between two fences. One that is fenced as
// "```yaml tenant.yaml" is a file that the reader is to keep under that name.
type block struct {
	page, language, file, text string
	line                       int // of its first line, from 1
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// pages are all documents that people read.
func pages(t *testing.T) []page {
	t.Helper()
	var all []page
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*.md"} {
		names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(names) == 0 {
			t.Fatalf("no page is named %s (%v)", pattern, err)
		}
		for _, name := range names {
			all = append(all, read(t, name))
		}
	}
	return all
}

// fence begins or ends a block.
var fence = regexp.MustCompile("^```(\\S*)(?: +(\\S+))?$")

func read(t *testing.T, path string) page {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name, err := filepath.Rel(root, path)
	if err != nil {
		t.Fatal(err)
	}
	p := page{name: filepath.ToSlash(name), text: string(text)}
	var open *block
	for i, line := range strings.SplitAfter(p.text, "\n") {
		m := fence.FindStringSubmatch(strings.TrimRight(line, "\n"))
		switch {
		case m == nil && open != nil:
			open.text += line
		case m == nil:
		case open == nil:
			open = &block{page: p.name, language: m[1], file: m[2], line: i + 2}
		default:
			p.blocks = append(p.blocks, *open)
			open = nil
		}
	}
	if open != nil {
		t.Fatalf("%s: the block is not closed", open)
	}
	return p
}

// aCommand is what a line of commands begins with.
var aCommand = regexp.MustCompile(`(?m)^(\./hookproof|hookproof|go (run|test|build|install|tool)|docker|docker-compose|curl|export) `)

// A command that is fenced as something else would not be run.
func TestCommandsAreFencedAsSuch(t *testing.T) {
	t.Parallel()
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language == "" && aCommand.MatchString(b.text) {
				t.Errorf("%s: fence it as sh, so that it is tested", b)
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	for _, p := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(p.text, -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			at := filepath.Join(root, filepath.Dir(p.name), filepath.FromSlash(to))
			if to == "" {
				at = filepath.Join(root, p.name)
			}
			text, err := os.ReadFile(at)
			if info, statErr := os.Stat(at); statErr == nil && info.IsDir() {
				err = nil
			}
			if err != nil {
				t.Errorf("%s: the link to %s leads nowhere", p.name, m[1])
			} else if anchor != "" && !hasHeading(string(text), anchor) {
				t.Errorf("%s: %s has no heading #%s", p.name, to, anchor)
			}
		}
	}
}

var heading = regexp.MustCompile(`(?m)^#+ (.*)$`)

// hasHeading tells whether a page has the heading that an anchor names.
func hasHeading(text, anchor string) bool {
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		slug := regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(m[1]), "")
		if strings.ReplaceAll(slug, " ", "-") == anchor {
			return true
		}
	}
	return false
}
