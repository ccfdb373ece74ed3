package receiver_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"testing"

	"github.com/hookproof/hookproof/simulator/receiver"
)

// BenchmarkDelivery measures deliveries on kept connections, client included.
func BenchmarkDelivery(b *testing.B) {
	for name, c := range map[string]struct {
		mode  receiver.Mode
		bytes int
	}{
		"plain, 1 KiB":     {receiver.Plain, 1 << 10},
		"trusted, 1 KiB":   {receiver.Trusted, 1 << 10},
		"trusted, 512 KiB": {receiver.Trusted, 512 << 10},
	} {
		b.Run(name, func(b *testing.B) {
			r, err := receiver.Start(context.Background(), receiver.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			info, err := r.CreateEndpoint(receiver.EndpointRequest{})
			if err != nil {
				b.Fatal(err)
			}
			transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: 16}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			body := bytes.Repeat([]byte("x"), c.bytes)
			b.SetBytes(int64(c.bytes))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					response, err := client.Post(info.URLs[c.mode], "application/json", bytes.NewReader(body))
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
			})
		})
	}
}
