package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address to listen on")
	o := Options{MaxEvents: 500, Retry: 200 * time.Millisecond}
	flag.StringVar(&o.Environment, "environment", "7f9f3a52-6f0e-4a52-9d3b-0d6f1f0f0001", "id of the environment")
	flag.StringVar(&o.ClientID, "client-id", "example", "id of the client")
	flag.StringVar(&o.ClientSecret, "client-secret", "an-example-secret", "its secret")
	flag.IntVar(&o.MaxEvents, "max-events", o.MaxEvents, "the most events that a subscription can ask for in one payload; 501 breaks a promise")
	flag.Parse()
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("an emitter at http://%s\n", l.Addr())
	log.Fatal(http.Serve(l, New(o)))
}
