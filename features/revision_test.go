package features

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var freeze = flag.Bool("freeze", false, "write revisions/<revision of the catalogue>.yaml")

// TestTheCatalogueIsItsNewestRevision keeps a rule from changing unnoticed.
func TestTheCatalogueIsItsNewestRevision(t *testing.T) {
	t.Parallel()
	c := load(t)
	if *freeze {
		writeRevision(t, c)
		return
	}
	all, err := Revisions()
	if err != nil {
		t.Fatal(err)
	}
	newest := all[len(all)-1]
	diff := newest.Diff(c)
	if newest.Date == c.Revision && len(diff) == 0 {
		return
	}
	t.Errorf("the catalogue (revision %s) is not the newest frozen revision %s:\n  %s\n"+
		"A rule that was changed by mistake: put it back.\n"+
		"On purpose: set `revision` in catalogue.yaml to the day of the change and run\n"+
		"  go test ./features -run TestTheCatalogueIsItsNewestRevision -freeze\n"+
		"which writes the new file; the old one stays as it is.",
		c.Revision, newest.Date, strings.Join(diff, "\n  "))
}

// writeRevision never overwrites: what is frozen stays.
func writeRevision(t *testing.T, c *Catalogue) {
	t.Helper()
	name := filepath.Join("revisions", c.Revision+".yaml")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		t.Fatalf("write a new revision: %v; what is frozen stays: set revision in catalogue.yaml to a newer date", err)
	}
	if _, err := f.Write(c.Freeze().YAML()); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAFrozenRevisionReadsBackTheSame(t *testing.T) {
	t.Parallel()
	want := load(t).Freeze()
	got, err := ParseRevision("revisions/"+want.Date+".yaml", want.YAML())
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Rules {
		got.Rules[i].Line = 0
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestARevisionSeesEveryChange(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]struct {
		do   func(c *Catalogue)
		want string
	}{
		"another word":  {func(c *Catalogue) { c.Rules[0].Statement += "!" }, "rule SUB-CRUD-001 has another statement"},
		"another level": {func(c *Catalogue) { c.Rules[0].Level = May }, "rule SUB-CRUD-001 was a MUST and is a MAY"},
		"a rule less":   {func(c *Catalogue) { c.Rules = c.Rules[1:] }, "rule SUB-CRUD-001 is gone"},
		"a rule more":   {func(c *Catalogue) { c.Rules = append(c.Rules, Rule{ID: "NEW-001"}) }, "rule NEW-001 is new"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := load(t)
			before := c.Freeze()
			change.do(c)
			if d := cmp.Diff([]string{change.want}, before.Diff(c)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestARevisionStandsInTheFileOfItsDate(t *testing.T) {
	t.Parallel()
	r := load(t).Freeze()
	if _, err := ParseRevision("revisions/2020-01-01.yaml", r.YAML()); err == nil {
		t.Error("a revision in the file of another date was accepted")
	}
}

func load(t *testing.T) *Catalogue {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}
