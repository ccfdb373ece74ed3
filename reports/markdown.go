package reports

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// maxMarkdown bounds a summary, in bytes: GitHub refuses a step's summary of
// more than 1 MiB, and takes it together with what other commands of the step
// have written.
const maxMarkdown = 900 << 10

// WriteMarkdown writes r as a job summary in GitHub's Markdown: the verdict in
// words, the table of rules by area and level, each failure folded, and what was
// not observed with the reasons. It is at most 900 KiB long; whatever does not
// fit is counted, and said to stand in the other reports.
func WriteMarkdown(w io.Writer, r Results) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s %s\n\n", markdownSign(r), markdownText(verdictWord(r)))
	markdownVerdict(&b, r)
	markdownTable(&b, r)
	markdownStories(&b, r, maxMarkdown-reservedForReasons)
	markdownReasons(&b, r, maxMarkdown)
	_, err := io.WriteString(w, b.String())
	return err
}

// reservedForReasons is the room that stories leave for the list of what was
// not observed.
const reservedForReasons = 100 << 10

func markdownSign(r Results) string {
	switch standingOf(r) {
	case standsErred, standsOutdated:
		return "⚠️"
	case standsKept:
		return "✅"
	case standsBroken:
		return "❌"
	}
	return "❔"
}

// markdownVerdict writes what explain says below its heading, what became of the
// rules as a list.
func markdownVerdict(b *strings.Builder, r Results) {
	say := func(line string) { fmt.Fprintf(b, "%s  \n", markdownText(line)) }
	count := func(before string, c ruleCount, after string) {
		fmt.Fprintf(b, "%s- %d%s %s\n", before, c.n, after, markdownText(c.words))
	}
	say(judgedTarget(r))
	say(observedLine(r))
	b.WriteString("\n")
	for _, c := range ruleCounts(r) {
		count("", c, "")
		for _, why := range c.reasons {
			count("  ", why, ":")
		}
	}
	b.WriteString("\n")
	for _, line := range append(reasons(r), exitLine(r)) {
		say(line)
	}
}

// markdownTable writes the rules by area and level, one row each.
func markdownTable(b *strings.Builder, r Results) {
	rows, totals := tableRows(r.Rules)
	cols := shownColumns(totals)
	b.WriteString("\n| role | area | level |")
	for _, c := range cols {
		b.WriteString(" " + strings.Join(c.heading, " ") + " |")
	}
	b.WriteString("\n| --- | --- | --- |" + strings.Repeat(" ---: |", len(cols)) + "\n")
	for _, row := range append(rows, totals...) {
		fmt.Fprintf(b, "| %s | %s | %s |", markdownText(row.role), markdownText(row.area), markdownText(row.level))
		for _, c := range cols {
			if n := row.n[c.outcome]; n > 0 {
				fmt.Fprintf(b, " %d |", n)
			} else {
				b.WriteString(" |")
			}
		}
		b.WriteString("\n")
	}
}

// markdownStories writes errors, failures and warnings, folded, rule by rule, as
// long as the whole stays within limit bytes: the first of every rule before the
// second of any. What is left out is counted. What failed in the very same way is
// told once.
func markdownStories(b *strings.Builder, r Results, limit int) {
	st := newStory(r, junitWidth, "", paint{})
	list := chapters(r, Error, Fail, Warn, UnexpectedPass)
	if len(list) == 0 {
		return
	}
	b.WriteString("\n## What is not in order\n\n")
	told := make([][]string, len(list))
	room := limit - b.Len()
	for i, j := range inTurn(len(list), func(i int) int { return len(list[i].stories) }) {
		text := markdownStory(st, list[i].stories[j])
		if room -= len(text); room < 0 {
			break
		}
		told[i] = append(told[i], text)
	}
	left := false
	for i, ch := range list {
		b.WriteString(strings.Join(told[i], ""))
		if rest := ch.rest(len(told[i])); rest != "" {
			left = true
			b.WriteString(markdownText(rest) + "\n\n")
		}
	}
	if left {
		fmt.Fprintf(b, "%s tells them all: they did not fit here.\n", HTMLName)
	}
}

// markdownStory is the story of scenarios that failed in the very same way,
// folded.
func markdownStory(st story, same []Scenario) string {
	s := same[0]
	others := ""
	if len(same) > 1 {
		others = ", and " + Plural(len(same)-1, "scenario") + " in the same way"
	}
	text := strings.Builder{}
	text.WriteString(st.of(s))
	st.same(&text, same[1:])
	return fmt.Sprintf("<details><summary><b>%s</b> %s (%s)%s</summary>\n\n%s\n</details>\n\n", strings.ToUpper(string(s.Outcome)),
		html.EscapeString(oneLine(s.Name)), html.EscapeString(strings.Join(s.BrokenRules(), ", ")), others, fenced(text.String()))
}

// markdownReasons writes the rules that nothing was found out about, folded.
func markdownReasons(b *strings.Builder, r Results, limit int) {
	var lines []string
	for _, rule := range r.Rules {
		if !rule.Outcome.Judged() {
			lines = append(lines, fmt.Sprintf("- **%s** %s: %s\n", markdownText(rule.ID), rule.Outcome, markdownText(cut(rule.Reason, 500))))
		}
	}
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>%s not judged, and why</summary>\n\n", Plural(len(lines), "rule"))
	const ending = 200 // room for the last lines
	for i, line := range lines {
		if b.Len()+len(line) > limit-ending {
			fmt.Fprintf(b, "- %d more: see %s or %s.\n", len(lines)-i, HTMLName, FileName)
			break
		}
		b.WriteString(line)
	}
	b.WriteString("\n</details>\n")
}

// markdownText is text in which nothing is markup.
func markdownText(s string) string {
	return html.EscapeString(markdownEscapes.Replace(oneLine(s)))
}

// markdownEscapes also keeps an @ from calling somebody.
var markdownEscapes = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "#", `\#`, "@", "@\u200b")

// fenced puts text into a code block whose fence is longer than any run of
// backticks in it.
func fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "text\n" + strings.TrimSuffix(text, "\n") + "\n" + fence + "\n"
}
