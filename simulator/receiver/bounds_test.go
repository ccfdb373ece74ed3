package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hookproof/hookproof/simulator/receiver"
)

func TestOldestDeliveriesLeaveFirstOverAllEndpoints(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]receiver.Options{
		"by count": {MaxDeliveries: 3},
		"by bytes": {MaxBytes: 3*40_000 + 10_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, options)
			one, other := d.endpoint(""), d.endpoint("")
			body := string(payload(40_000))
			for range 3 {
				d.post(one, body)
			}
			d.post(other, body)
			d.post(other, body)
			for i, want := range []string{"[3] 3 2", "[1,2] 2 0"} {
				path := "/inspect/endpoints/" + []string{one.Get("id").String(), other.Get("id").String()}[i] + "/deliveries"
				answer := d.want(http.StatusOK, "GET", path, "")
				if got := fmt.Sprintf("%s %s %s", answer.Get("deliveries.#.seq").Raw, answer.Get("last").Raw, answer.Get("evicted").Raw); got != want {
					t.Errorf("endpoint %d: %s, want %s", i+1, got, want)
				}
			}
		})
	}
}

// The room for bodies in flight is given back, whatever became of them: these
// come to more than fits at a time, which is four of the longest.
func TestRoomForBodiesIsGivenBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{MaxBytes: 1 << 20})
	endpoint := d.endpoint(`{"behaviour":{"steps":[{},{"reset":true},{"status":500}]}}`)
	body := string(payload(receiver.MaxBodyBytes))
	for range 5 {
		response, err := newClient(t, nil).Do(d.request("POST", endpoint.Get("urls.plain").String(), body))
		if err != nil {
			continue // the reset
		}
		response.Body.Close()
		if response.StatusCode == http.StatusServiceUnavailable {
			t.Fatal("there is no room left")
		}
	}
	d.post(endpoint, "[]")
	answer := d.want(http.StatusOK, "GET", "/inspect/endpoints/"+endpoint.Get("id").String()+"/deliveries", "")
	if answer.Get("deliveries.#.seq").Raw != "[6]" || answer.Get("evicted").Int() != 5 {
		t.Errorf("kept %s, evicted %s", answer.Get("deliveries.#.seq"), answer.Get("evicted"))
	}
}

func TestConcurrentDeliveriesAreAllRecordedInOrder(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	const clients, each = 8, 25
	steps := strings.TrimSuffix(strings.Repeat(`{"status":500},`, clients*each/2), ",")
	endpoint := d.endpoint(`{"behaviour":{"steps":[` + steps + `]}}`)
	var mu sync.Mutex
	statuses := map[int]int{}
	var running sync.WaitGroup
	for range clients {
		client := newClient(t, nil)
		requests := make([]*http.Request, each)
		for i := range requests {
			requests[i] = d.request("POST", endpoint.Get("urls.trusted").String(), "[]")
		}
		running.Go(func() {
			for _, request := range requests {
				response, err := client.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				response.Body.Close()
				mu.Lock()
				statuses[response.StatusCode]++
				mu.Unlock()
			}
		})
	}
	running.Wait()
	if statuses[500] != clients*each/2 || statuses[200] != clients*each/2 {
		t.Errorf("answered %v", statuses)
	}
	for i, delivery := range d.deliveries(endpoint, clients*each) {
		want := int64(500)
		if i >= clients*each/2 {
			want = 200
		}
		if delivery.Get("seq").Int() != int64(i+1) || delivery.Get("answer.status").Int() != want {
			t.Fatalf("delivery %d is %s, want status %d", i+1, delivery, want)
		}
	}
}

// Bodies that are read at the same time are kept apart, whatever their length
// and framing: none shares memory with another.
func TestBodiesAreKeptApart(t *testing.T) {
	t.Parallel()
	d := newDesk(t, receiver.Options{})
	endpoint := d.endpoint("")
	sizes := []int{1, 1000, 64<<10 - 1, 64 << 10, 64<<10 + 1, 200_000, 1_100_000}
	var running sync.WaitGroup
	for c := range 4 {
		client := newClient(t, nil)
		for i, size := range sizes {
			body := strings.Repeat(string(rune('a'+c*len(sizes)+i)), size)
			for _, length := range []int64{int64(len(body)), -1} {
				request := d.request("POST", endpoint.Get("urls.plain").String(), "", func(r *http.Request) {
					r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), length
				})
				running.Go(func() {
					response, err := client.Do(request)
					if err != nil {
						t.Error(err)
						return
					}
					response.Body.Close()
				})
			}
		}
	}
	running.Wait()
	seen := map[string]int{}
	for _, delivery := range d.deliveries(endpoint, 4*2*len(sizes)) {
		body := string(decoded(t, delivery.Get("body").String()))
		first := []rune(body)[0]
		if strings.Trim(body, string(first)) != "" {
			t.Errorf("a body of %d bytes is mixed with another", len(body))
		}
		seen[body]++
	}
	for c := range 4 {
		for i, size := range sizes {
			if n := seen[strings.Repeat(string(rune('a'+c*len(sizes)+i)), size)]; n != 2 {
				t.Errorf("body %d of client %d was kept %d times", i, c, n)
			}
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	if err := (receiver.Options{}).Check(); err != nil {
		t.Errorf("the zero options: %v", err)
	}
	if err := (receiver.Options{InspectListen: ":0"}).Check(); err == nil {
		t.Error("inspection everywhere without a token passes the check")
	}
	for name, options := range map[string]receiver.Options{
		"inspection off loopback without a token": {InspectListen: "0.0.0.0:0"},
		"inspection everywhere without a token":   {InspectListen: ":0"},
		"inspection without a port":               {InspectListen: "127.0.0.1"},
		"a host that is not here":                 {ListenHost: "192.0.2.1"},
		"a negative bound":                        {MaxBytes: -1},
	} {
		r, err := receiver.Start(t.Context(), options)
		if err == nil {
			_ = r.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

// Closing ends everything, even what hangs; the leak check of the package
// sees what it does not.
func TestReceiverEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := receiver.Start(ctx, receiver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{T: t, receiver: r}
	endpoint := d.endpoint(`{"behaviour":{"then":{"hang":true}},"listener":{"mode":"trusted","dedicated":true}}`)
	var hanging sync.WaitGroup
	for _, hook := range []string{endpoint.Get("urls.plain").String(), endpoint.Get("urls.trusted").String(), endpoint.Get("dedicated.url").String()} {
		request, client := d.request("POST", hook, "[]"), newClient(t, nil)
		hanging.Go(func() {
			if response, err := client.Do(request); err == nil {
				response.Body.Close()
				t.Errorf("answered %s", response.Status)
			} else if errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("not released: %v", err)
			}
		})
	}
	d.deliveries(endpoint, 3)
	cancel()
	hanging.Wait()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	for _, url := range []string{r.InspectURL(), r.URL(receiver.Trusted), endpoint.Get("dedicated.url").String()} {
		if _, err := newClient(t, nil).Do(d.request("GET", url, "")); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: got %v, want a refused connection", url, err)
		}
	}
}
