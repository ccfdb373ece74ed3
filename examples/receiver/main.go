package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	o := Options{Accepted: http.StatusOK}
	listen := flag.String("listen", "127.0.0.1:8443", "address to listen on")
	cert := flag.String("cert", "cert.pem", "certificate of the server")
	key := flag.String("key", "key.pem", "its key")
	flag.StringVar(&o.Key, "api-key", "an-example-key", "the value of X-Api-Key that deliveries must have")
	flag.IntVar(&o.Accepted, "accepted", o.Accepted, "status of a delivery that is taken; 202 breaks a promise")
	readBack := flag.String("read-back", "127.0.0.1:8444", "address where the suite reads back what is stored")
	store := flag.String("store", "", "file to which events are added, one a line (default: memory only)")
	flag.Parse()
	if *store != "" {
		file, err := os.OpenFile(*store, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			log.Fatal(err)
		}
		o.Store = file
	}
	r := New(o)
	go func() { log.Fatal(http.ListenAndServe(*readBack, http.HandlerFunc(r.ReadBack))) }()
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("a receiver at https://%s/hook\n", l.Addr())
	log.Fatal(http.ServeTLS(l, r, *cert, *key))
}
