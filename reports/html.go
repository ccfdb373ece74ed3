package reports

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"strings"
	"sync"
)

//go:embed page/report.html
var pageHTML string

//go:embed page/report.css
var pageCSS string

//go:embed page/report.js
var pageJS string

// pageTemplate is parsed once; it is read-only after.
var pageTemplate = sync.OnceValues(func() (*template.Template, error) {
	t, err := template.New("report").Funcs(template.FuncMap{
		"plural": Plural, "line": oneLine, "located": Located, "prose": prose,
		"features": func() string { return featuresFolder },
		"glyph":    glyph, "words": outcomeWords,
	}).Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("parse the page of the report: %w", err)
	}
	return t, nil
})

// WriteHTML writes r as one page that needs nothing else: no network, no other
// file, and no script to be read. At the top the verdict for those who decide,
// below it every failure with its transcript as a sequence diagram for those
// who mend it, what was not observed and why, and all rules with their
// scenarios. folder is the report's folder; transcripts are read from it for
// what is not in order, and linked to for all else.
//
// The page's content security policy allows its own style and script, by their
// digests, and nothing else. Its size is bounded; see [maxDiagrams].
func WriteHTML(w io.Writer, r Results, folder fs.FS) error {
	t, err := pageTemplate()
	if err != nil {
		return err
	}
	p := pageOf(r, folder)
	p.CSS, p.JS = template.CSS(pageCSS), template.JS(pageJS)
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", digest(pageCSS), digest(pageJS))
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("write the page of the report: %w", err)
	}
	return nil
}

// prose is one line of text in which what stands between backticks is code.
func prose(s string) template.HTML {
	var b strings.Builder
	parts := strings.Split(oneLine(s), "`")
	for i, part := range parts {
		text := template.HTMLEscapeString(part)
		switch {
		case i%2 == 0:
			b.WriteString(text)
		case i == len(parts)-1: // a backtick without its fellow
			b.WriteString("`" + text)
		default:
			b.WriteString("<code>" + text + "</code>")
		}
	}
	return template.HTML(b.String())
}

// digest is what a content security policy calls an inline text by.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// glyph stands for an outcome beside its words, for those who do not see
// colours.
func glyph(o Outcome) string {
	switch o {
	case Pass:
		return "✓"
	case Fail:
		return "✗"
	case Warn:
		return "!"
	case CouldNotRun:
		return "?"
	case NotApplicable:
		return "–"
	case NotObserved:
		return "○"
	case ExpectedFail:
		return "≈"
	case UnexpectedPass:
		return "↑"
	}
	return "⚠"
}
