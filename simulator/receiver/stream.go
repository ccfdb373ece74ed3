package receiver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of a stream of server-sent events.
const (
	streamPage      = 256              // deliveries written before the rest is looked at
	streamLag       = 2000             // deliveries behind at which a reader skips to the newest
	streamQueue     = 1024             // other events that wait for a reader
	streamKeepAlive = 15 * time.Second // between signs of life
	streamTimeout   = 30 * time.Second // for the reader to take what is written
	maxStreams      = 200
)

// streamed is something that readers are told of beside new deliveries, which
// they find in the index.
type streamed struct {
	event    string
	delivery *summary // examined by now; not the delivery itself, whose body would stay alive
	data     any      // of any other event
}

// readers are those who read the stream.
type readers struct {
	count atomic.Int32 // so that telling nobody costs nothing
	mu    sync.Mutex
	open  map[*reader]struct{}
}

type reader struct {
	nudged chan struct{} // holds one token when the index may have changed
	events chan streamed
	lagged atomic.Bool
}

// join returns a new reader, or nil if there are too many.
func (s *readers) join() *reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= maxStreams {
		return nil
	}
	if s.open == nil {
		s.open = map[*reader]struct{}{}
	}
	r := &reader{nudged: make(chan struct{}, 1), events: make(chan streamed, streamQueue)}
	s.open[r] = struct{}{}
	s.count.Store(int32(len(s.open)))
	return r
}

func (s *readers) leave(r *reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, r)
	s.count.Store(int32(len(s.open)))
}

// nudge has the readers look at the index.
func (s *readers) nudge() {
	if s.count.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for r := range s.open {
		offer(r.nudged)
	}
}

// tell tells the readers of an event. Who is too slow misses it and is told
// that it lags.
func (s *readers) tell(event streamed) {
	if s.count.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for r := range s.open {
		select {
		case r.events <- event:
		default:
			r.lagged.Store(true)
			offer(r.nudged)
		}
	}
}

// getStream serves the server-sent events.
func (r *Receiver) getStream(w http.ResponseWriter, req *http.Request) {
	query := req.URL.Query()
	after := r.index.Extent().Last
	from := query.Get("after")
	if id := req.Header.Get("Last-Event-ID"); id != "" {
		from = id
	}
	if from != "" {
		number, err := strconv.ParseInt(from, 10, 64)
		if err != nil || number < 0 {
			writeFailure(w, badRequest("after: %q is not the number of a delivery", from))
			return
		}
		after = number
	}
	reader := r.readers.join()
	if reader == nil {
		writeFailure(w, fmt.Errorf("%w streams: %d are open", errTooMany, maxStreams))
		return
	}
	defer r.readers.leave(reader)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	s := &stream{
		receiver: r, reader: reader, out: w, control: http.NewResponseController(w),
		after: after, endpoint: query.Get("endpoint"), removed: r.index.Extent().Removed,
	}
	_ = s.comment("welcome")
	s.run(req)
}

// stream is what one reader has been told.
type stream struct {
	receiver *Receiver
	reader   *reader
	out      http.ResponseWriter
	control  *http.ResponseController
	endpoint string // tell of this one only; empty: of all
	after    int64  // the newest delivery it was told of
	removed  int64  // how many had left when it was told so
}

func (s *stream) run(req *http.Request) {
	alive := time.NewTicker(streamKeepAlive)
	defer alive.Stop()
	for {
		if err := s.news(); err != nil {
			return
		}
		var err error
		select {
		case <-s.reader.nudged:
		case event := <-s.reader.events:
			err = s.event(event)
		case <-alive.C:
			err = s.comment("keep-alive")
		case <-req.Context().Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// news tells of what is new in the index.
func (s *stream) news() error {
	for {
		extent := s.receiver.index.Extent()
		if behind := extent.Last - s.after; s.reader.lagged.Swap(false) || behind > streamLag && extent.Kept > 0 {
			s.after = extent.Last
			if err := s.write("lagged", "", map[string]int64{"last": extent.Last}); err != nil {
				return err
			}
		}
		page := s.receiver.index.After(s.after, streamPage)
		fresh := make([]summary, 0, len(page))
		for _, k := range page {
			s.after = k.number
			if s.wants(k) {
				fresh = append(fresh, summaryOf(k))
			}
		}
		clear(page) // or a slow reader would keep bodies alive
		for _, told := range fresh {
			if err := s.write("delivery", strconv.FormatInt(told.Number, 10), told); err != nil {
				return err
			}
		}
		if extent.Removed != s.removed {
			s.removed = extent.Removed
			if err := s.write("evicted", "", map[string]int64{"evicted": extent.Removed, "oldest": extent.Oldest}); err != nil {
				return err
			}
		}
		if len(page) < streamPage {
			return s.control.Flush()
		}
	}
}

// event tells of anything else. Deliveries that the reader was not told of yet
// come by the index.
func (s *stream) event(e streamed) error {
	if e.delivery == nil {
		return s.write(e.event, "", e.data)
	}
	if e.delivery.Number > s.after || s.endpoint != "" && e.delivery.Endpoint != s.endpoint {
		return nil
	}
	return s.write(e.event, "", e.delivery)
}

func (s *stream) wants(k *kept) bool { return s.endpoint == "" || k.endpoint.id == s.endpoint }

func (s *stream) write(event, id string, data any) error {
	if data == nil {
		data = struct{}{}
	}
	encoded, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(streamTimeout))
	_, err = fmt.Fprintf(s.out, "event: %s\n%sdata: %s\n\n", event, id, encoded)
	return err
}

func (s *stream) comment(text string) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(streamTimeout))
	if _, err := fmt.Fprintf(s.out, ": %s\n\n", text); err != nil {
		return err
	}
	return s.control.Flush()
}
