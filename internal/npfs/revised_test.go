package npfs

import (
	"testing"

	"github.com/anypipe/anypipe/internal/winerr"
)

// A reader that has seen several messages in the ring takes none that was taken back since, nor what was put in its place
// as if it had been there.
func TestSeenAndTakenBack(t *testing.T) {
	s, c := newPair(t, Message, 5, 5)
	wantWritten(t, s, startWrite(s, "aaaa"), 4, nil)
	second, third := startWrite(s, "bbbb"), startWrite(s, "cccc")
	wantRead(t, c, 10, "aaaa", nil)
	wantWritten(t, s, second, 4, nil)
	s.CancelWrite(third, winerr.OperationAborted)
	wantWritten(t, s, third, 0, winerr.OperationAborted)
	if c.in.seen == s.out.tail {
		t.Fatal("the reader has not seen more than there is")
	}
	wantRead(t, c, 10, "bbbb", nil)
	read := startRead(c, 10)
	wantPending(t, c.PollRead, read)
	wantWritten(t, s, startWrite(s, "dd"), 2, nil)
	want(t, c, read, "dd", nil)
	wantWritten(t, s, startWrite(s, "eeeee"), 5, nil)
	wantRead(t, c, 10, "eeeee", nil)
	if got := c.in.lane.position.Load(); got&claimMask != 0 {
		t.Errorf("position %#x after reads: the claim is not free", got)
	}
}

// Whatever a read is announced with, the writer knows from the announcement alone that the ring is empty, also across the
// ring's end and its starting over.
func TestAnnouncedReadIsFedAtAnyPosition(t *testing.T) {
	s, c := newPair(t, Message, 0, 0)
	for n := range 5000 {
		read := startRead(c, 100)
		wantWritten(t, s, startWrite(s, string(make([]byte, n%100))), n%100, nil) // at once, with a quota of 0
		want(t, c, read, string(make([]byte, n%100)), nil)
	}
}
