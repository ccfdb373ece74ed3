package auditlog

import "sort"

// recentBytes bounds the events kept in memory for the subscriptions that read
// what has just been appended, which is nearly all reading.
const recentBytes = 32 << 20

// recent keeps the end of each environment's log: every chunk behind a floor.
type recent struct {
	base         uint64 // where the log ended before anything was kept, of environments not started
	limit, size  int
	environments map[string]*tail
	order        []kept // of arrival; the first goes first
}

type tail struct {
	floor  uint64 // all chunks of the environment beyond it are here
	last   uint64
	chunks []Chunk
}

type kept struct {
	environment string
	size        int
}

func newRecent(limit int) recent {
	return recent{limit: limit, environments: map[string]*tail{}}
}

// start notes where an environment's log ended before anything was kept.
func (r *recent) start(environment string, last uint64) {
	r.environments[environment] = &tail{floor: last, last: last}
}

func (r *recent) last(environment string) (sequence uint64, known bool) {
	t := r.environments[environment]
	if t == nil {
		return 0, false
	}
	return t.last, true
}

func (r *recent) add(environment string, chunk Chunk, size int) {
	t := r.environments[environment]
	if t == nil {
		r.start(environment, r.base)
		t = r.environments[environment]
	}
	t.chunks = append(t.chunks, chunk)
	t.last = chunk.Sequence
	r.order = append(r.order, kept{environment, size})
	for r.size += size; r.size > r.limit; {
		r.drop()
	}
}

func (r *recent) drop() {
	oldest := r.order[0]
	r.order = r.order[1:]
	r.size -= oldest.size
	t := r.environments[oldest.environment]
	t.floor = t.chunks[0].Sequence
	t.chunks[0] = Chunk{} // let it go before the slice is moved
	t.chunks = t.chunks[1:]
}

// next finds the first chunk at or beyond the sequence number, unless chunks
// that are no longer kept may come before it.
func (r *recent) next(environment string, sequence uint64) (Chunk, bool) {
	t := r.environments[environment]
	if t == nil || sequence <= t.floor {
		return Chunk{}, false
	}
	i := sort.Search(len(t.chunks), func(i int) bool { return t.chunks[i].Sequence >= sequence })
	if i == len(t.chunks) {
		return Chunk{}, false
	}
	return t.chunks[i], true
}
