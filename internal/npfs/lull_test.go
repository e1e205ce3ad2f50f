package npfs

import (
	"bytes"
	"testing"
)

// A reader that polls for the next message before it announces its read leaves the ring as small as one that waits.
func TestLullsLetTheRingStartOver(t *testing.T) {
	s, c := newPair(t, Message, 1<<16, 1<<16)
	text := string(bytes.Repeat([]byte("t"), 500))
	furthest := uint64(0)
	for range 1000 {
		read, lull := &Op{Buf: make([]byte, 500)}, Lull{}
		if c.ReadUnlessLull(read, &lull) {
			t.Fatal("read what nobody wrote")
		}
		wantWritten(t, s, startWrite(s, text), 500, nil)
		if lull.Brief {
			if !lull.Mark.Moved() {
				t.Fatal("the message is not seen")
			}
			c.StartRead(read)
		}
		want(t, c, read, text, nil)
		furthest = max(furthest, s.out.tail&s.out.ring.mask)
	}
	if furthest > restartAfter+2*restartStep {
		t.Errorf("the ring was used up to %d", furthest)
	}
}

// A lull is brief only if nothing is there and the read may wait, and one of a stream only if messages came in a row with no answer.
func TestLulls(t *testing.T) {
	s, c := newPair(t, Message, 1<<16, 1<<16)
	lull := func() (l Lull) {
		op := &Op{Buf: make([]byte, 1)}
		if c.ReadUnlessLull(op, &l); !l.Brief && !op.done {
			c.CancelRead(op, errTest)
		}
		return l
	}
	exchange := func(messages int, answer bool) {
		for range messages {
			wantWritten(t, s, startWrite(s, "m"), 1, nil)
		}
		for range messages {
			wantRead(t, c, 1, "m", nil)
		}
		if answer {
			wantWritten(t, c, startWrite(c, "a"), 1, nil)
			wantRead(t, s, 1, "a", nil)
		}
	}
	for _, x := range []struct {
		messages  int
		answer    bool
		streaming bool
	}{{0, false, false}, {1, false, false}, {2, false, true}, {0, false, false}, {2, true, false}, {9, false, true}} {
		exchange(x.messages, x.answer)
		if l := lull(); !l.Brief || l.Streaming != x.streaming {
			t.Errorf("after %+v: %+v", x, l)
		}
	}
	if err := c.SetModes(Modes{Read: Message, NoWait: true}); err != nil {
		t.Fatal(err)
	}
	if lull().Brief {
		t.Error("a read that must not wait would be kept")
	}
	if err := c.SetModes(Modes{Read: Message}); err != nil {
		t.Fatal(err)
	}
	wantWritten(t, s, startWrite(s, "two parts"), 9, nil)
	for range 2 { // each reads a byte
		if lull().Brief {
			t.Error("a read of a message that does not fit would be kept")
		}
	}
	wantRead(t, c, 9, "o parts", nil)
	waiting := startRead(c, 1)
	if lull().Brief {
		t.Error("a read behind another would be kept")
	}
	wantWritten(t, s, startWrite(s, "m"), 1, nil)
	want(t, c, waiting, "m", nil)
	if err := s.CloseWrite(); err != nil || lull().Brief {
		t.Errorf("a read at the end would be kept; %v", err)
	}
	c.Close(errTest)
	if lull().Brief {
		t.Error("a read of a closed end would be kept")
	}
}

// A write that waits is one of a stream if several before it did not have to.
func TestStreamingWrites(t *testing.T) {
	s, c := newPair(t, Message, 4, 4)
	for _, before := range []int{0, 1, 2, 4} {
		for range before {
			wantWritten(t, s, startWrite(s, "m"), 1, nil)
		}
		pending := startWrite(s, "waits")
		if pending.Streams() != (before > 1) {
			t.Errorf("after %d writes: %t", before, pending.Streams())
		}
		for range before {
			wantRead(t, c, 9, "m", nil)
		}
		wantRead(t, c, 9, "waits", nil)
		wantWritten(t, s, pending, 5, nil)
	}
}
