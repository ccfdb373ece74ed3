package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	gherkin "github.com/cucumber/gherkin/go/v26"
	messages "github.com/cucumber/messages/go/v21"

	"github.com/hookproof/hookproof/features"
)

// cucumberProtocol is the version of Cucumber Messages that is written: that of
// the package whose types are.
const cucumberProtocol = "21.0.1"

// maxAttached bounds, in bytes, a transcript that is attached whole; of a
// longer one the path is attached.
const maxAttached = 32 << 10

// WriteCucumber writes r as Cucumber Messages
// (https://github.com/cucumber/messages), one a line: the features that the
// scenarios stand in, a pickle and a test case for each scenario, and how it
// went. Ids follow from the scenario's, so that they stay the same.
//
// Steps before the one that failed are PASSED, those after it SKIPPED. A fail,
// an unexpected-pass and an error are FAILED, could-not-run is PENDING, which
// readers do not take for green; not-applicable and expected-fail are SKIPPED;
// a warn is PASSED. Whatever is no plain pass has its story attached, and its
// transcript, from folder, where that is small. The times of steps are not
// known: the first takes the scenario's whole time.
func WriteCucumber(w io.Writer, r Results, folder fs.FS) error {
	c := cucumber{e: json.NewEncoder(w), folder: folder, story: newStory(r, junitWidth, "", paint{}), pickles: map[string]*messages.Pickle{}, astLines: map[string]int64{}}
	c.e.SetEscapeHTML(false)
	begin := stamp(r.StartedAt)
	end := stamp(r.StartedAt.Add(time.Duration(r.DurationMs) * time.Millisecond))
	unknown := &messages.Product{Name: "unknown"}
	c.say(messages.Envelope{Meta: &messages.Meta{
		ProtocolVersion: cucumberProtocol, Implementation: &messages.Product{Name: "hookproof", Version: r.Suite.Version},
		Runtime: unknown, Os: unknown, Cpu: unknown,
	}})
	if err := c.features(r.Scenarios); err != nil {
		return err
	}
	c.say(messages.Envelope{TestRunStarted: &messages.TestRunStarted{Timestamp: begin}})
	for _, s := range r.Scenarios {
		c.scenario(s, begin, stamp(r.StartedAt.Add(time.Duration(s.DurationMs)*time.Millisecond)))
	}
	c.say(messages.Envelope{TestRunFinished: &messages.TestRunFinished{
		Success: ExitCode(r) == ExitConformant, Timestamp: end, Message: fmt.Sprintf("%s (exit code %d)", r.Verdict, ExitCode(r)),
	}})
	return c.err
}

type cucumber struct {
	e      *json.Encoder
	err    error // the first
	folder fs.FS
	story  story
	// pickles are the scenarios of the features, by place.
	pickles map[string]*messages.Pickle
	// astLines are the lines that steps stand at, by the id of the step.
	astLines map[string]int64
}

func (c *cucumber) say(m messages.Envelope) {
	if c.err == nil {
		c.err = c.e.Encode(m)
	}
}

func stamp(t time.Time) *messages.Timestamp {
	s := messages.GoTimeToTimestamp(t)
	return &s
}

// features writes the sources, documents and pickles that the scenarios need. A
// scenario that the features of today do not have, of an older report, gets a
// pickle of its own.
func (c *cucumber) features(scenarios []Scenario) error {
	var files []string
	wanted := map[string]bool{}
	for _, s := range scenarios {
		if !slices.Contains(files, s.File) {
			files = append(files, s.File)
		}
		wanted[place(s.File, s.Line, s.Name)] = true
	}
	for _, file := range files {
		text, err := fs.ReadFile(features.FS, path.Clean(file))
		if err != nil {
			continue
		}
		if err := c.feature(file, text, wanted); err != nil {
			return err
		}
	}
	for _, s := range scenarios {
		at := place(s.File, s.Line, s.Name)
		if c.pickles[at] == nil {
			p := &messages.Pickle{
				Id: "pickle:" + s.ID, Uri: s.File, Name: s.Name, Language: "en", Tags: []*messages.PickleTag{}, AstNodeIds: []string{},
				Steps: []*messages.PickleStep{{Id: "pickle:" + s.ID + ":step:1", Text: s.Name, AstNodeIds: []string{}}},
			}
			c.pickles[at] = p
			c.say(messages.Envelope{Pickle: p})
		}
	}
	return nil
}

func place(file string, line int, name string) string {
	return fmt.Sprintf("%s:%d:%s", file, line, name)
}

func (c *cucumber) feature(file string, text []byte, wanted map[string]bool) error {
	n := 0
	id := func() string { n++; return file + "#" + strconv.Itoa(n) }
	doc, err := gherkin.ParseGherkinDocument(bytes.NewReader(text), id)
	if err != nil {
		return fmt.Errorf("parse %s: %w", file, err)
	}
	doc.Uri = file
	c.say(messages.Envelope{Source: &messages.Source{Uri: file, Data: string(text), MediaType: messages.SourceMediaType_TEXT_X_CUCUMBER_GHERKIN_PLAIN}})
	c.say(messages.Envelope{GherkinDocument: doc})
	c.note(doc)
	for _, p := range gherkin.Pickles(*doc, file, id) {
		line := c.astLines[p.AstNodeIds[len(p.AstNodeIds)-1]]
		if at := place(file, int(line), p.Name); wanted[at] {
			c.pickles[at] = p
			c.say(messages.Envelope{Pickle: p})
		}
	}
	return nil
}

