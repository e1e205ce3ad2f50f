package npfs

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"unsafe"

	"github.com/anypipe/anypipe/internal/winerr"
)

// newPair makes both ends of a connection over private memory.
func newPair(t testing.TB, typ Mode, in, out int) (server, client *End) {
	t.Helper()
	words := make([]uint64, RegionSize(in, out)/8)
	mem := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(words)*8)
	InitRegion(mem)
	config := EndConfig{Type: typ, InQuota: in, OutQuota: out, Modes: Modes{Read: typ},
		Bell: func() {}, Wake: func() {}, Alive: func() bool { return true }, Pause: func(n int) bool { return n < 100 },
		Map: func() ([]byte, error) { return mem, nil }}
	config.Server = true
	server = NewEnd(mem[:PageSize], config)
	config.Server = false
	return server, NewEnd(mem[:PageSize], config)
}

func startWrite(e *End, s string) *Op {
	op := new(Op)
	e.StartWrite(op, []byte(s))
	return op
}

func startRead(e *End, size int) *Op {
	op := &Op{Buf: make([]byte, size)}
	e.StartRead(op)
	return op
}

// want checks that a read is done with the given data and error.
func want(t *testing.T, e *End, op *Op, data string, err error) {
	t.Helper()
	if !e.PollRead(op) {
		t.Fatalf("read is pending, want %.40q, %v", data, err)
	}
	if got := string(op.Buf[:op.N]); got != data || !errors.Is(op.Err, err) {
		t.Fatalf("read %.40q, %v; want %.40q, %v", got, op.Err, data, err)
	}
}

func wantRead(t *testing.T, e *End, size int, data string, err error) {
	t.Helper()
	want(t, e, startRead(e, size), data, err)
}

func wantWritten(t *testing.T, e *End, op *Op, n int, err error) {
	t.Helper()
	if !e.PollWrite(op) {
		t.Fatalf("write is pending, want %d, %v", n, err)
	}
	if op.N != n || !errors.Is(op.Err, err) {
		t.Fatalf("wrote %d, %v; want %d, %v", op.N, op.Err, n, err)
	}
}

func wantPending(t *testing.T, poll func(*Op) bool, op *Op) {
	t.Helper()
	if poll(op) {
		t.Fatalf("done with %d, %v; want pending", op.N, op.Err)
	}
}

// TestMessages is cases 103 to 106, 111 and 120.
func TestMessages(t *testing.T) {
	s, c := newPair(t, Message, 100, 100)
	for _, m := range []string{"one", "", "0123456789"} {
		wantWritten(t, s, startWrite(s, m), len(m), nil)
	}
	wantRead(t, c, 32, "one", nil)
	wantRead(t, c, 32, "", nil)
	wantRead(t, c, 0, "", winerr.MoreData)
	wantRead(t, c, 4, "0123", winerr.MoreData)
	wantRead(t, c, 6, "456789", nil)
}

// TestQuota is cases 124 to 128.
func TestQuota(t *testing.T) {
	s, c := newPair(t, Byte, 6000, 5000)
	x := func(n int) string { return string(bytes.Repeat([]byte("x"), n)) }
	r := startRead(c, 1000)
	wantPending(t, c.PollRead, r)
	wantWritten(t, s, startWrite(s, x(4000)), 4000, nil)
	want(t, c, r, x(1000), nil)
	w1 := startWrite(s, x(5000))
	wantPending(t, s.PollWrite, w1)
	if p, err := c.Peek(nil); p.Available != 8000 || err != nil {
		t.Fatalf("peek: %+v, %v", p, err)
	}
	w2 := startWrite(s, "y")
	wantPending(t, s.PollWrite, w2)
	wantRead(t, c, 3000, x(3000), nil)
	wantWritten(t, s, w1, 5000, nil)
	wantPending(t, s.PollWrite, w2)
	wantRead(t, c, 1, "x", nil)
	wantWritten(t, s, w2, 1, nil)
}

// TestRendezvous is cases 131 and 132.
func TestRendezvous(t *testing.T) {
	s, c := newPair(t, Byte, 0, 0)
	w := startWrite(s, "abc")
	wantPending(t, s.PollWrite, w)
	wantRead(t, c, 2, "ab", nil)
	wantPending(t, s.PollWrite, w)
	wantRead(t, c, 2, "c", nil)
	wantWritten(t, s, w, 3, nil)
	r := startRead(c, 10)
	wantPending(t, c.PollRead, r)
	wantWritten(t, s, startWrite(s, "defg"), 4, nil)
	want(t, c, r, "defg", nil)
}

