package npfs

import (
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
