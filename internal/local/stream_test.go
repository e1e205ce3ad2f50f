//go:build linux || darwin || freebsd

package local

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// streamPair returns a stream and the plain socket at its other end.
func streamPair(t *testing.T) (*stream, *net.UnixConn) {
	t.Helper()
	a, b, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	s := newStream(a, both.Specific(), 4096)
	t.Cleanup(func() { s.Close(); b.Close() })
	return s, b
}

func send(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestStreamReadAndPeek(t *testing.T) {
	s, peer := streamPair(t)
	if p, err := s.Peek(make([]byte, 4)); err != nil || p != (npfs.Peeked{State: npfs.Connected}) {
		t.Errorf("peek empty: %+v, %v", p, err)
	}
	send(t, peer, "hello")
	b := make([]byte, 100)
	for range 2 {
		if p, err := s.Peek(b[:3]); err != nil || string(b[:3]) != "hel" || p.Read != 3 || p.Available != 5 || p.Left != -3 {
			t.Errorf("peek: %+v, %v", p, err)
		}
	}
	send(t, peer, " world")
	if p, err := s.Peek(b); err != nil || string(b[:p.Read]) != "hello world" || p.Available != 11 {
		t.Errorf("peek: %+v, %v", p, err)
	}
	if st := s.Status(); st.Readable != 11 || st.State != npfs.Connected {
		t.Errorf("status: %+v", st)
	}
	if n, err := s.Read(nil); n != 0 || err != nil {
		t.Errorf("read 0: %d, %v", n, err)
	}
	readAll(t, "read", s, "hello world")
	pending := background(func() error { _, err := s.Read(nil); return err })
	awaitBlocked(t, "(*stream).fill", 1)
	if p, err := s.Peek(b); err != nil || p.Read != 0 { // a read waits: nothing to show, and no waiting
		t.Errorf("peek beside a read: %+v, %v", p, err)
	}
	send(t, peer, "x")
	ok(t, "read 0 that waited", <-pending)
	readAll(t, "read", s, "x")
	send(t, peer, "last")
	peer.Close()
	if p, err := s.Peek(b); err != nil || p.Available != 4 || p.State != npfs.Closing {
		t.Errorf("peek after close: %+v, %v", p, err)
	}
	readAll(t, "read", s, "last")
	for range 2 {
		if _, err := s.Read(b); err != io.EOF {
			t.Errorf("read at the end: %v", err)
		}
		_, err := s.Peek(b)
		wants(t, "peek at the end", err, winerr.BrokenPipe)
	}
	_, err := s.Write([]byte("a"))
	wants(t, "write to a closed peer", err, winerr.NoData)
	_, err = s.Write(nil)
	wants(t, "empty write to a closed peer", err, winerr.NoData)
}

func TestStreamModes(t *testing.T) {
	s, peer := streamPair(t)
	wants(t, "message-read mode", s.SetModes(npfs.Modes{Read: npfs.Message}), winerr.InvalidParameter)
	ok(t, "no wait", s.SetModes(npfs.Modes{NoWait: true}))
	_, err := s.Read(make([]byte, 1))
	wants(t, "read", err, winerr.PipeEmpty)
	big := make([]byte, 16<<20)
	n, err := s.Write(big)
	if err != nil || n <= 0 || n >= len(big) {
		t.Errorf("write %d, %v", n, err)
	}
	if n, err := s.Write(big); n != 0 || err != nil {
		t.Errorf("write to a full socket: %d, %v", n, err)
	}
	send(t, peer, "abc")
	b := make([]byte, 2)
	if n, err := s.Read(b); n != 2 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
	readAll(t, "rest", s, "c")
}

func TestStreamDisconnectAndClose(t *testing.T) {
	for _, closing := range []bool{false, true} {
		s, peer := streamPair(t)
		send(t, peer, "ahead")
		if _, err := s.Peek(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		readAll(t, "read", s, "ahead")
		reader := background(func() error { _, err := s.Read(make([]byte, 1)); return err })
		writer := background(func() error { _, err := s.Write(make([]byte, 16<<20)); return err })
		awaitBlocked(t, "(*stream).Read", 1)
		awaitBlocked(t, "(*stream).Write", 1)
		end, want := s.Disconnect, error(winerr.PipeNotConnected)
		if closing {
			end, want = s.Close, net.ErrClosed
		}
		ok(t, "end", end())
		_, peekErr := s.Peek(nil)
		for what, err := range map[string]error{"read": <-reader, "write": <-writer, "peek": peekErr, "flush": s.Flush(), "again": end()} {
			if err != want {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
	}
}

func TestStreamDeadlines(t *testing.T) {
	s, peer := streamPair(t)
	ok(t, "deadline", s.SetReadDeadline(time.Unix(1, 0)))
	ok(t, "deadline", s.SetWriteDeadline(time.Unix(1, 0)))
	for _, p := range [][]byte{nil, make([]byte, 1)} {
		if _, err := s.Read(p); err != os.ErrDeadlineExceeded {
			t.Errorf("read: %v", err)
		}
	}
	if _, err := s.Write([]byte("a")); err != os.ErrDeadlineExceeded {
		t.Errorf("write: %v", err)
	}
	ok(t, "deadline", s.SetReadDeadline(time.Time{}))
	send(t, peer, "a")
	readAll(t, "read", s, "a")
}

func TestStreamFlush(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells when the peer has read")
	}
	s, peer := streamPair(t)
	ok(t, "nothing to flush", s.Flush())
	send(t, s, "hello")
	flushed := background(s.Flush)
	awaitBlocked(t, "(*stream).Flush", 1)
	readAll(t, "peer", peer, "hello")
	ok(t, "flush", <-flushed)
	send(t, s, "unread")
	ok(t, "deadline", s.SetWriteDeadline(time.Unix(1, 0)))
	if err := s.Flush(); err != os.ErrDeadlineExceeded {
		t.Errorf("flush after the deadline: %v", err)
	}
	ok(t, "deadline", s.SetWriteDeadline(time.Time{}))
	flushed = background(s.Flush)
	awaitBlocked(t, "(*stream).Flush", 1)
	peer.Close()
	wants(t, "flush when the peer closes", <-flushed, winerr.BrokenPipe)
}

func TestSpawn(t *testing.T) {
	cmd := exec.Command("cat")
	c, err := Spawn(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if p, err := c.Peer(); err != nil || p.PID != cmd.Process.Pid || p.UID != os.Geteuid() {
		t.Errorf("peer %+v, %v", p, err)
	}
	text := strings.Repeat("abc", 10)
	send(t, c, text)
	readAll(t, "echo", c, text)
	ok(t, "deadline", c.SetReadDeadline(time.Unix(1, 0)))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	ok(t, "deadline", c.SetReadDeadline(time.Time{}))
	ok(t, "close write", c.CloseWrite())
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read after the child's end: %v", err)
	}
	_, err = c.Write([]byte("a"))
	wants(t, "write after CloseWrite", err, winerr.NoData)
	ok(t, "wait", cmd.Wait())
	ok(t, "close", c.Close())
	if _, err := c.Info(); err != net.ErrClosed {
		t.Errorf("info after close: %v", err)
	}
	if _, err := Spawn(exec.Command("/nonexistent")); err == nil {
		t.Error("spawned what does not exist")
	}
	busy := exec.Command("cat")
	busy.Stdin = strings.NewReader("")
	_, err = Spawn(busy)
	wants(t, "with a standard input", err, winerr.InvalidParameter)
}
