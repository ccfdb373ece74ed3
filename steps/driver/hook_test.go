package driver

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// A receiver that refuses by the head, and closes with the body unread, has
// answered.
func TestAnAnswerCountsThatComesBeforeAllIsSent(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	served := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_, _ = conn.Read(make([]byte, 512))
			_, err = conn.Write([]byte("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"))
			conn.Close() // resets the connection, as something is unread
		}
		served <- err
	}()
	conn, err := net.Dial("tcp4", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	answer, err := overHTTP1(conn, &url.URL{Host: "receiver.example", Path: "/hook"}, http.Header{},
		Call{Method: http.MethodPost, Body: make([]byte, 16<<20), Way: &Way{}})
	if err != nil || answer.Status != http.StatusUnauthorized {
		t.Errorf("got %+v, %v", answer, err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestReadingBackIsDoneWhenAllThatIsAskedForIsThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		events []string
		done   bool
	}{
		"all":                     {[]string{`{"id":"b"}`, `{"id":"a"}`}, true},
		"in envelopes":            {[]string{`{"event":{"id":"b"}}`, `{"event":{"id":"a"}}`}, true},
		"one, stored twice":       {[]string{`{"id":"a"}`, `{"id":"a"}`}, false},
		"one, and what was there": {[]string{`{"id":"a"}`, `{"id":"c"}`}, false},
	} {
		var events []json.RawMessage
		for _, e := range c.events {
			events = append(events, json.RawMessage(e))
		}
		if got := among(events, []string{"a", "b"}); got != c.done {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
