package receiver

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// listDeliveries serves the deliveries of all endpoints.
func (r *Receiver) listDeliveries(w http.ResponseWriter, req *http.Request) {
	q, err := parseListQuery(req)
	if err != nil {
		writeFailure(w, err)
		return
	}
	list := []summary{}
	var next *int64
	err = r.each(req.Context(), q, func(k *kept) bool {
		if len(list) == q.limit {
			last := list[len(list)-1].Number
			next = &last
			return false
		}
		list = append(list, summaryOf(k))
		return true
	})
	if err != nil {
		writeFailure(w, err)
		return
	}
	extent := r.index.Extent()
	writeJSON(w, http.StatusOK, map[string]any{
		"deliveries": list, "next": next, "kept": extent.Kept, "evicted": extent.Removed, "last": extent.Last,
	})
}

// clearDeliveries forgets the deliveries of one endpoint or of all.
func (r *Receiver) clearDeliveries(w http.ResponseWriter, req *http.Request) {
	id := req.URL.Query().Get("endpoint")
	all := r.endpoints.all()
	if id != "" {
		e, err := r.endpoints.withID(id)
		if err != nil {
			writeFailure(w, err)
			return
		}
		all = []*endpoint{e}
	}
	for _, e := range all {
		e.deliveries.Clear()
	}
	r.readers.tell(streamed{event: "cleared", data: map[string]string{"endpoint": id}})
	w.WriteHeader(http.StatusNoContent)
}

// pathDelivery returns the delivery in the path, or answers that there is
// none.
func (r *Receiver) pathDelivery(w http.ResponseWriter, req *http.Request) *kept {
	number, err := strconv.ParseInt(req.PathValue("number"), 10, 64)
	if err == nil {
		if k, ok := r.index.Get(number); ok {
			return k
		}
	}
	writeError(w, http.StatusNotFound, "no such delivery, or it is no longer kept")
	return nil
}

// wantsMask says whether secrets are to be masked.
func wantsMask(req *http.Request) bool { return req.URL.Query().Get("secrets") == "masked" }

// getDelivery serves one delivery in full.
func (r *Receiver) getDelivery(w http.ResponseWriter, req *http.Request) {
	k := r.pathDelivery(w, req)
	if k == nil {
		return
	}
	waiting, cancel := context.WithTimeout(req.Context(), examineWait)
	defer cancel()
	r.examiner.catchUp(waiting, k.number)
	d := detail{
		summary: summaryOf(k), Host: k.Host, Headers: k.Headers, TLS: k.TLS, Body: k.Body,
		Attempts: []int64{k.number}, Curl: r.curl(k, wantsMask(req)),
	}
	if wantsMask(req) {
		d.Headers = masked(k.Headers)
	}
	if d.Batch != "" {
		d.Attempts = r.attempts(req.Context(), k.endpoint.id, d.Batch)
	}
	writeJSON(w, http.StatusOK, d)
}

// attempts returns the numbers of the deliveries of one body to one endpoint.
func (r *Receiver) attempts(ctx context.Context, endpoint, batch string) []int64 {
	list := []int64{}
	q := listQuery{filter: filter{endpoint: endpoint, batch: batch}, before: r.index.Extent().Last + 1, ascending: true}
	_ = r.each(ctx, q, func(k *kept) bool { // it fails only when the client is gone
		list = append(list, k.number)
		return len(list) < maxList
	})
	return list
}

// getBody serves the body as it came.
func (r *Receiver) getBody(w http.ResponseWriter, req *http.Request) {
	k := r.pathDelivery(w, req)
	if k == nil {
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Content-Disposition", `attachment; filename="delivery-`+strconv.FormatInt(k.number, 10)+`"`)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", strconv.Itoa(len(k.Body)))
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(pieceTimeout))
	_, _ = w.Write(k.Body)
}

// getCurl serves a command that sends the delivery again.
func (r *Receiver) getCurl(w http.ResponseWriter, req *http.Request) {
	k := r.pathDelivery(w, req)
	if k == nil {
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(r.curl(k, wantsMask(req)) + "\n"))
}
