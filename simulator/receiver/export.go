package receiver

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxBuckets bounds a timeline.
const maxBuckets = 2000

// exporting serves a file with what the query asks for, oldest first.
func (r *Receiver) exporting(w http.ResponseWriter, req *http.Request, kind, name string, write func(*bufio.Writer, listQuery) error) {
	q, err := parseListQuery(req, "secrets")
	if err != nil {
		writeFailure(w, err)
		return
	}
	q.ascending = true
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
	out := bufio.NewWriter(w)
	if write(out, q) != nil || out.Flush() != nil {
		panic(http.ErrAbortHandler) // a file that is cut must not look whole
	}
}

// exportNDJSON serves deliveries as they are read by endpoint, one a line, with
// their number and endpoint.
func (r *Receiver) exportNDJSON(w http.ResponseWriter, req *http.Request) {
	r.exporting(w, req, "application/x-ndjson", "deliveries.ndjson", func(out *bufio.Writer, q listQuery) error {
		encoder := json.NewEncoder(out)
		var failed error
		err := r.each(req.Context(), q, func(k *kept) bool {
			d := k.delivery()
			if wantsMask(req) {
				d.Headers = masked(d.Headers)
			}
			failed = encoder.Encode(struct {
				Number   int64  `json:"number"`
				Endpoint string `json:"endpoint"`
				Delivery
			}{k.number, k.endpoint.id, d})
			return failed == nil
		})
		return orElse(err, failed)
	})
}

// exportHAR serves deliveries as an HTTP archive (HAR 1.2).
func (r *Receiver) exportHAR(w http.ResponseWriter, req *http.Request) {
	r.exporting(w, req, "application/json", "deliveries.har", func(out *bufio.Writer, q listQuery) error {
		_, _ = out.WriteString(`{"log":{"version":"1.2","creator":{"name":"hookproof receiver","version":"1"},"entries":[`)
		var failed error
		separator := ""
		err := r.each(req.Context(), q, func(k *kept) bool {
			var entry []byte
			if entry, failed = json.Marshal(r.archived(k, wantsMask(req))); failed == nil {
				_, failed = fmt.Fprintf(out, "%s%s", separator, entry)
			}
			separator = ","
			return failed == nil
		})
		_, _ = out.WriteString("]}}")
		return orElse(err, failed)
	})
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// archived is an entry of an HTTP archive.
func (r *Receiver) archived(k *kept, mask bool) map[string]any {
	type object = map[string]any
	d := k.delivery()
	headers, query := d.Headers, []pair{}
	if mask {
		headers = masked(headers)
	}
	address := r.urlOf(k)
	if u, err := url.Parse(address); err == nil {
		for name, values := range u.Query() {
			for _, value := range values {
				query = append(query, pair{name, value})
			}
		}
	}
	content := object{"mimeType": d.Headers.Get("Content-Type"), "text": string(d.Body)}
	if !utf8.Valid(d.Body) {
		content["text"], content["encoding"] = base64.StdEncoding.EncodeToString(d.Body), "base64"
	}
	wait := max(d.Answer.At.Sub(d.LastByteAt), 0)
	took := d.LastByteAt.Sub(d.FirstByteAt)
	status := d.Answer.Status
	return object{
		"startedDateTime": d.FirstByteAt.Format(time.RFC3339Nano),
		"time":            milliseconds(took + wait),
		"request": object{
			"method": d.Method, "url": address, "httpVersion": d.Proto, "headers": pairs(headers), "queryString": query,
			"cookies": []pair{}, "headersSize": -1, "bodySize": len(d.Body), "postData": content,
		},
		"response": object{
			"status": status, "statusText": http.StatusText(status), "httpVersion": d.Proto, "headers": []pair{}, "cookies": []pair{},
			"content": object{"size": 0, "mimeType": ""}, "redirectURL": "", "headersSize": -1, "bodySize": -1,
		},
		"cache":   object{},
		"timings": object{"send": milliseconds(took), "wait": milliseconds(wait), "receive": 0},
		"comment": strings.TrimSpace(fmt.Sprintf("delivery %d, %s %s", k.number, k.endpoint.id, d.Answer.Action)),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func pairs(headers http.Header) []pair {
	list := []pair{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		for _, value := range headers[name] {
			list = append(list, pair{name, value})
		}
	}
	return list
}

// bucket is a stretch of a timeline.
type bucket struct {
	At         time.Time `json:"at"`
	Deliveries int       `json:"deliveries"`
	Events     int       `json:"events"`
	Bytes      int64     `json:"bytes"`
	Failed     int       `json:"failed"` // answered otherwise than with success
	MaxHoldMs  int64     `json:"maxHoldMs"`
}

// getTimeline counts deliveries over time.
func (r *Receiver) getTimeline(w http.ResponseWriter, req *http.Request) {
	q, err := parseListQuery(req, "buckets")
	count := 120
	if text := req.URL.Query().Get("buckets"); err == nil && text != "" {
		var n int64
		if n, err = parseNumber("buckets", text); err == nil && (n < 1 || n > maxBuckets) {
			err = badRequest("buckets: %d is not a number from 1 to %d", n, maxBuckets)
		}
		count = int(n)
	}
	if err != nil {
		writeFailure(w, err)
		return
	}
	q.ascending = true
	var found []*kept
	if err := r.each(req.Context(), q, func(k *kept) bool { found = append(found, k); return true }); err != nil {
		writeFailure(w, err)
		return
	}
	from, to := q.from, q.to
	for _, k := range found {
		if q.from.IsZero() && (from.IsZero() || k.LastByteAt.Before(from)) {
			from = k.LastByteAt
		}
		if q.to.IsZero() && k.LastByteAt.After(to) {
			to = k.LastByteAt
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"from": from, "to": to, "buckets": bucketed(found, from, to, count)})
}

func bucketed(found []*kept, from, to time.Time, count int) []bucket {
	buckets := []bucket{}
	if len(found) == 0 {
		return buckets
	}
	width := max(to.Sub(from)/time.Duration(count)+1, 1)
	for i := range count {
		buckets = append(buckets, bucket{At: from.Add(time.Duration(i) * width)})
	}
	for _, k := range found {
		b := &buckets[min(max(int(k.LastByteAt.Sub(from)/width), 0), count-1)]
		b.Deliveries++
		b.Bytes += int64(len(k.Body))
		if a := k.delivery().Answer; a.Action != None && a.Status/100 != 2 {
			b.Failed++
		}
		if f := k.facts.Load(); f != nil {
			b.Events += f.Events
			b.MaxHoldMs = max(b.MaxHoldMs, f.Hold.Milliseconds())
		}
	}
	return buckets
}