// TestLargerThanRing streams a message through a ring many times smaller.
func TestLargerThanRing(t *testing.T) {
	s, c := newPair(t, Message, 100, 100)
	big := string(bytes.Repeat([]byte("0123456789abcde"), 100_000))
	w := startWrite(s, big)
	r := startRead(c, len(big))
	for range 100 {
		written, read := s.PollWrite(w), c.PollRead(r)
		if written && read {
			break
		}
	}
	want(t, c, r, big, nil)
	wantWritten(t, s, w, len(big), nil)
}

// TestWithdraw is cases 133 and 134, and a withdrawal in the middle.
func TestWithdraw(t *testing.T) {
	s, c := newPair(t, Byte, 0, 4)
	w1, w2, w3 := startWrite(s, "aaaaaaaa"), startWrite(s, "bbbbbbbb"), startWrite(s, "cccccccc")
	wantRead(t, c, 3, "aaa", nil)
	s.CancelWrite(w2, winerr.OperationAborted)
	wantWritten(t, s, w2, 0, winerr.OperationAborted)
	s.CancelWrite(w1, winerr.OperationAborted)
	wantWritten(t, s, w1, 3, winerr.OperationAborted)
	if p, _ := c.Peek(make([]byte, 20)); p.Available != 8 || p.Read != 8 {
		t.Fatalf("peek: %+v", p)
	}
	wantPending(t, s.PollWrite, w3)
	wantRead(t, c, 4, "cccc", nil)
	wantWritten(t, s, w3, 8, nil)
	wantRead(t, c, 10, "cccc", nil)
}

func TestCloseAndDisconnect(t *testing.T) {
	s, c := newPair(t, Byte, 100, 100)
	startWrite(s, "last")
	r := startRead(s, 1)
	s.CancelRead(r, winerr.OperationAborted)
	s.Close(errTest)
	wantRead(t, c, 10, "last", nil)
	wantRead(t, c, 10, "", io.EOF)
	wantWritten(t, c, startWrite(c, "x"), 0, winerr.NoData)

	s, c = newPair(t, Byte, 100, 1)
	w, r := startWrite(s, "lost"), startRead(s, 1)
	s.Disconnect()
	wantRead(t, c, 10, "", winerr.PipeNotConnected)
	wantWritten(t, s, w, 0, winerr.PipeNotConnected)
	want(t, s, r, "", winerr.PipeNotConnected)
}

func TestTransact(t *testing.T) {
	s, c := newPair(t, Message, 0, 0)
	w, r := new(Op), new(Op)
	r.Whole(0)
	if !c.StartTransact(w, r, []byte("ask")) {
		t.Fatal(w.Err)
	}
	wantWritten(t, c, w, 3, nil)
	wantRead(t, s, 10, "ask", nil)
	wantPending(t, c.PollRead, r)
	wantWritten(t, s, startWrite(s, "reply"), 5, nil)
	want(t, c, r, "reply", nil)
}

// TestEmptyBeforeWithdrawn: a byte read that finds an empty message and behind it only what was withdrawn is done.
func TestEmptyBeforeWithdrawn(t *testing.T) {
	s, c := newPair(t, Message, 0, 0)
	if err := c.SetModes(Modes{Read: Byte}); err != nil {
		t.Fatal(err)
	}
	startWrite(s, "")
	w1, w2 := startWrite(s, "withdrawn"), startWrite(s, "too")
	s.CancelWrite(w1, errTest)
	s.CancelWrite(w2, errTest)
	wantRead(t, c, 10, "", nil)
	wantPending(t, c.PollRead, startRead(c, 10))
}

// TestFlush is cases 200, 201, 203 and 205.
func TestFlush(t *testing.T) {
	s, c := newPair(t, Message, 0, 5)
	start := func() *Op {
		op := new(Op)
		s.StartFlush(op)
		return op
	}
	wantWritten(t, s, start(), 0, nil)
	startWrite(s, "a")
	startWrite(s, "")
	f1 := start()
	w := startWrite(s, "blocked")
	f2 := start()
	wantPending(t, s.PollWrite, f1)
	wantRead(t, c, 5, "a", nil)
	wantPending(t, s.PollWrite, f1)
	wantRead(t, c, 5, "", nil)
	wantWritten(t, s, f1, 0, nil)
	wantPending(t, s.PollWrite, f2)
	s.CancelWrite(w, errTest)
	wantWritten(t, s, f2, 0, nil)
	startWrite(s, "x")
	f3 := start()
	c.Close(errTest)
	wantWritten(t, s, f3, 0, winerr.BrokenPipe)
}
