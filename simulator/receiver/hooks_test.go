package receiver_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/receiver"
)

func TestDeliveryIsRecordedByteForByte(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	sent := payload(100_000)
	for _, mode := range []string{"plain", "trusted"} {
		for name, length := range map[string]int64{"of known length": int64(len(sent)), "chunked": -1} {
			endpoint := d.endpoint("")
			target, err := url.Parse(endpoint.Get("urls." + mode).String())
			if err != nil {
				t.Fatal(err)
			}
			target = target.JoinPath("sub", "path%2Fx")
			target.RawQuery = "x=y&z=%20"
			before := time.Now()
			d.do(newClient(t, nil), d.request("PUT", target.String(), "", func(r *http.Request) {
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(sent)), length
				r.Header.Set("Content-Type", "application/json")
				r.Header["X-Twice"] = []string{"one", "two"}
			}))
			delivery := d.deliveries(endpoint, 1)[0]
			body, err := base64.StdEncoding.DecodeString(delivery.Get("body").String())
			if err != nil || !bytes.Equal(body, sent) {
				t.Errorf("%s %s: recorded %d bytes (%v), sent %d", mode, name, len(body), err, len(sent))
			}
			for path, want := range map[string]string{
				"seq": "1", "method": "PUT", "target": target.RequestURI(), "host": target.Host, "complete": "true", "truncated": "false",
				"headers.Content-Type.0": "application/json", "headers.X-Twice": `["one","two"]`,
				"answer.action": "respond", "answer.status": "200",
			} {
				if got := delivery.Get(path).String(); got != want {
					t.Errorf("%s %s: %s is %q, want %q", mode, name, path, got, want)
				}
			}
			if mode == "plain" && length < 0 && delivery.Get("headers.Transfer-Encoding.0").String() != "chunked" {
				t.Errorf("the framing was not recorded: %s", delivery.Get("headers"))
			}
			first, last, at := recordedAt(t, delivery.Get("firstByteAt")), recordedAt(t, delivery.Get("lastByteAt")), recordedAt(t, delivery.Get("answer.at"))
			if first.Before(before) || last.Before(first) || at.Before(last) || time.Now().Before(at) {
				t.Errorf("%s %s: times %v, %v, %v are not in order after %v", mode, name, first, last, at, before)
			}
			if _, _, err := net.SplitHostPort(delivery.Get("remoteAddr").String()); err != nil {
				t.Errorf("remote address: %v", err)
			}
		}
	}
}

func TestStepsAreTakenInOrderOfArrival(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint(`{"name":"scripted","behaviour":{"steps":[{"status":500},{"status":429,"headers":{"Retry-After":"3"},"body":"{}","contentType":"application/json"},{"status":302,"headers":{"Location":"/elsewhere"},"body":"moved"}],"then":{"status":202}}}`)
	client := newClient(t, nil)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for i, want := range []struct {
		status          int
		header, value   string
		body, mediaType string
	}{
		{500, "Content-Length", "0", "", ""},
		{429, "Retry-After", "3", "{}", "application/json"},
		{302, "Location", "/elsewhere", "moved", "text/plain; charset=utf-8"},
		{202, "Content-Length", "0", "", ""},
		{202, "Content-Length", "0", "", ""},
	} {
		response, body := d.do(client, d.request("POST", endpoint.Get("urls.trusted").String(), "[]"))
		if response.StatusCode != want.status || response.Header.Get(want.header) != want.value ||
			string(body) != want.body || response.Header.Get("Content-Type") != want.mediaType {
			t.Errorf("request %d: %d %v %q, want %+v", i+1, response.StatusCode, response.Header, body, want)
		}
		if got := d.deliveries(endpoint, i+1)[i]; got.Get("answer.status").Int() != int64(want.status) || got.Get("seq").Int() != int64(i+1) {
			t.Errorf("request %d was recorded as %s", i+1, got.Get("answer"))
		}
	}
}

func TestDelayedAnswerGoesOutWhenItIsDue(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint(`{"behaviour":{"steps":[{"delay":"150ms","status":201}]}}`)
	started := time.Now()
	if status := d.post(endpoint, "[]"); status != http.StatusCreated {
		t.Errorf("status %d", status)
	}
	answered := time.Now()
	delivery := d.deliveries(endpoint, 1)[0]
	due := recordedAt(t, delivery.Get("answer.at"))
	if answered.Sub(started) < 150*time.Millisecond || answered.Before(due) || due.Sub(recordedAt(t, delivery.Get("lastByteAt"))) < 150*time.Millisecond {
		t.Errorf("started %v, due %v, answered %v", started, due, answered)
	}
}

