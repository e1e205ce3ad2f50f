package npfs

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

// A message larger than the ring, whose rest arrives while a read of it goes on and whose writer then closes at once, is read
// whole: the read must not take the end of the connection for the end of what it has seen.
func TestRestArrivesWithTheEnd(t *testing.T) {
	for range 2000 {
		s, c := newPair(t, Message, 4096, 4096)
		text := strings.Repeat("x", int(c.in.ring.size())+4096)
		reading, closed := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(closed)
			w := startWrite(s, text)
			<-reading
			for !s.PollWrite(w) {
				runtime.Gosched()
			}
			s.Close(nil)
		}()
		close(reading)
		op := new(Op)
		if !c.StartReadMessage(op, 0) {
			for !c.PollRead(op) {
				runtime.Gosched()
			}
		}
		<-closed
		if len(op.Buf) != len(text) || op.Err != nil {
			t.Fatalf("read %d of %d bytes, %v", len(op.Buf), len(text), op.Err)
		}
	}
}

// TestFedThenWithdrawn cancels a write of a message larger than the ring that a pending read was promised whole: the read
// gets the next message, not a torn one, whether it had seen the beginning or not.
func TestFedThenWithdrawn(t *testing.T) {
	for _, begun := range []bool{false, true} {
		for _, later := range []bool{false, true} {
			s, c := newPair(t, Message, 1<<10, 1<<10)
			read := new(Op)
			if c.StartReadMessage(read, 0) {
				t.Fatal("read from an empty pipe:", read.Err)
			}
			w := startWrite(s, strings.Repeat("x", 10*RingSize(1<<10)))
			wantPending(t, s.PollWrite, w)
			if begun {
				wantPending(t, c.PollRead, read)
			}
			if later {
				startWrite(s, "next")
			}
			s.CancelWrite(w, errTest)
			if !w.done || !errors.Is(w.Err, errTest) {
				t.Fatalf("cancelled write: %d, %v", w.N, w.Err)
			}
			if !later {
				wantPending(t, c.PollRead, read)
				startWrite(s, "next")
			}
			want(t, c, read, "next", nil)
		}
	}
}
