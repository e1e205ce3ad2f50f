package npfs

import (
	"io"
	"math"

	"github.com/anypipe/anypipe/internal/winerr"
)

// peek copies from the front of the lane without consuming. It goes by the pipe's type, not the read mode.
func (r *reader) peek(p []byte) (Peeked, error) {
	r.mu.Lock()
	defer r.unlock()
	flags := r.end.flags()
	if flags&flagDisconnected != 0 {
		if r.end.server {
			return Peeked{}, winerr.BadPipe
		}
		return Peeked{}, winerr.PipeNotConnected
	}
	r.progress(nil)
	if !r.claim() {
		return Peeked{}, io.EOF
	}
	defer r.lane.claim.Store(claimFree)
	r.applyCut()
	out := Peeked{State: r.end.state()}
	entered := r.enter()
	if r.publish() {
		r.end.ringFor(wantSpace)
	}
	out.Available = r.unread()
	if !entered {
		if flags != 0 {
			return Peeked{}, winerr.BrokenPipe
		}
		return out, nil
	}
	if r.typ == Message {
		out.Read = r.peekRecord(p, r.head, r.left, r.lane.tail.Load())
		out.Length = int(r.left)
		out.Left = out.Length - out.Read
		out.Messages = int(max(int32(r.lane.records.Load()-r.records), 1))
		return out, nil
	}
	out.Read = r.peekStream(p)
	out.Left = -out.Read
	return out, nil
}

// unread returns the bytes accepted by the writer and not read, blocked writes included.
func (r *reader) unread() int {
	n := r.lane.queued.Load() - r.taken
	if n > 1<<40 { // a counter that went backwards or makes no sense
		return 0
	}
	return int(min(n, math.MaxInt))
}

// peekRecord copies the published part of one record's payload, which starts at pos.
func (r *reader) peekRecord(p []byte, pos, length, tail uint64) int {
	n := min(uint64(len(p)), length, tail-pos)
	r.ring.copyOut(pos, p[:n])
	return int(n)
}

// peekStream copies across records until p is full or the ring ends.
func (r *reader) peekStream(p []byte) (n int) {
	tail := r.lane.tail.Load()
	pos, length, next := r.head, r.left, r.next
	for {
		if tail-pos > r.ring.size() {
			return n // scribbled over; the next read will break the connection
		}
		n += r.peekRecord(p[n:], pos, length, tail)
		if n == len(p) || tail-next < recordAlign || next > tail {
			return n
		}
		h := r.ring.header(next)
		pos, length = next+recordAlign, uint64(h&recordLength)
		next = alignRecord(pos + length)
		if h&voidRecord != 0 {
			length = 0
		}
		if pos > tail {
			return n
		}
	}
}
