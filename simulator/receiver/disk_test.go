package receiver_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/receiver"
)

// dataOfChild has the test binary be a receiver with its data in that folder.
const dataOfChild = "HOOKPROOF_TEST_RECEIVER_DATA"

// beKilled serves a receiver until somebody ends the process. It prints where
// the hook is.
func beKilled(dir string) {
	r, err := receiver.Start(context.Background(), receiver.Options{Data: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	info, err := r.CreateEndpoint(receiver.EndpointRequest{Name: "killed"})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(info.URLs[receiver.Plain])
	select {}
}

// What was answered 200 is in the record, whatever happens to the process in
// the midst of it.
func TestAcknowledgedDeliverySurvivesKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), dataOfChild+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	hook, err := bufio.NewReader(out).ReadString('\n')
	hook = strings.TrimSpace(hook)
	if err != nil || !strings.HasPrefix(hook, "http://") {
		t.Fatalf("the child said %q, %v", hook, err)
	}

	const clients, enough = 8, 100
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	killed := make(chan struct{})
	var once sync.Once
	var posting sync.WaitGroup
	for c := range clients {
		client := newClient(t, nil)
		posting.Go(func() {
			for n := 0; ; n++ {
				body := fmt.Sprintf(`[{"id":"%d-%d","padding":"%s"}]`, c, n, strings.Repeat("x", 5000))
				response, err := client.Post(hook, "application/json", strings.NewReader(body))
				if err != nil {
					select {
					case <-killed:
					case <-time.After(patience):
						t.Errorf("the receiver failed by itself: %v", err)
					}
					return
				}
				response.Body.Close()
				if response.StatusCode != http.StatusOK {
					t.Errorf("status %d", response.StatusCode)
				}
				mu.Lock()
				acknowledged[body] = true
				count := len(acknowledged)
				mu.Unlock()
				if count >= enough {
					once.Do(func() {
						if err := child.Process.Kill(); err != nil {
							t.Error(err)
						}
						close(killed)
					})
				}
			}
		})
	}
	posting.Wait()
	_ = child.Wait() // it was killed

	d := newDesk(t, receiver.Options{Data: dir})
	endpoint := d.want(http.StatusOK, "GET", "/inspect/endpoints", "").Get("endpoints.0")
	if endpoint.Get("name").String() != "killed" || !strings.HasSuffix(hook, endpoint.Get("token").String()) {
		t.Fatalf("the endpoint is now %s", endpoint)
	}
	kept := map[string]bool{}
	for i, delivery := range d.deliveries(endpoint, len(acknowledged)) {
		body, err := base64.StdEncoding.DecodeString(delivery.Get("body").String())
		if err != nil || delivery.Get("seq").Int() != int64(i+1) {
			t.Fatalf("delivery %d: %s, %v", i+1, delivery.Get("seq"), err)
		}
		kept[string(body)] = true
	}
	for body := range acknowledged {
		if !kept[body] {
			t.Errorf("answered 200, but not kept: %.30s", body)
		}
	}
	t.Logf("%d were acknowledged, %d are kept", len(acknowledged), len(kept))
}

