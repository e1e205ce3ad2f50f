package npfs

import (
	"bytes"
	"testing"
)

// A sleeping reader is woken by each portion of a write larger than the quota, and no byte of it is counted twice meanwhile, even if it had to queue. A
// write that the quota allows is seen as a whole.
func TestPortions(t *testing.T) {
	const size = 5 * portion
	data := bytes.Repeat([]byte("portions"), size/8)
	for _, x := range []struct {
		quota, bells int
		queued       bool
	}{{2 * size, 1, false}, {portion, 5, false}, {portion, 5, true}} {
		s, c := newPair(t, Message, x.quota, x.quota)
		full := string(make([]byte, RingSize(x.quota)-recordAlign))
		if x.queued {
			startWrite(s, full)
		}
		bells := 0
		s.config.Bell = func() {
			bells++
			if p, err := c.Peek(nil); p.Messages != 1 || p.Available != size || err != nil {
				t.Errorf("%+v: at bell %d: %+v, %v", x, bells, p, err)
			}
			c.Sleep(WantData)
		}
		c.Sleep(WantData)
		write := startWrite(s, string(data))
		if x.queued {
			wantRead(t, c, len(full), full, nil)
			s.PollWrite(write)
		}
		if bells != x.bells {
			t.Errorf("%+v: %d bells", x, bells)
		}
		s.config.Bell = func() {}
		wantRead(t, c, size, string(data), nil)
		wantWritten(t, s, write, size, nil)
	}
}

// A portion of a message of a writer that was killed is never delivered; a byte read keeps what it has.
func TestKilledBetweenPortions(t *testing.T) {
	const size = 5 * portion
	for typ, want := range map[Mode]int{Message: 0, Byte: portion} {
		s, c := newPair(t, typ, portion, portion)
		alive := true
		c.config.Alive = func() bool { return alive }
		var got []*Op
		s.config.Bell = func() { // after this the writer does nothing that the reader sees
			for range 2 {
				got = append(got, startRead(c, size))
			}
			alive = false
			c.PeerGone()
			for _, op := range got {
				c.PollRead(op)
			}
			s.config.Bell = func() {}
		}
		c.Sleep(WantData)
		startWrite(s, string(make([]byte, size)))
		if got[0].N != want || !got[0].done || !got[1].done || got[1].N != 0 || got[1].Err == nil {
			t.Errorf("%v: read %d, %v and %d, %v", typ, got[0].N, got[0].Err, got[1].N, got[1].Err)
		}
	}
}
