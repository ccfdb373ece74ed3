package reports

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// badgeLabel is the left half of a badge.
const badgeLabel = "PingOne webhooks"

// badge is a badge's message and colours: a name that shields.io knows, and
// the same as RGB, dark enough for white text (contrast of 4.5 : 1 and more).
type badge struct{ message, color, rgb string }

func badgeOf(r Results) badge {
	kept := 0
	for _, rule := range r.Rules {
		if rule.Outcome == Pass {
			kept++
		}
	}
	share := fmt.Sprintf(" · %d of %d rules kept", kept, rulesObserved(r))
	switch stands := standingOf(r); {
	case stands == standsErred:
		return badge{"suite error", "lightgrey", "#5c6370"}
	case stands == standsOutdated:
		return badge{"baseline out of date", "yellow", "#8a5a00"}
	case stands == standsKept && r.Selection.Narrowed(): // green is for the whole
		return badge{"a selection" + share, "blue", "#1f5fa8"}
	case stands == standsKept:
		return badge{"conformant" + share, "brightgreen", "#1f7a3d"}
	case stands == standsBroken:
		return badge{"non-conformant" + share, "red", "#b3261e"}
	}
	return badge{"incomplete", "yellow", "#8a5a00"}
}

// WriteBadgeJSON writes the verdict as shields.io takes it from an endpoint
// (https://shields.io/badges/endpoint-badge).
func WriteBadgeJSON(w io.Writer, r Results) error {
	b := badgeOf(r)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		SchemaVersion int    `json:"schemaVersion"`
		Label         string `json:"label"`
		Message       string `json:"message"`
		Color         string `json:"color"`
		IsError       bool   `json:"isError,omitempty"`
	}{1, badgeLabel, b.message, b.color, ExitCode(r) != ExitConformant})
}

// Measures of a badge in pixels: an average character of an 11 px sans-serif
// face, and the room left and right of a text. The text is fitted to the width
// by textLength, whatever face the reader has.
const (
	badgeChar   = 6.6
	badgeMargin = 6
)

// WriteBadgeSVG writes the verdict as a picture of 20 pixels height that needs
// nothing else: no font, no network.
func WriteBadgeSVG(w io.Writer, r Results) error {
	b := badgeOf(r)
	width := func(text string) int { return int(badgeChar*float64(utf8.RuneCountInString(text))) + 2*badgeMargin }
	left, right := width(badgeLabel), width(b.message)
	label, message := xmlText(badgeLabel), xmlText(b.message)
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="20" role="img" aria-label="%[3]s: %[4]s">
<title>%[3]s: %[4]s</title>
<clipPath id="round"><rect width="%[1]d" height="20" rx="3"/></clipPath>
<g clip-path="url(#round)"><rect width="%[2]d" height="20" fill="#3b4048"/><rect x="%[2]d" width="%[5]d" height="20" fill="%[6]s"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">
<text x="%[7]d" y="14" textLength="%[8]d" lengthAdjust="spacingAndGlyphs">%[3]s</text>
<text x="%[9]d" y="14" textLength="%[10]d" lengthAdjust="spacingAndGlyphs">%[4]s</text>
</g>
</svg>
`, left+right, left, label, message, right, b.rgb, badgeMargin, left-2*badgeMargin, left+badgeMargin, right-2*badgeMargin)
	return err
}

func xmlText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder never fails
	return b.String()
}