// While the answer is held back, the delivery can be read: it was recorded
// before, not after.
func TestRecordingPrecedesTheAnswer(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	for _, action := range []string{`{"delay":"1h"}`, `{"hang":true}`} {
		endpoint := d.endpoint(`{"behaviour":{"then":` + action + `}}`)
		ctx, cancel := context.WithCancel(t.Context())
		answered := make(chan error, 1)
		request := d.request("POST", endpoint.Get("urls.trusted").String(), "[]").WithContext(ctx)
		client := newClient(t, nil)
		go func() {
			response, err := client.Do(request)
			if err == nil {
				response.Body.Close()
			}
			answered <- err
		}()
		d.deliveries(endpoint, 1)
		select {
		case err := <-answered:
			t.Errorf("%s was answered: %v", action, err)
		default:
			cancel()
			<-answered
		}
		cancel()
	}
}

// The same for an answer that is not held back: whoever has the 200 finds the
// delivery there, without waiting.
func TestWhoHasTheAnswerFindsTheDelivery(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint("")
	path := "/inspect/endpoints/" + endpoint.Get("id").String() + "/deliveries"
	for i := range 50 {
		d.post(endpoint, "[]")
		if got := len(d.want(http.StatusOK, "GET", path, "").Get("deliveries").Array()); got != i+1 {
			t.Fatalf("%d deliveries after %d answers", got, i+1)
		}
	}
}

func TestResetEndsTheConnectionWithAnRST(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	for _, mode := range []string{"plain", "trusted"} {
		endpoint := d.endpoint(`{"behaviour":{"steps":[{"reset":true}]}}`)
		hook := endpoint.Get("urls." + mode).String()
		// HTTP/1.1, since a client of HTTP/2 does not tell an RST from an EOF.
		client := newClient(t, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		_, err := client.Do(d.request("POST", hook, "[]"))
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: got %v, want a reset connection", mode, err)
		}
		delivery := d.deliveries(endpoint, 1)[0]
		if delivery.Get("answer.action").String() != "reset" || delivery.Get("answer.status").Exists() || !delivery.Get("complete").Bool() {
			t.Errorf("%s: recorded %s", mode, delivery)
		}
		if response, _ := d.do(newClient(t, nil), d.request("POST", hook, "[]")); response.StatusCode != http.StatusOK {
			t.Errorf("%s: then %d", mode, response.StatusCode)
		}
	}
}

func TestHangingRequestIsReleased(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	for name, release := range map[string]func(d *desk, endpoint string){
		"by another behaviour": func(d *desk, endpoint string) {
			d.want(http.StatusNoContent, "PUT", endpoint+"/behaviour", `{}`)
		},
		"by deleting the endpoint": func(d *desk, endpoint string) { d.want(http.StatusNoContent, "DELETE", endpoint, "") },
	} {
		for _, mode := range []string{"plain", "trusted"} {
			t.Run(name+" "+mode, func(t *testing.T) {
				t.Parallel()
				d := &desk{T: t, receiver: d.receiver}
				endpoint := d.endpoint(`{"behaviour":{"then":{"hang":true}}}`)
				failed := make(chan error, 1)
				request := d.request("POST", endpoint.Get("urls."+mode).String(), "[]")
				client := newClient(t, nil)
				go func() {
					response, err := client.Do(request)
					if err == nil {
						response.Body.Close()
						err = fmt.Errorf("answered %s", response.Status)
					}
					failed <- err
				}()
				if got := d.deliveries(endpoint, 1)[0].Get("answer.action").String(); got != "hang" {
					t.Errorf("recorded as %q", got)
				}
				release(d, "/inspect/endpoints/"+endpoint.Get("id").String())
				if err := <-failed; errors.Is(err, context.DeadlineExceeded) || strings.HasPrefix(err.Error(), "answered") {
					t.Errorf("got %v, want a closed connection", err)
				}
			})
		}
	}
}

