package npfs

import (
	"bytes"
	"testing"

	"github.com/anypipe/anypipe/internal/winerr"
)

// newSmallPair makes both ends over their first page; each maps the rest when map is asked for the first time.
func newSmallPair(t *testing.T, typ Mode, quota int, mapped func() error) (server, client *End, asked *int) {
	t.Helper()
	server, client = newPair(t, typ, quota, quota)
	asked = new(int)
	for _, e := range []*End{server, client} {
		memory := e.config.Map
		e.config.Map = func() ([]byte, error) {
			*asked++
			if err := mapped(); err != nil {
				return nil, err
			}
			return memory()
		}
	}
	return server, client, asked
}

// An end needs more than the first page when a ring's first part is used up, not earlier, and in its own direction only.
func TestMappedWhenNeeded(t *testing.T) {
	for direction, pick := range map[string]func(server, client *End) (from, to *End){
		"inbound":  func(server, client *End) (*End, *End) { return client, server },
		"outbound": func(server, client *End) (*End, *End) { return server, client },
	} {
		server, client, asked := newSmallPair(t, Message, 1<<16, func() error { return nil })
		from, to := pick(server, client)
		message := string(bytes.Repeat([]byte("m"), 100))
		for n := range firstPart / 104 * 3 {
			wantWritten(t, from, startWrite(from, message), 100, nil)
			wantRead(t, to, 200, message, nil)
			if n+1 == firstPart/104 && *asked != 0 {
				t.Errorf("%s: mapped for %d bytes", direction, firstPart)
			}
		}
		if *asked != 2 || from.in.ring.rest != nil || to.out.ring.rest != nil {
			t.Errorf("%s: %d mappings instead of one for the writer and one for the reader", direction, *asked)
		}
	}
}

// Where memory can't be mapped the operation that needs it fails, and nothing else: it can be tried again.
func TestMappingFails(t *testing.T) {
	for typ, name := range []string{"byte", "message"} {
		failure := errTest
		s, c, _ := newSmallPair(t, Mode(typ), 1<<16, func() error { return failure })
		large := string(bytes.Repeat([]byte(name), 1000))
		wantWritten(t, s, startWrite(s, "small"), 5, nil)
		wantWritten(t, s, startWrite(s, large), 0, errTest)
		wantWritten(t, s, startWrite(s, "also small"), 10, nil)
		wantRead(t, c, 5, "small", nil)
		wantRead(t, c, 10, "also small", nil)
		pending := startRead(c, 10_000)
		failure = nil
		wantWritten(t, s, startWrite(s, large), len(large), nil)
		failure = errTest
		want(t, c, pending, "", errTest)
		if _, err := c.Peek(make([]byte, 10)); err != failure {
			t.Errorf("%s: peek: %v", name, err)
		}
		wantRead(t, c, 10_000, "", errTest)
		failure = nil
		wantRead(t, c, 10_000, large, nil)
		if len(s.out.pending) > 0 || s.Status().WriteQuota != 1<<16 {
			t.Errorf("%s: %d writes pending, quota %d", name, len(s.out.pending), s.Status().WriteQuota)
		}
	}
}

// Starting over takes nothing from the quota: as many writes as it allows complete while nobody reads, wherever the ring stands.
func TestStartingOverKeepsTheQuota(t *testing.T) {
	const quota = 1 << 16
	text := string(bytes.Repeat([]byte("q"), quota/4))
	var s, c *End
	for carried := 1 << 10; carried <= quota; carried += 5 << 10 {
		s, c = newPair(t, Message, quota, quota)
		wantWritten(t, s, startWrite(s, string(make([]byte, carried))), carried, nil)
		wantRead(t, c, quota, string(make([]byte, carried)), nil)
		for range 4 {
			wantWritten(t, s, startWrite(s, text), len(text), nil)
		}
		for range 4 {
			wantRead(t, c, quota, text, nil)
		}
	}
	over := 0
	for range 1000 {
		before := s.out.tail & s.out.ring.mask
		read := startRead(c, quota)
		wantWritten(t, s, startWrite(s, text[:500]), 500, nil)
		want(t, c, read, text[:500], nil)
		if s.out.tail&s.out.ring.mask < before {
			over++
		}
	}
	if over < 1000*500/restartAfter/2 {
		t.Errorf("started over %d times although reads waited", over)
	}
}

// A reader that polls for the next message before it announces its read leaves the ring as small as one that waits.
func TestLullsLetTheRingStartOver(t *testing.T) {
	s, c := newPair(t, Message, 1<<16, 1<<16)
	text := string(bytes.Repeat([]byte("t"), 500))
	furthest := uint64(0)
	for range 1000 {
		read, lull := &Op{Buf: make([]byte, 500)}, Lull{}
		if c.TryRead(read, &lull) {
			t.Fatal("read what nobody wrote")
		}
		if !lull.Brief {
			c.StartRead(read)
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
		if op := (&Op{Buf: make([]byte, 1)}); c.TryRead(op, &l) {
			t.Errorf("read %q, %v", op.Buf[:op.N], op.Err)
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
	if lull().Brief {
		t.Error("a read of a message that does not fit would be kept")
	}
	wantRead(t, c, 4, "two ", winerr.MoreData)
	if lull().Brief {
		t.Error("a read of the rest of a message would be kept")
	}
	wantRead(t, c, 9, "parts", nil)
	waiting := startRead(c, 1)
	if lull().Brief {
		t.Error("a read behind another would be kept")
	}
	wantWritten(t, s, startWrite(s, "m"), 1, nil)
	want(t, c, waiting, "m", nil)
	c.Close(errTest)
	if lull().Brief {
		t.Error("a read of a closed end would be kept")
	}
}

// A write that waits is one of a stream if several before it did not have to.
func TestWritesInRow(t *testing.T) {
	s, c := newPair(t, Message, 4, 4)
	for _, before := range []int{0, 1, 2, 4} {
		for range before {
			wantWritten(t, s, startWrite(s, "m"), 1, nil)
		}
		pending := startWrite(s, "waits")
		if s.WritesInRow() != (before > 1) {
			t.Errorf("after %d writes: %t", before, s.WritesInRow())
		}
		for range before {
			wantRead(t, c, 9, "m", nil)
		}
		wantRead(t, c, 9, "waits", nil)
		wantWritten(t, s, pending, 5, nil)
	}
}
