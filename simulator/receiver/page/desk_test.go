package page_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/hookproof/hookproof/simulator/receiver"
)

// desk is a running receiver that the page is looked at with.
type desk struct {
	*testing.T
	url    string
	client *http.Client
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return newDeskWith(t, receiver.Options{})
}

func newDeskWith(t *testing.T, options receiver.Options) *desk {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true}, // the test is about the page
		MaxIdleConnsPerHost: 8,
	}
	t.Cleanup(transport.CloseIdleConnections)
	d := &desk{T: t, client: &http.Client{Transport: transport}}
	r, err := receiver.Start(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	d.url = r.InspectURL()
	return d
}

// endpoint makes an endpoint from the JSON of a request for one.
func (d *desk) endpoint(body string) gjson.Result {
	d.Helper()
	status, answer := d.send(http.MethodPost, d.url+"/inspect/endpoints", nil, []byte(body))
	if status != http.StatusCreated {
		d.Fatalf("make endpoint %s: status %d: %s", body, status, answer)
	}
	return gjson.ParseBytes(answer)
}

// inspect reads from the inspection API.
func (d *desk) inspect(path string) gjson.Result {
	d.Helper()
	status, answer := d.send(http.MethodGet, d.url+path, nil, nil)
	if status != http.StatusOK {
		d.Fatalf("%s: status %d: %s", path, status, answer)
	}
	return gjson.ParseBytes(answer)
}

// deliver posts a body to the endpoint's hook and returns the status, or 0 if
// there was no answer.
func (d *desk) deliver(endpoint gjson.Result, listener string, body []byte, headers ...string) int {
	d.Helper()
	header := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	response, err := d.request(http.MethodPost, endpoint.Get("urls."+listener).String(), header, body)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

func (d *desk) send(method, url string, header http.Header, body []byte) (int, []byte) {
	d.Helper()
	response, err := d.request(method, url, header, body)
	if err != nil {
		d.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		d.Fatal(err)
	}
	return response.StatusCode, answer
}

func (d *desk) request(method, url string, header http.Header, body []byte) (*http.Response, error) {
	d.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	d.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	if header != nil {
		request.Header = header
	}
	return d.client.Do(request)
}

// batch is a payload of events whose oldest was recorded so long ago. The ids
// count from first.
func batch(first, count int, age time.Duration, action string) []byte {
	type object = map[string]any
	now := time.Now().UTC()
	var events []object
	for i := range count {
		recorded := now.Add(-age + age*time.Duration(i)/time.Duration(count+1))
		events = append(events, object{
			"id":            id(first + i),
			"recordedAt":    recorded.Format("2006-01-02T15:04:05.000Z"),
			"createdAt":     recorded.Format("2006-01-02T15:04:05.000Z"),
			"correlationId": fmt.Sprintf("0a5e1c77-0000-4000-8000-%012d", first+i),
			"actors": object{"client": object{
				"id": "0f2a6c1e-58f1-4c1e-9f8e-3b1f8a9c7d10", "name": "Provisioning", "type": "CLIENT",
				"environment": object{"id": "8f3c1f6e-7c5d-4a3b-9e2f-1a2b3c4d5e6f"},
			}},
			"action":    object{"type": action, "description": "User changed"},
			"resources": []object{{"type": "USER", "id": fmt.Sprintf("6d1f5a20-0000-4000-8000-%012d", first+i), "name": "ada.lovelace"}},
			"result":    object{"status": "SUCCESS", "description": "Changed User ada.lovelace"},
		})
	}
	encoded, err := json.Marshal(events)
	if err != nil {
		panic(err)
	}
	return encoded
}

// id is the id of the n-th event.
func id(n int) string { return fmt.Sprintf("5b0c0a3e-0000-4000-8000-%012d", n) }
