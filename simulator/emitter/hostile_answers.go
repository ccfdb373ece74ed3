package emitter

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// answerKnobs are the liberties of the management API.
func answerKnobs() []Knob {
	return []Knob{
		{"answer-order", "Members of answers stand in another order each time.", answers(func(k *talk, r *rand.Rand) {
			k.rewrite(shuffledMembers(r))
		})},
		// The same in every answer: a read is to show what the create did.
		{"answer-members", "Answers have members that no document names.", func(p *Pieces, d *dice) {
			answers(func(k *talk, _ *rand.Rand) {
				k.rewrite(func(path string, members []member) []member {
					if strings.Contains(path, "headers") || strings.HasSuffix(path, "additionalAttributes") {
						return members
					}
					return moreMembers(d.of("members of "+path))(path, members)
				})
			})(p, d)
		}},
		{"answer-nulls", "Members that are absent are null instead.", eachSubscription(func(k *talk, path string, r *rand.Rand) {
			for _, member := range []string{"format", "payloadOptions", "tlsClientAuthKeyPair", "httpEndpoint.headers", "filterOptions.includedTags", "filterOptions.includedPopulations", "filterOptions.includedApplications"} {
				parent, _, nested := strings.Cut(member, ".")
				if !k.get(path+member).Exists() && (!nested || k.get(path+parent).IsObject()) && r.IntN(2) == 0 {
					k.set(path+member, nil)
				}
			}
		})},
		{"answer-absences", "What was not sent is not shown: the protocol HTTPS, opt-ins that are false.", eachSubscription(func(k *talk, path string, _ *rand.Rand) {
			if k.get(path+"protocol").Str == "HTTPS" && !gjson.GetBytes(k.sent, "protocol").Exists() {
				k.drop(path + "protocol")
			}
			for _, optIn := range []string{"filterOptions.ipAddressExposed", "filterOptions.userAgentExposed"} {
				if k.request.Method == http.MethodPost && !gjson.GetBytes(k.sent, optIn).Exists() && !k.get(path+optIn).Bool() {
					k.drop(path + optIn)
				}
			}
		})},
		{"answer-times", "Times of subscriptions have 0 to 9 fraction digits.", func(p *Pieces, d *dice) {
			eachSubscription(func(k *talk, path string, _ *rand.Rand) {
				digits := d.of(k.get(path + "id").Str).IntN(10)
				for _, member := range []string{"createdAt", "updatedAt"} {
					if t := k.get(path + member); t.Type == gjson.String {
						k.set(path+member, fraction(t.Time(), digits))
					}
				}
			})(p, d)
		}},
		{"answer-lists", "Lists stand in another order each time.", func(p *Pieces, d *dice) {
			answers(func(k *talk, r *rand.Rand) {
				for _, path := range []string{"_embedded.subscriptions", "_embedded.activities", "details"} {
					k.shuffle(path, r)
				}
			})(p, d)
			eachSubscription(func(k *talk, path string, r *rand.Rand) {
				for _, list := range []string{"includedActionTypes", "includedPopulations", "includedApplications", "includedTags"} {
					k.shuffle(path+"filterOptions."+list, r)
				}
			})(p, d)
		}},
		{"answer-empty-lists", "An empty list has no _embedded.", answers(func(k *talk, _ *rand.Rand) {
			if k.to(http.MethodGet, "/subscriptions") && k.answer.status == http.StatusOK && len(k.get("_embedded.subscriptions").Array()) == 0 {
				k.drop("_embedded")
			}
		})},
		{"answer-texts", "Messages of errors say it in other words.", answers(func(k *talk, r *rand.Rand) {
			if k.answer.status < 400 {
				return
			}
			words := []string{"Nein.", "", "<b>Refused</b>\n", strings.Repeat("No. ", 300)}
			if k.get("message").Exists() {
				k.set("message", words[r.IntN(len(words))])
			}
			for i := range k.get("details").Array() {
				k.set("details."+strconv.Itoa(i)+".message", words[r.IntN(len(words))])
			}
		})},
		{"answer-error-nulls", "Members of errors that no document asks for are null.", answers(func(k *talk, _ *rand.Rand) {
			if k.answer.status < 400 {
				return
			}
			k.set("innerError", nil)
			for i := range k.get("details").Array() {
				for _, member := range []string{"target", "innerError"} {
					if path := "details." + strconv.Itoa(i) + "." + member; !k.get(path).Exists() {
						k.set(path, nil)
					}
				}
			}
		})},
		{"answer-refusals", "What is invalid is refused with 409 or 422.", answers(func(k *talk, r *rand.Rand) {
			if k.answer.status == http.StatusBadRequest {
				k.answer.status = []int{http.StatusConflict, http.StatusUnprocessableEntity}[r.IntN(2)]
			}
		})},
		{"answer-layout", "Answers are indented, with line breaks of either kind, and end with spaces.", answers(func(k *talk, r *rand.Rand) {
			var out bytes.Buffer
			if json.Indent(&out, k.answer.body.Bytes(), "", []string{"", " ", "\t"}[r.IntN(3)]) != nil {
				return
			}
			text := out.Bytes()
			if r.IntN(2) == 0 {
				text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")) // within a string it would be escaped
			}
			k.body(append(text, " \r\n"...), nil)
		})},
		{"answer-escapes", "Some letters of the strings in answers are escaped.", answers(func(k *talk, r *rand.Rand) {
			k.rewrite(escapedLetters(r))
		})},
		{"answer-links", "Links lead to the emitter by another of its addresses.", answers(func(k *talk, _ *rand.Rand) {
			k.body(bytes.ReplaceAll(k.answer.body.Bytes(), []byte(`"http://localhost:`), []byte(`"http://127.0.0.1:`)), nil)
		})},
		{"answer-type", "The Content-Type of answers has parameters.", answers(func(k *talk, r *rand.Rand) {
			if k.answer.header.Get("Content-Type") != "" {
				k.answer.header.Set("Content-Type", []string{"application/json;charset=UTF-8", "application/json; charset=utf-8; q=1", "Application/JSON"}[r.IntN(3)])
			}
		})},
		{"answer-delays", "Answers take up to 30 ms longer.", serving(func(w http.ResponseWriter, r *http.Request, inner http.Handler, d *dice) {
			pause(r.Context(), time.Duration(d.n(30))*time.Millisecond)
			inner.ServeHTTP(w, r)
		})},
		{"answer-chunks", "Bodies of answers come in chunks.", serving(func(w http.ResponseWriter, r *http.Request, inner http.Handler, _ *dice) {
			inner.ServeHTTP(chunking{w}, r)
		})},
	}
}

