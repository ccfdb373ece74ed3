package receiver

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookproof/hookproof/simulator/receiver/examine"
)

// Bounds of the list of deliveries.
const (
	defaultList = 200
	maxList     = 10_000
	// scanPage is how many deliveries are looked at at a time. Those that leave
	// the record meanwhile stay in memory until then, so it is not many.
	scanPage = 16
	// examineWait is how long a query that depends on the examination waits
	// for it.
	examineWait = 10 * time.Second
)

// filter says which deliveries are asked for. The zero filter takes all.
type filter struct {
	endpoint, event, kind, status, annotation, text, batch string
	listener                                               Mode
	from, to                                               time.Time
}

// listQuery is a filter with a place and an order.
type listQuery struct {
	filter
	before, after int64
	ascending     bool
	limit         int
}

// parseListQuery reads the query of a list. Members that the path has no use
// for are errors, save the allowed ones.
func parseListQuery(req *http.Request, allowed ...string) (listQuery, error) {
	q := listQuery{before: math.MaxInt64, limit: defaultList}
	values, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return q, badRequest("the query cannot be read: %v", err)
	}
	for name := range values {
		known, err := q.set(name, values.Get(name))
		switch {
		case err != nil:
			return q, err
		case !known && !slices.Contains(allowed, name):
			return q, badRequest("%s: unknown parameter", name)
		}
	}
	return q, nil
}

func (q *listQuery) set(name, text string) (known bool, err error) {
	switch name {
	case "before":
		q.before, err = parseNumber(name, text)
	case "after":
		q.after, err = parseNumber(name, text)
	case "order":
		if q.ascending = text == "asc"; !q.ascending && text != "desc" {
			err = badRequest("order: %q is neither asc nor desc", text)
		}
	case "limit":
		if q.limit, err = strconv.Atoi(text); err != nil || q.limit < 1 || q.limit > maxList {
			err = badRequest("limit: %q is not a number from 1 to %d", text, maxList)
		}
	default:
		return q.filter.set(name, text)
	}
	return true, err
}

func (f *filter) set(name, text string) (known bool, err error) {
	switch name {
	case "endpoint":
		f.endpoint = text
	case "event":
		f.event = text
	case "type":
		f.kind = text
	case "status":
		f.status, err = text, checkStatus(text)
	case "annotation":
		f.annotation, err = text, checkAnnotation(text)
	case "listener":
		if f.listener = Mode(text); !f.listener.valid() {
			err = badRequest("listener: %q is none of %v", text, DedicatedModes())
		}
	case "q":
		f.text = text
	case "batch":
		f.batch = text
	case "from":
		f.from, err = parseTime(name, text)
	case "to":
		f.to, err = parseTime(name, text)
	default:
		return false, nil
	}
	return true, err
}

func parseNumber(name, text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, badRequest("%s: %q is not the number of a delivery", name, text)
	}
	return n, nil
}

func parseTime(name, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, badRequest("%s: %q is not a time such as 2026-03-01T12:00:00Z", name, text)
	}
	return t, nil
}

// checkStatus takes a status, a class such as 5xx, or what happens instead of
// an answer.
func checkStatus(text string) error {
	if slices.Contains([]string{Reset, Hang, None}, text) {
		return nil
	}
	if len(text) == 3 && text[0] >= '1' && text[0] <= '5' {
		if _, err := strconv.Atoi(text); err == nil || strings.HasSuffix(text, "xx") {
			return nil
		}
	}
	return badRequest("status: %q is neither a status, nor a class such as 5xx, nor reset, hang or none", text)
}

func checkAnnotation(text string) error {
	if text == "any" || slices.Contains(examine.Names(), text) {
		return nil
	}
	return badRequest("annotation: %q is neither any nor one of %v", text, examine.Names())
}

// examined says whether the filter depends on the examination.
func (f *filter) examined() bool { return f.annotation != "" || f.batch != "" }

// takes says whether the delivery is asked for. What is quick to see is looked
// at first.
func (f *filter) takes(k *kept) bool {
	switch {
	case f.endpoint != "" && k.endpoint.id != f.endpoint,
		f.listener != "" && k.Listener != f.listener,
		!f.from.IsZero() && k.LastByteAt.Before(f.from),
		!f.to.IsZero() && k.LastByteAt.After(f.to),
		f.status != "" && !f.answered(k.delivery().Answer):
		return false
	}
	if f.examined() {
		facts := k.facts.Load()
		if facts == nil || f.batch != "" && facts.Batch != f.batch {
			return false
		}
		if f.annotation != "" && !facts.Has(f.annotation) && (f.annotation != "any" || len(facts.Annotations) == 0) {
			return false
		}
	}
	if f.text != "" && !mentions(k, f.text) {
		return false
	}
	if f.event == "" && f.kind == "" {
		return true
	}
	return examine.Contains(k.Body, f.event, f.kinds())
}

func (f *filter) answered(a Answer) bool {
	if class, ok := strings.CutSuffix(f.status, "xx"); ok {
		return strconv.Itoa(a.Status/100) == class
	}
	return f.status == strconv.Itoa(a.Status) || f.status == a.Action
}

// kinds takes the action types asked for: one, or those with a beginning.
func (f *filter) kinds() func(string) bool {
	if f.kind == "" {
		return nil
	}
	if beginning, ok := strings.CutSuffix(f.kind, "*"); ok {
		return func(kind string) bool { return strings.HasPrefix(kind, beginning) }
	}
	return func(kind string) bool { return kind == f.kind }
}

// mentions looks for the text in the target, the headers and the body.
func mentions(k *kept, text string) bool {
	if strings.Contains(k.Target, text) || bytes.Contains(k.Body, []byte(text)) {
		return true
	}
	for name, values := range k.Headers {
		if strings.Contains(name, text) || strings.Contains(strings.Join(values, "\n"), text) {
			return true
		}
	}
	return false
}

// each hands the deliveries that are asked for to take, in order, until it
// says that it has enough. It waits for what is still to be examined if the
// filter depends on it.
func (r *Receiver) each(ctx context.Context, q listQuery, take func(*kept) bool) error {
	if q.examined() {
		waiting, cancel := context.WithTimeout(ctx, examineWait)
		r.examiner.catchUp(waiting, r.index.Extent().Last)
		cancel()
	}
	for low, high := q.after, q.before; ; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("look through the deliveries: %w", err)
		}
		var page []*kept
		if q.ascending {
			page = r.index.After(low, scanPage)
		} else {
			page = r.index.Before(high, scanPage)
		}
		for _, k := range page {
			if k.number <= q.after || k.number >= q.before {
				return nil
			}
			low, high = k.number, k.number
			if q.takes(k) && !take(k) {
				return nil
			}
		}
		if len(page) < scanPage {
			return nil
		}
	}
}
