package receiver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hookproof/hookproof/simulator/receiver/behaviour"
	"github.com/hookproof/hookproof/simulator/receiver/record"
)

func newTestEndpoint(n int, scriptBytes int64) *endpoint {
	return &endpoint{
		id: fmt.Sprint("id", n), token: fmt.Sprint("token", n), scriptBytes: scriptBytes, gone: make(chan struct{}),
		script: behaviour.NewScript(behaviour.Behaviour{}), deliveries: record.NewLog[*kept](record.NewBudget(1, 1)),
	}
}

func TestBehavioursTogetherAreBounded(t *testing.T) {
	t.Parallel()
	s := newEndpoints()
	if err := s.add(newTestEndpoint(1, MaxScriptBytes-10)); err != nil {
		t.Fatal(err)
	}
	if err := s.add(newTestEndpoint(2, 11)); !errors.Is(err, errTooMany) {
		t.Errorf("11 bytes into 10: %v", err)
	}
	if err := s.add(newTestEndpoint(3, 10)); err != nil {
		t.Errorf("10 bytes into 10: %v", err)
	}
	if err := s.follow("id3", behaviour.Behaviour{}, 11); !errors.Is(err, errTooMany) {
		t.Errorf("a longer script in a full house: %v", err)
	}
	if err := s.follow("id1", behaviour.Behaviour{}, 0); err != nil {
		t.Errorf("a shorter script: %v", err)
	}
	if err := s.follow("id3", behaviour.Behaviour{}, MaxScriptBytes); err != nil {
		t.Errorf("a script that takes all: %v", err)
	}
	if _, err := s.remove("id3"); err != nil || s.scriptBytes != 0 {
		t.Errorf("after removing it %d bytes are booked, %v", s.scriptBytes, err)
	}
}

func TestEndpointsAreBounded(t *testing.T) {
	t.Parallel()
	s := newEndpoints()
	for n := range MaxEndpoints {
		if err := s.add(newTestEndpoint(n, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.add(newTestEndpoint(MaxEndpoints, 0)); !errors.Is(err, errTooMany) {
		t.Errorf("one more: %v", err)
	}
	if _, err := s.remove("id7"); err != nil {
		t.Error(err)
	}
	if err := s.add(newTestEndpoint(7, 0)); err != nil {
		t.Errorf("after one left: %v", err)
	}
}

// Bodies that are being read are bounded like those that were: what finds no
// room is refused, and the room of the others is given back.
func TestBodiesInFlightAreBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size, limit, status int
	}{{100_000, 1 << 20, 0}, {100_000, 1 << 10, http.StatusServiceUnavailable}, {1 << 20, 1 << 18, http.StatusServiceUnavailable}, {0, 0, 0}} {
		for _, declared := range []bool{true, false} {
			r := &Receiver{bodies: inFlight{limit: int64(c.limit)}}
			sent := bytes.Repeat([]byte{7}, c.size)
			request := httptest.NewRequest("POST", "/", bytes.NewReader(sent))
			if !declared && c.size > 0 {
				request.ContentLength = -1
				request.Body = io.NopCloser(bytes.NewReader(sent))
			}
			b := r.readBody(httptest.NewRecorder(), request)
			if b.overflow != c.status || b.complete != (c.status == 0) || b.complete && !bytes.Equal(b.bytes, sent) {
				t.Errorf("%+v: overflow %d, complete %v, %d bytes", c, b.overflow, b.complete, len(b.bytes))
			}
			if got := r.bodies.used.Load(); got > int64(c.limit) || got != b.reserved {
				t.Errorf("%+v: %d bytes are booked, %d by the body", c, got, b.reserved)
			}
			if len(b.bytes) > 0 && b.complete && cap(b.bytes) > len(b.bytes)*5/4+512 {
				t.Errorf("%+v: %d bytes are kept in %d", c, len(b.bytes), cap(b.bytes))
			}
		}
	}
}

// Whatever is posted, what comes out is an endpoint within the bounds or an
// error that says what is wrong with the request.
func FuzzEndpointRequest(f *testing.F) {
	f.Add(``)
	f.Add(`{"name":"n","behaviour":{"steps":[{"status":500}],"then":{"hang":true}},"listener":{"mode":"mtls","dedicated":true,"open":false}}`)
	f.Add(`{"listener":{"mode":"plain","dedicated":null}}`)
	f.Add(`{"behaviour":[]}`)
	f.Fuzz(func(t *testing.T, input string) {
		request, err := parseEndpointRequest([]byte(input))
		var refused refusal
		switch {
		case err != nil && (!errors.As(err, &refused) || refused.status != http.StatusBadRequest || refused.reason == ""):
			t.Fatalf("refused with %#v", err)
		case err == nil && len(request.Name) > maxNameBytes:
			t.Fatalf("name of %d bytes", len(request.Name))
		case err == nil && request.Dedicated != "" && !request.Dedicated.valid():
			t.Fatalf("mode %q", request.Dedicated)
		}
	})
}