// note keeps the lines of the scenarios, steps and rows of a document.
func (c *cucumber) note(doc *messages.GherkinDocument) {
	steps := func(list []*messages.Step) {
		for _, s := range list {
			c.astLines[s.Id] = s.Location.Line
		}
	}
	both := func(b *messages.Background, s *messages.Scenario) {
		if b != nil {
			steps(b.Steps)
		}
		if s == nil {
			return
		}
		c.astLines[s.Id] = s.Location.Line
		steps(s.Steps)
		for _, e := range s.Examples {
			for _, row := range e.TableBody {
				c.astLines[row.Id] = row.Location.Line
			}
		}
	}
	for _, child := range doc.Feature.Children {
		both(child.Background, child.Scenario)
		if child.Rule != nil {
			for _, inner := range child.Rule.Children {
				both(inner.Background, inner.Scenario)
			}
		}
	}
}

// scenario writes the test case of a scenario and how it went.
func (c *cucumber) scenario(s Scenario, begin, end *messages.Timestamp) {
	pickle := c.pickles[place(s.File, s.Line, s.Name)]
	test := &messages.TestCase{Id: "case:" + s.ID, PickleId: pickle.Id}
	for i, step := range pickle.Steps {
		test.TestSteps = append(test.TestSteps, &messages.TestStep{Id: fmt.Sprintf("case:%s:step:%d", s.ID, i+1), PickleStepId: step.Id})
	}
	started := "started:" + s.ID
	c.say(messages.Envelope{TestCase: test})
	c.say(messages.Envelope{TestCaseStarted: &messages.TestCaseStarted{Id: started, TestCaseId: test.Id, Timestamp: begin}})
	at := c.stepAt(s, pickle)
	for i, step := range test.TestSteps {
		c.say(messages.Envelope{TestStepStarted: &messages.TestStepStarted{TestCaseStartedId: started, TestStepId: step.Id, Timestamp: begin}})
		if i == at && s.Outcome != Pass {
			c.attach(s, started, step.Id)
		}
		took := messages.Duration{}
		if i == 0 {
			took = messages.GoDurationToDuration(time.Duration(s.DurationMs) * time.Millisecond)
		}
		result := &messages.TestStepResult{Duration: &took, Status: stepStatus(s.Outcome, i, at)}
		if i == at {
			result.Message = headline(s)
		}
		c.say(messages.Envelope{TestStepFinished: &messages.TestStepFinished{TestCaseStartedId: started, TestStepId: step.Id, TestStepResult: result, Timestamp: end}})
	}
	c.say(messages.Envelope{TestCaseFinished: &messages.TestCaseFinished{TestCaseStartedId: started, Timestamp: end}})
}

// stepAt is the step that decided: the one that the failure names, for a
// scenario that did not run the first, else the last.
func (c *cucumber) stepAt(s Scenario, p *messages.Pickle) int {
	if s.Failure != nil {
		for i := len(p.Steps) - 1; i >= 0; i-- {
			ast := p.Steps[i].AstNodeIds
			if len(ast) > 0 && s.Failure.At == fmt.Sprintf("%s:%d", s.File, c.astLines[ast[0]]) {
				return i
			}
		}
	}
	if s.Outcome == NotApplicable || s.Outcome == CouldNotRun {
		return 0
	}
	return len(p.Steps) - 1
}

func stepStatus(o Outcome, i, at int) messages.TestStepResultStatus {
	switch {
	case o == Pass || o == Warn || i < at:
		return messages.TestStepResultStatus_PASSED
	case o == NotApplicable || o == ExpectedFail || i > at:
		return messages.TestStepResultStatus_SKIPPED
	case o == CouldNotRun:
		return messages.TestStepResultStatus_PENDING
	}
	return messages.TestStepResultStatus_FAILED
}

func (c *cucumber) attach(s Scenario, started, step string) {
	add := func(name, mediaType, body string) {
		c.say(messages.Envelope{Attachment: &messages.Attachment{
			FileName: name, MediaType: mediaType, Body: body, ContentEncoding: messages.AttachmentContentEncoding_IDENTITY,
			TestCaseStartedId: started, TestStepId: step,
		}})
	}
	add("story.txt", "text/plain", c.story.of(s))
	if s.Transcript == "" {
		return
	}
	text, err := readTranscript(c.folder, s)
	switch {
	case err != nil:
		add("transcript.txt", "text/plain", oneLine(err.Error()))
	case len(text) <= maxAttached && utf8.Valid(text):
		add(path.Base(s.Transcript), "application/json", string(text))
	default:
		add("transcript.uri", "text/uri-list", strings.TrimSpace(s.Transcript)+"\r\n")
	}
}
