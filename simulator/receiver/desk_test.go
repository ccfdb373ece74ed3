package receiver_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"go.uber.org/goleak"

	"github.com/hookproof/hookproof/simulator/receiver"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(dataOfChild); dir != "" {
		beKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

// patience is the longest that a test waits for something that must happen. It
// is spent only when a test fails, so it is long enough for a busy machine.
const patience = time.Minute

// desk is a running receiver and the means to talk to it.
type desk struct {
	*testing.T
	receiver *receiver.Receiver
	token    string
}

func newDesk(t *testing.T, options receiver.Options) *desk {
	t.Helper()
	r, err := receiver.Start(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return &desk{T: t, receiver: r, token: options.InspectToken}
}

// inspect calls the inspection API.
func (d *desk) inspect(method, path, body string) (int, gjson.Result) {
	d.Helper()
	response, data := d.do(newClient(d.T, &tls.Config{}), d.request(method, d.receiver.InspectURL()+path, body, func(r *http.Request) {
		if d.token != "" {
			r.Header.Set("Authorization", "Bearer "+d.token)
		}
	}))
	if len(data) > 0 && len(data) < 1<<20 && !json.Valid(data) {
		d.Fatalf("%s %s answered %q, which is not JSON", method, path, data)
	}
	return response.StatusCode, gjson.ParseBytes(data)
}

// want calls the inspection API and ends the test if the status differs.
func (d *desk) want(status int, method, path, body string) gjson.Result {
	d.Helper()
	got, answer := d.inspect(method, path, body)
	if got != status {
		d.Fatalf("%s %s %s: status %d, want %d: %s", method, path, body, got, status, answer)
	}
	return answer
}

// endpoint makes an endpoint from the JSON of a request for one.
func (d *desk) endpoint(body string) gjson.Result {
	d.Helper()
	return d.want(http.StatusCreated, "POST", "/inspect/endpoints", body)
}

// deliveries waits until the endpoint has count deliveries and returns them.
func (d *desk) deliveries(endpoint gjson.Result, count int) []gjson.Result {
	d.Helper()
	return d.log(endpoint, "deliveries", count)
}

// connections does likewise with the connections of the dedicated listener.
func (d *desk) connections(endpoint gjson.Result, count int) []gjson.Result {
	d.Helper()
	return d.log(endpoint, "connections", count)
}

func (d *desk) log(endpoint gjson.Result, name string, count int) []gjson.Result {
	d.Helper()
	var all []gjson.Result
	last := "0"
	for deadline := time.Now().Add(patience); len(all) < count; {
		if time.Now().After(deadline) {
			d.Fatalf("%d %s came, want %d", len(all), name, count)
		}
		answer := d.want(http.StatusOK, "GET", "/inspect/endpoints/"+endpoint.Get("id").String()+"/"+name+"?wait=2s&after="+last, "")
		all = append(all, answer.Get(name).Array()...)
		last = answer.Get("last").Raw
	}
	return all
}

func (d *desk) request(method, url, body string, change ...func(*http.Request)) *http.Request {
	d.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	d.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	for _, c := range change {
		c(request)
	}
	return request
}

// do sends the request and reads the answer, which must come.
func (d *desk) do(client *http.Client, request *http.Request) (*http.Response, []byte) {
	d.Helper()
	response, err := client.Do(request)
	if err != nil {
		d.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		d.Fatal(err)
	}
	return response, data
}

// post sends a delivery to the endpoint's plain hook and returns the status.
func (d *desk) post(endpoint gjson.Result, body string) int {
	d.Helper()
	response, _ := d.do(newClient(d.T, nil), d.request("POST", endpoint.Get("urls.plain").String(), body))
	return response.StatusCode
}

// newClient makes a client with connections of its own. Without a
// configuration it verifies nothing.
func newClient(t *testing.T, config *tls.Config) *http.Client {
	if config == nil {
		config = &tls.Config{InsecureSkipVerify: true}
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: len(config.NextProtos) != 1}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// trusting makes a client that trusts just the given certificates.
func trusting(t *testing.T, pem string, change ...func(*tls.Config)) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(pem)) {
		t.Fatalf("no certificate in %q", pem)
	}
	config := &tls.Config{RootCAs: roots}
	for _, c := range change {
		c(config)
	}
	return newClient(t, config)
}

func recordedAt(t *testing.T, result gjson.Result) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, result.String())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// payload is a body with every byte value, so that nothing that decodes and
// encodes text could pass it on unharmed.
func payload(size int) []byte {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	return bytes.Repeat(every, size/256+1)[:size]
}
