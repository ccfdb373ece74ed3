// Package ports finds ports that are free, for what has to know its address
// before it listens.
package ports

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// The ports lie below those from which systems take ports for outgoing
// connections (32768 on Linux, 49152 by RFC 6335) and below those of the
// receiver simulator's own listeners: between a port's being found free and its
// being listened on, nobody else is given it by chance, even if an image has to
// be built in between.
const (
	first, last = 10000, 19999
	tries       = 200
)

// Free is a port of the loopback interface that nobody listens on.
func Free() (int, error) {
	var err error
	for range tries {
		port := first + rand.IntN(last-first+1)
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("find a free port among %d tried: %w", tries, err)
}
