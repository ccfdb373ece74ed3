// Package docs_test runs what the documents tell people to run, and holds what
// they say against the code.
package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
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
	return parse(t, filepath.ToSlash(name), string(text))
}

func parse(t *testing.T, name, text string) page {
	t.Helper()
	p := page{name: name, text: text}
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
var aCommand = regexp.MustCompile(`(?m)^(\$|\./hookproof|hookproof|go (run|test|build|install|tool)|docker|docker-compose|curl|export) `)

// fencedAs are the languages of blocks. Another name of a shell, such as bash or
// console, is none of them: commands in it would not be run.
var fencedAs = []string{"", "sh", "go", "json", "yaml", "gherkin"}

// otherFence is what Markdown takes for a fence as well, and fence does not.
var otherFence = regexp.MustCompile("(?m)^([ >*-]+```|[ >*-]*~~~).*$")

// A command that is fenced as something else would not be run.
func TestCommandsAreFencedAsSuch(t *testing.T) {
	t.Parallel()
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if amiss := b.amiss(); amiss != "" {
				t.Errorf("%s: %s", b, amiss)
			}
		}
		if other := otherFence.FindString(p.text); other != "" {
			t.Errorf("%s: %q begins a block that no test sees; begin it with ``` at the left", p.name, other)
		}
	}
	for _, text := range []string{"```bash\nls\n```\n", "```console\n$ ls\n```\n", "```shell\n```\n", "```SH\n```\n", "```\ngo run .\n```\n", "```\n$ ls\n```\n", "```json\ncurl x\n```\n"} {
		if p := parse(t, "a page", text); len(p.blocks) != 1 || p.blocks[0].amiss() == "" {
			t.Errorf("nothing is amiss with %q", text)
		}
	}
}

// amiss says why commands in b would not be tested; empty if they are, or if
// there are none.
func (b block) amiss() string {
	switch {
	case !slices.Contains(fencedAs, b.language):
		return fmt.Sprintf("fenced as %s; commands are fenced as sh, so that they are tested, and anything else as one of %q", b.language, fencedAs)
	case b.language != "sh" && aCommand.MatchString(b.text):
		return "fence it as sh, so that it is tested"
	}
	return ""
}

// theAction is how a workflow names it.
var theAction = regexp.MustCompile(`^hookproof/hookproof@`)

// What the pages give the action must be what it takes.
func TestWorkflowsGiveTheActionWhatItTakes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var action struct{ Inputs map[string]any }
	if err := yaml.Unmarshal(text, &action); err != nil {
		t.Fatal(err)
	}
	used := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language != "yaml" || !strings.Contains(b.text, "uses:") {
				continue
			}
			var workflow struct {
				Jobs map[string]struct {
					Steps []struct {
						Uses string
						With map[string]string
					}
				}
			}
			if err := yaml.Unmarshal([]byte(b.text), &workflow); err != nil {
				t.Errorf("%s: %v", b, err)
			}
			for _, job := range workflow.Jobs {
				for _, step := range job.Steps {
					if !theAction.MatchString(step.Uses) {
						continue
					}
					used++
					for name := range step.With {
						if _, is := action.Inputs[name]; !is {
							t.Errorf("%s: the action has no input %s", b, name)
						}
					}
				}
			}
		}
	}
	if used == 0 {
		t.Error("no page shows how the action is used")
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
