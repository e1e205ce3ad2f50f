package npfs

import "testing"

// A write whose cancellation has to wait for a reader at work counts as written if the reader takes it meanwhile, and what follows too.
func TestReadBeforeItCouldBeWithdrawn(t *testing.T) {
	for _, typ := range []Mode{Message, Byte} {
		s, c := newPair(t, typ, 10, 10)
		first, second := startWrite(s, "longer than ten"), startWrite(s, "the next")
		if !c.in.claim() {
			t.Fatal("no claim")
		}
		s.config.Pause = func(int) bool {
			c.in.release()
			wantRead(t, c, len("longer than ten"), "longer than ten", nil)
			wantRead(t, c, len("the next"), "the next", nil)
			return true
		}
		s.CancelWrite(first, errTest)
		wantWritten(t, s, first, len("longer than ten"), nil)
		wantWritten(t, s, second, len("the next"), nil)
		if free := s.Status().WriteQuota; free != 10 {
			t.Errorf("%v: %d of 10 are free in an empty pipe", typ, free)
		}
		wantWritten(t, s, startWrite(s, "ten bytes!"), 10, nil)
		wantRead(t, c, 10, "ten bytes!", nil)
	}
}

// A read that was fed by a write which is then withdrawn takes the next message whole, even if it is longer.
func TestFedByWhatIsWithdrawn(t *testing.T) {
	s, c := newPair(t, Message, 4, 4)
	long, longer := string(make([]byte, RingSize(4)+1)), string(make([]byte, 2*RingSize(4)))
	read := new(Op)
	c.StartReadMessage(read, 0)
	position, claimed := s.out.claim()
	first := startWrite(s, long)
	var second *Op
	c.config.Pause = func(int) bool { // the reader has seen that it was fed
		s.out.lane.position.Store(position | claimRevised)
		s.CancelWrite(first, errTest)
		second = startWrite(s, longer)
		return true
	}
	for range 4 {
		c.PollRead(read)
		s.PollWrite(second)
	}
	if !claimed || len(read.Buf) != len(longer) || read.Err != nil || s.state() != Connected {
		t.Errorf("read %d bytes of %d, %v, %v", len(read.Buf), len(longer), read.Err, s.state())
	}
	wantWritten(t, s, first, 0, errTest)
	wantWritten(t, s, second, len(longer), nil)
}
