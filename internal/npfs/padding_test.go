package npfs

import (
	"bytes"
	"testing"

	"github.com/anypipe/anypipe/internal/winerr"
)

// A write that is cancelled while the ring is full to its last byte in the middle of the record, none of which can be taken back
// because a read was promised it: there is no room for the padding behind it, so a few bytes less stay, and what follows does not
// write over what is unread.
func TestCutOfAFullRingLeavesRoomForItsPadding(t *testing.T) {
	const quota = 1
	s, c := newPair(t, Byte, quota, quota)
	ring := int(c.out.ring.size())
	data := make([]byte, 4*ring)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	promised := startRead(s, len(data)) // announced, and fed with all of the write
	write := new(Op)
	c.StartWrite(write, data)
	if s.PollRead(promised) {
		t.Fatal("the read has all of a write that the ring can't hold")
	}
	s.CancelRead(promised, winerr.OperationAborted) // it keeps what it has; the promise stays
	got := append([]byte(nil), promised.Buf[:promised.N]...)
	c.PollWrite(write)
	few := startRead(s, 5) // leaves the reader at an odd position
	if !s.PollRead(few) || few.N != 5 {
		t.Fatalf("read %d, %v", few.N, few.Err)
	}
	got = append(got, few.Buf[:few.N]...)
	c.PollWrite(write) // fills the ring to its last byte
	c.CancelWrite(write, winerr.OperationAborted)
	next := startWrite(c, "next")
	for len(got) < write.N+len("next") {
		r := startRead(s, 1000)
		c.PollWrite(next)
		if !s.PollRead(r) || r.Err != nil || r.N == 0 {
			t.Fatalf("after %d of %d: %d, %v", len(got), write.N, r.N, r.Err)
		}
		got = append(got, r.Buf[:r.N]...)
	}
	if !bytes.Equal(got, append(data[:write.N:write.N], "next"...)) {
		t.Error("what arrived is not what was written")
	}
	wantWritten(t, c, next, 4, nil)
}