// answers lets a knob change answers of the management API that are JSON.
func answers(alter func(*talk, *rand.Rand)) func(*Pieces, *dice) {
	return func(p *Pieces, d *dice) {
		talking(func(k *talk) {
			if k.managed() && gjson.ValidBytes(k.answer.body.Bytes()) {
				alter(k, rand.New(rand.NewPCG(d.seed, uint64(d.n(1<<31)))))
			}
		})(p)
	}
}

// eachSubscription lets a knob change every subscription in an answer; path leads
// to its members.
func eachSubscription(alter func(k *talk, path string, r *rand.Rand)) func(*Pieces, *dice) {
	return answers(func(k *talk, r *rand.Rand) {
		if !k.aboutSubscriptions() || k.answer.status/100 != 2 {
			return
		}
		if k.get("filterOptions").Exists() {
			alter(k, "", r)
		}
		for i := range k.get("_embedded.subscriptions").Array() {
			alter(k, "_embedded.subscriptions."+strconv.Itoa(i)+".", r)
		}
	})
}

func (k *talk) rewrite(change func(string, []member) []member) {
	k.body([]byte(rewritten(k.answer.body.String(), change)), nil)
}

// shuffle brings the list at the path, if there is one, into another order.
func (k *talk) shuffle(path string, r *rand.Rand) {
	list := k.get(path)
	if !list.IsArray() {
		return
	}
	elements := list.Array()
	r.Shuffle(len(elements), func(i, j int) { elements[i], elements[j] = elements[j], elements[i] })
	k.body(sjson.SetRawBytes(k.answer.body.Bytes(), path, array(elements)))
}

// fraction shows a time in UTC with so many fraction digits.
func fraction(t time.Time, digits int) string {
	layout := "2006-01-02T15:04:05"
	if digits > 0 {
		layout += "." + strings.Repeat("0", digits)
	}
	return t.UTC().Format(layout) + "Z"
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// serving lets a knob change how answers are served.
func serving(by func(http.ResponseWriter, *http.Request, http.Handler, *dice)) func(*Pieces, *dice) {
	return func(p *Pieces, d *dice) {
		previous := p.Serve
		p.Serve = func(h http.Handler) http.Handler {
			inner := previous(h)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { by(w, r, inner, d) })
		}
	}
}

// chunking sends what is written to it at once, so that nobody knows the length
// beforehand.
type chunking struct{ http.ResponseWriter }

func (c chunking) Write(p []byte) (int, error) {
	half := len(p) / 2
	n, err := c.ResponseWriter.Write(p[:half])
	if err != nil {
		return n, err
	}
	if f, ok := c.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
	m, err := c.ResponseWriter.Write(p[half:])
	return n + m, err
}
