package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What the command prints must work as pasted: the subscription names a hook
// that takes a delivery from a client which trusts the written root.
func TestReceiverCommandPrintsASubscriptionThatWorks(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "root.pem")
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	printed, in := io.Pipe()
	command := receiverCommand()
	command.SetArgs([]string{"--ca-out", root, "--inspect-token", "canary-token"})
	command.SetOut(in)
	ended := make(chan error, 1)
	go func() {
		err := command.ExecuteContext(ctx)
		in.Close()
		ended <- err
	}()

	var out bytes.Buffer
	for buffer := make([]byte, 4096); !strings.Contains(out.String(), "Stop with Ctrl-C."); {
		n, err := printed.Read(buffer)
		out.Write(buffer[:n])
		if err != nil {
			t.Fatalf("after %q: %v", out.String(), err)
		}
	}
	if strings.Contains(out.String(), "canary-token") {
		t.Error("the inspection token is printed")
	}
	var subscription struct {
		HTTPEndpoint struct {
			URL string `json:"url"`
		} `json:"httpEndpoint"`
	}
	found := regexp.MustCompile(`(?ms)^\{$.*^\}$`).FindString(out.String())
	if err := json.Unmarshal([]byte(found), &subscription); err != nil {
		t.Fatalf("the subscription %q: %v", found, err)
	}
	pem, err := os.ReadFile(root)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Post(subscription.HTTPEndpoint.URL, "application/json", strings.NewReader("[]"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the command ended with %v", err)
	}
}