func TestNewBehaviourGovernsTheNextRequest(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint(`{"behaviour":{"then":{"status":500}}}`)
	path := "/inspect/endpoints/" + endpoint.Get("id").String()
	statuses := []int{d.post(endpoint, "[]")}
	d.want(http.StatusNoContent, "PUT", path+"/behaviour", `{"steps":[{"status":503}]}`)
	statuses = append(statuses, d.post(endpoint, "[]"), d.post(endpoint, "[]"))
	if got, want := fmt.Sprint(statuses), "[500 503 200]"; got != want {
		t.Errorf("statuses %s, want %s", got, want)
	}
	if got := d.want(http.StatusOK, "GET", path, "").Get("behaviour.steps.0.status").Int(); got != 503 {
		t.Errorf("the behaviour reads back with status %d", got)
	}
}

func TestUnknownHooksAreNotFound(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint("")
	base := d.receiver.URL(receiver.Plain)
	for _, path := range []string{"/", "/hooks", "/hooks/", "/hooks/" + strings.Repeat("0", 32), "/inspect", "/hooks//" + endpoint.Get("token").String()} {
		response, body := d.do(newClient(t, nil), d.request("POST", base+path, "[]"))
		if response.StatusCode != http.StatusNotFound || gjson.GetBytes(body, "error").String() == "" {
			t.Errorf("%s: %d %s", path, response.StatusCode, body)
		}
	}
	d.want(http.StatusNoContent, "DELETE", "/inspect/endpoints/"+endpoint.Get("id").String(), "")
	if status := d.post(endpoint, "[]"); status != http.StatusNotFound {
		t.Errorf("hook of a deleted endpoint: %d", status)
	}
}

func TestBodyThatBreaksOffIsRecordedAsIncomplete(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint("")
	hook, err := url.Parse(endpoint.Get("urls.plain").String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", hook.Host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf", hook.Path)
	conn.Close()
	delivery := d.deliveries(endpoint, 1)[0]
	if delivery.Get("complete").Bool() || delivery.Get("truncated").Bool() || delivery.Get("body").String() != base64.StdEncoding.EncodeToString([]byte("half")) ||
		delivery.Get("answer.action").String() != "reset" {
		t.Errorf("recorded %s", delivery)
	}
}

func TestLongBodyIsRefusedAndRecordedInPart(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	long := payload(receiver.MaxBodyBytes + 1)
	for _, mode := range []string{"plain", "trusted"} {
		endpoint := d.endpoint("")
		response, _ := d.do(newClient(t, nil), d.request("POST", endpoint.Get("urls."+mode).String(), string(long)))
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: status %d", mode, response.StatusCode)
		}
		delivery := d.deliveries(endpoint, 1)[0]
		body, err := base64.StdEncoding.DecodeString(delivery.Get("body").String())
		if err != nil || !bytes.Equal(body, long[:receiver.MaxBodyBytes]) {
			t.Errorf("%s: %d bytes are recorded, %v", mode, len(body), err)
		}
		if !delivery.Get("truncated").Bool() || delivery.Get("complete").Bool() || delivery.Get("answer.status").Int() != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: truncated %s, complete %s, answer %s", mode, delivery.Get("truncated"), delivery.Get("complete"), delivery.Get("answer"))
		}
	}
	endpoint := d.endpoint("")
	response, _ := d.do(newClient(t, nil), d.request("POST", endpoint.Get("urls.plain").String(), string(long[1:])))
	if response.StatusCode != http.StatusOK {
		t.Errorf("the longest body: status %d", response.StatusCode)
	}
}

// Requests on one connection are served one after the other, and a request
// that asks for permission to send gets it.
func TestKeepAliveAndExpectContinue(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint("")
	hook, err := url.Parse(endpoint.Get("urls.plain").String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", hook.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	reader := bufio.NewReader(conn)
	for range 2 {
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", hook.Path)
		for _, want := range []int{100, 200} {
			response, err := http.ReadResponse(reader, nil)
			if err != nil || response.StatusCode != want {
				t.Fatalf("got %v, %v, want %d", response, err, want)
			}
			if want == 100 {
				fmt.Fprint(conn, "[]")
			}
		}
	}
	deliveries := d.deliveries(endpoint, 2)
	if deliveries[0].Get("remoteAddr").String() != deliveries[1].Get("remoteAddr").String() {
		t.Error("the connection was not kept")
	}
}
