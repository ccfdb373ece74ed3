package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// maxTranscript bounds, in bytes, a transcript that a report is made from:
// several times the largest that the suite has written (9 MiB).
const maxTranscript = 64 << 20

// evidence is what a report shows of a stored transcript: a reader's view of
// the format, which ignores what it does not know.
type evidence struct {
	Entries []struct {
		At       time.Time  `json:"at"`
		Step     string     `json:"step"`
		Table    [][]string `json:"table"`
		Exchange *exchange  `json:"exchange"`
		Watch    *struct {
			Endpoint    string       `json:"endpoint"`
			Deliveries  []delivery   `json:"deliveries"`
			Connections []connection `json:"connections"`
			Over        bool         `json:"over"`
		} `json:"watch"`
		Caused *struct {
			Name string `json:"name"`
			Type string `json:"type"`
		} `json:"caused"`
	} `json:"entries"`
}

// message is a head and a body: of a request, an answer or a delivery.
type message struct {
	Headers map[string][]string `json:"headers"`
	Body    rawBody             `json:"body"`
}

type exchange struct {
	Peer    string `json:"peer"`
	Request struct {
		Method string `json:"method"`
		Path   string `json:"path"`
		message
	} `json:"request"`
	Response *struct {
		Status int `json:"status"`
		message
	} `json:"response"`
	Error string    `json:"error"`
	End   time.Time `json:"end"`
}

type delivery struct {
	Seq      int    `json:"seq"`
	Listener string `json:"listener"`
	Method   string `json:"method"`
	Target   string `json:"target"`
	Proto    string `json:"proto"`
	message
	Complete    bool      `json:"complete"`
	FirstByteAt time.Time `json:"firstByteAt"`
	LastByteAt  time.Time `json:"lastByteAt"`
	TLS         *struct {
		Version            string            `json:"version"`
		ClientCertificates []json.RawMessage `json:"clientCertificates"`
	} `json:"tls"`
	Answer struct {
		Action string    `json:"action"`
		Status int       `json:"status"`
		At     time.Time `json:"at"`
	} `json:"answer"`
}

// attempt is a delivery of the reference emitter, as its control API tells of it
// where a receiver is tested.
type attempt struct {
	Seq         int       `json:"seq"`
	At          time.Time `json:"at"`
	End         time.Time `json:"end"`
	ContentType string    `json:"contentType"`
	Body        string    `json:"body"`
	Status      int       `json:"status"` // of the answer, or 0
	Error       string    `json:"error"`  // why there was none
}

// attemptsIn are the attempts that an exchange tells of; none, if it is about
// something else.
func attemptsIn(x *exchange) []attempt {
	path, _, _ := strings.Cut(x.Request.Path, "?")
	if x.Peer != "control" || x.Response == nil || !strings.HasPrefix(path, "/control/subscriptions/") || !strings.HasSuffix(path, "/attempts") {
		return nil
	}
	var told struct {
		Attempts []attempt `json:"attempts"`
	}
	if err := json.Unmarshal(x.Response.Body, &told); err != nil {
		return nil
	}
	return told.Attempts
}

type connection struct {
	At        time.Time `json:"at"`
	Handshake string    `json:"handshake"`
	Error     string    `json:"error"`
}

// rawBody is a body's bytes: stored as a string, or as {"base64": "…"} where
// they are no UTF-8.
type rawBody []byte

func (b *rawBody) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*b = rawBody(text)
		return nil
	}
	var coded struct {
		Base64 []byte `json:"base64"`
	}
	if err := json.Unmarshal(data, &coded); err != nil {
		return fmt.Errorf("read a body: %w", err)
	}
	*b = coded.Base64
	return nil
}

// readTranscript gives the bytes of a scenario's transcript, nil where none was
// kept. One that is missing, too long, or not what the report's digest says is
// an error: a report never shows evidence that was changed.
func readTranscript(folder fs.FS, s Scenario) ([]byte, error) {
	if s.Transcript == "" {
		return nil, nil
	}
	f, err := folder.Open(s.Transcript)
	if err != nil {
		return nil, fmt.Errorf("open the transcript: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxTranscript+1))
	if err != nil {
		return nil, fmt.Errorf("read the transcript %s: %w", s.Transcript, err)
	}
	if len(text) > maxTranscript {
		return nil, fmt.Errorf("the transcript %s is longer than %d bytes", s.Transcript, maxTranscript)
	}
	digest := sha256.Sum256(text)
	if hex.EncodeToString(digest[:]) != s.TranscriptSHA256 {
		return nil, fmt.Errorf("the transcript %s was changed since the run", s.Transcript)
	}
	return text, nil
}

func parseEvidence(text []byte) (*evidence, error) {
	var e evidence
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&e); err != nil {
		return nil, fmt.Errorf("read the transcript: %w", err)
	}
	return &e, nil
}
