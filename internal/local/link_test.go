//go:build linux || darwin || freebsd

package local

import (
	"errors"
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// linkPair makes both ends of a duplex connection within this process.
func linkPair(t testing.TB, typ npfs.Mode, quota int) (server, client *link) {
	t.Helper()
	a, b, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	config := linkConfig{Type: typ, InQuota: quota, OutQuota: quota, Access: npfs.GenericAll.Specific(),
		Modes: npfs.Modes{Read: typ}}
	r, err := newRegion(quota, quota)
	if err != nil {
		t.Fatal(err)
	}
	defer r.file.Close()
	server, err = newServerLink(a, r, config)
	if err != nil {
		t.Fatal(err)
	}
	client, err = newClientLink(b, r.file, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(); client.Close() })
	return server, client
}

func TestLinkEcho(t *testing.T) {
	server, client := linkPair(t, npfs.Message, 1<<16)
	echoed := make(chan error, 1)
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if err == nil {
				_, err = server.Write(buf[:n])
			}
			if err != nil {
				echoed <- err
				return
			}
		}
	}()
	msg := make([]byte, 64)
	for range 10000 {
		if _, err := client.Write(msg); err != nil {
			t.Fatal(err)
		}
		if n, err := client.Read(msg); n != 64 || err != nil {
			t.Fatal(n, err)
		}
	}
	client.Close()
	if err := <-echoed; err != io.EOF {
		t.Fatalf("server ended with %v", err)
	}
}

func BenchmarkLinkRoundTrip(b *testing.B) {
	server, client := linkPair(b, npfs.Message, 1<<16)
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if err == nil {
				_, err = server.Write(buf[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	msg := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		client.Write(msg)
		client.Read(msg)
	}
}

func BenchmarkLinkOneWay(b *testing.B) {
	server, client := linkPair(b, npfs.Message, 1<<16)
	done := make(chan int)
	go func() {
		buf := make([]byte, 1<<16)
		n := 0
		for {
			if _, err := server.Read(buf); err != nil {
				done <- n
				return
			}
			n++
		}
	}()
	msg := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		client.Write(msg)
	}
	client.Close()
	if got := <-done; got != b.N {
		b.Fatalf("%d of %d arrived", got, b.N)
	}
}

// TestPeerGone checks that the vigil notices a peer that let go without a word, while nobody waits for it.
func TestPeerGone(t *testing.T) {
	server, client := linkPair(t, npfs.Message, 1<<16)
	client.bell.sock.CloseWrite() // what the kernel does for a killed process
	client.bell.sock.CloseRead()
	for server.Status().State != npfs.Closing {
		runtime.Gosched()
	}
	if _, err := server.Write([]byte("x")); !errors.Is(err, winerr.NoData) {
		t.Fatalf("write: %v", err)
	}
	if _, err := server.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("read: %v", err)
	}
}

// TestCloseBeforeAwait closes a link between the start of a flush and its waiting.
func TestCloseBeforeAwait(t *testing.T) {
	server, _ := linkPair(t, npfs.Byte, 1<<16)
	if _, err := server.Write([]byte("unread")); err != nil {
		t.Fatal(err)
	}
	if err := server.enter(); err != nil {
		t.Fatal(err)
	}
	op := new(npfs.Op)
	if server.end.StartFlush(op) {
		t.Fatal("the flush did not wait")
	}
	closed := background(server.Close)
	for server.users.Load()&linkClosed == 0 {
		runtime.Gosched()
	}
	server.await(writing, op)
	server.release()
	if err := <-closed; err != nil || op.Err != net.ErrClosed {
		t.Fatalf("close: %v, flush: %v", err, op.Err)
	}
}

// TestCloseAtBothEnds closes an end while its pending read ends because the other end closes: whoever is last unmaps the
// region, and not before Close is through.
func TestCloseAtBothEnds(t *testing.T) {
	for range 500 {
		server, client := linkPair(t, npfs.Message, 1<<10)
		read := background(func() error {
			_, err := server.Read(make([]byte, 1))
			return err
		})
		for server.users.Load() == 0 {
			runtime.Gosched()
		}
		closed := background(client.Close)
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-read; err != io.EOF && err != net.ErrClosed {
			t.Fatal(err)
		}
		if err := <-closed; err != nil {
			t.Fatal(err)
		}
	}
}
