package anypipe_test

import (
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/anypipe/anypipe"
)

// echoAll serves every connection of l by echoing until its end.
func echoAll(l net.Listener, serving *sync.WaitGroup) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		serving.Go(func() {
			buf := make([]byte, 64)
			for {
				n, err := c.Read(buf)
				if err == nil {
					_, err = c.Write(buf[:n])
				}
				if err != nil {
					c.Close()
					return
				}
			}
		})
	}
}

// connectEchoClose is one short connection.
func connectEchoClose(b *testing.B, dial func() (net.Conn, error)) {
	c, err := dial()
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 64)
	if _, err := c.Write(buf); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(c, buf); err != nil {
		b.Fatal(err)
	}
	c.Close()
}

// BenchmarkConnect opens, echoes once and closes, beside a Unix socket doing the same.
func BenchmarkConnect(b *testing.B) {
	run := func(name string, l net.Listener, dial func() (net.Conn, error)) {
		b.Run(name, func(b *testing.B) {
			var serving sync.WaitGroup
			serving.Go(func() { echoAll(l, &serving) })
			for b.Loop() {
				connectEchoClose(b, dial)
			}
			l.Close()
			serving.Wait()
		})
	}
	path := filepath.Join(b.TempDir(), "s")
	unix, err := net.Listen("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	run("unix", unix, func() (net.Conn, error) { return net.Dial("unix", path) })
	pipe, err := anypipe.Listen("connect")
	if err != nil {
		b.Fatal(err)
	}
	run("pipe", pipe, func() (net.Conn, error) { return anypipe.Dial(b.Context(), "connect") })
}