// Everything is as it was after an orderly restart: endpoints with their
// tokens and behaviours, deliveries with their numbers, dedicated ports.
func TestRestartTakesUpWhatWasThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := newDesk(t, receiver.Options{Data: dir})
	endpoint := first.endpoint(`{"name":"kept","behaviour":{"then":{"status":418}},"emulation":{"kind":"splunk","token":"t"},"listener":{"mode":"trusted","dedicated":true,"serverNames":["a.example"],"subject":"mine"}}`)
	closed := first.endpoint(`{"listener":{"mode":"plain","dedicated":true,"open":false}}`)
	gone := first.endpoint("")
	sent := payload(3000)
	for range 3 {
		first.post(endpoint, string(sent))
	}
	first.post(gone, "[]")
	first.want(http.StatusNoContent, "DELETE", "/inspect/endpoints/"+gone.Get("id").String(), "")
	first.post(closed, "[]")
	first.want(http.StatusNoContent, "DELETE", "/inspect/deliveries?endpoint="+closed.Get("id").String(), "")
	first.want(http.StatusNoContent, "PUT", "/inspect/endpoints/"+endpoint.Get("id").String()+"/behaviour", `"unavailable"`)
	before := first.want(http.StatusOK, "GET", "/inspect/deliveries", "")
	if err := first.receiver.Close(); err != nil {
		t.Fatal(err)
	}

	d := newDesk(t, receiver.Options{Data: dir})
	after := d.want(http.StatusOK, "GET", "/inspect/deliveries", "")
	if a, b := strip(t, before), strip(t, after); a != b {
		t.Errorf("the list was\n%s\nand is\n%s", a, b)
	}
	again := d.want(http.StatusOK, "GET", "/inspect/endpoints/"+endpoint.Get("id").String(), "")
	for _, path := range []string{"token", "name", "createdAt", "emulation", "dedicated.url", "dedicated.mode", "last"} {
		want := endpoint.Get(path).String()
		if path == "last" {
			want = "3"
		}
		if again.Get(path).String() != want {
			t.Errorf("%s was %q and is %q", path, want, again.Get(path))
		}
	}
	block, _ := pem.Decode([]byte(again.Get("dedicated.certificate").String()))
	if block == nil || !bytes.Contains(block.Bytes, []byte("mine")) {
		t.Errorf("what is to be trusted is not called as before: %s", again)
	}
	if status := again.Get("behaviour.then.status").Int(); status != http.StatusServiceUnavailable || !again.Get("dedicated.open").Bool() {
		t.Errorf("it is now %s", again)
	}
	if still := d.want(http.StatusOK, "GET", "/inspect/endpoints/"+closed.Get("id").String(), ""); still.Get("dedicated.open").Bool() || still.Get("last").Int() != 1 {
		t.Errorf("the closed one is %s", still)
	}
	d.want(http.StatusNotFound, "GET", "/inspect/endpoints/"+gone.Get("id").String(), "")
	if status := d.post(again, string(sent)); status != http.StatusServiceUnavailable {
		t.Errorf("answered %d", status)
	}
	last := d.deliveries(again, 4)[3]
	if last.Get("seq").Int() != 4 {
		t.Errorf("the next is %s", last.Get("seq"))
	}
	newest := d.want(http.StatusOK, "GET", "/inspect/deliveries?limit=1", "").Get("deliveries.0")
	if newest.Get("number").Int() != 6 || newest.Get("batch").String() != before.Get("deliveries.0.batch").String() && newest.Get("examined").Bool() {
		t.Errorf("the newest is %s", newest)
	}
}

// strip takes out what the examination, which goes on by itself, may not have
// found yet.
func strip(t *testing.T, list gjson.Result) string {
	t.Helper()
	var b strings.Builder
	for _, d := range list.Get("deliveries").Array() {
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(d.Raw), &members); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"examined", "events", "types", "holdMs", "againMs", "batch", "attempt", "annotations"} {
			delete(members, name)
		}
		encoded, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(encoded, '\n'))
	}
	return b.String()
}

// What leaves the record leaves the disk, and a smaller bound holds at once.
func TestDiskKeepsWithinTheBounds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := newDesk(t, receiver.Options{Data: dir, MaxDeliveries: 5})
	endpoint := d.endpoint("")
	for range 8 {
		d.post(endpoint, "[]")
	}
	for i, c := range []struct {
		bound int
		want  string
	}{{5, "[4,5,6,7,8]"}, {2, "[7,8]"}, {5, "[7,8]"}} {
		if err := d.receiver.Close(); err != nil {
			t.Fatal(err)
		}
		d = newDesk(t, receiver.Options{Data: dir, MaxDeliveries: c.bound})
		path := "/inspect/endpoints/" + endpoint.Get("id").String() + "/deliveries"
		if got := d.want(http.StatusOK, "GET", path, "").Get("deliveries.#.seq").Raw; got != c.want {
			t.Errorf("start %d with %d: %s, want %s", i+1, c.bound, got, c.want)
		}
	}
	if _, err := receiver.Start(t.Context(), receiver.Options{Data: dir}); err == nil {
		t.Error("two receivers have the same data")
	}
}

// A body of the greatest length goes to disk and back byte for byte.
func TestLongBodyIsKeptOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := newDesk(t, receiver.Options{Data: dir})
	endpoint := d.endpoint("")
	sent := payload(receiver.MaxBodyBytes)
	if status := d.post(endpoint, string(sent)); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if err := d.receiver.Close(); err != nil {
		t.Fatal(err)
	}
	d = newDesk(t, receiver.Options{Data: dir})
	_, got := d.do(newClient(t, nil), d.request("GET", d.receiver.InspectURL()+"/inspect/deliveries/1/body", ""))
	if !bytes.Equal(got, sent) {
		t.Errorf("%d bytes came back, not the same", len(got))
	}
}
