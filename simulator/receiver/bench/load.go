package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// Body is a batch of events of about the shape of an audit event, exactly so
// many bytes long.
func Body(size int) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	const tail = `{"padding":""}]`
	for n := 0; ; n++ {
		event := fmt.Sprintf(`{"id":"00000000-0000-4000-8000-%012d","recordedAt":"2026-03-01T12:00:00.%09dZ","action":{"type":"USER.UPDATED","description":"User Updated"},`+
			`"actors":{"client":{"id":"00000000-0000-4000-8000-000000000001","name":"Worker","type":"CLIENT"}},`+
			`"resources":[{"type":"USER","id":"00000000-0000-4000-8000-%012d","name":"user%d"}],"result":{"status":"SUCCESS","description":"Updated User"}},`, n, n, n, n)
		if b.Len()+len(event)+len(tail) > size {
			break
		}
		b.WriteString(event)
	}
	padding := max(size-b.Len()-len(tail), 0)
	fmt.Fprintf(&b, `{"padding":"%s"}]`, bytes.Repeat([]byte("x"), padding))
	return b.Bytes()
}

// load sends deliveries over every connection for a round and returns how many
// a second were answered 200.
func (c *contestant) load(ctx context.Context, o Options, body []byte) (float64, error) {
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nUser-Agent: hookproof-bench\r\nContent-Length: %d\r\n\r\n", c.path, c.address, len(body))
	request = append(request, body...)
	clients := make([]*client, o.Connections)
	for i := range clients {
		opened, err := c.dial(ctx)
		if err != nil {
			return 0, err
		}
		defer opened.conn.Close()
		clients[i] = opened
	}
	started := time.Now()
	end := started.Add(o.Round)
	var group errgroup.Group
	for _, client := range clients {
		group.Go(func() error {
			for { // once at least, however busy the machine is
				if err := client.post(request); err != nil {
					return err
				}
				client.count++
				if !time.Now().Before(end) || ctx.Err() != nil {
					return ctx.Err()
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	total := 0
	for _, client := range clients {
		total += client.count
	}
	return float64(total) / time.Since(started).Seconds(), nil
}

// client is one connection. It does as little as can be, since what it does
// dilutes the difference that is measured.
type client struct {
	conn   net.Conn
	answer *bufio.Reader
	count  int
}

// answerTimeout ends a connection that is not answered.
const answerTimeout = 30 * time.Second

func (c *contestant) dial(ctx context.Context) (*client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, err
	}
	if c.tls != nil {
		secure := tls.Client(conn, c.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		conn = secure
	}
	return &client{conn: conn, answer: bufio.NewReader(conn)}, nil
}

// post sends the request and reads the answer, which must be 200.
func (c *client) post(request []byte) error {
	_ = c.conn.SetDeadline(time.Now().Add(answerTimeout))
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	length := 0
	for first := true; ; first = false {
		line, err := c.answer.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")):
			return fmt.Errorf("answered %q", line)
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		case len(line) == 0:
			_, err := io.CopyN(io.Discard, c.answer, int64(length))
			return err
		}
	}
}
