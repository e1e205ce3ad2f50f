package npfs

import (
	"math"
	"net"

	"github.com/anypipe/anypipe/internal/winerr"
)

// peek copies from the front of the lane without consuming. It goes by the pipe's type, not the read mode.
func (r *reader) peek(p []byte) (Peeked, error) {
	r.mu.Lock()
	defer r.unlock()
	if r.closed {
		return Peeked{}, net.ErrClosed
	}
	flags := r.end.flags()
	if flags&flagDisconnected != 0 {
		if r.end.server {
			return Peeked{}, winerr.BadPipe
		}
		return Peeked{}, winerr.PipeNotConnected
	}
	r.progress(nil)
	if !r.claim() {
		return Peeked{}, winerr.BrokenPipe
	}
	defer r.release()
	r.applyCut()
	r.unmapped = nil
	out := Peeked{State: r.end.state()}
	entered := r.enter() && !r.unfinished()
	if r.unmapped != nil {
		return Peeked{}, r.unmapped
	}
	bytes, messages := r.survey()
	out.Available = bytes
	switch {
	case !entered && flags != 0:
		return Peeked{}, winerr.BrokenPipe
	case !entered:
	case r.typ == Message:
		out.Read = r.peekRecord(p, r.head, r.left, r.lane.tail.Load())
		out.Length, out.Messages = int(r.left), messages
		out.Left = out.Length - out.Read
	default:
		out.Read = r.peekStream(p)
		out.Left = -out.Read
	}
	return out, nil
}

// peekRecord copies the published part of one record's payload, which starts at pos.
func (r *reader) peekRecord(p []byte, pos, length, tail uint64) int {
	n := min(uint64(len(p)), length, tail-pos)
	if !r.reach(pos, n) {
		return 0
	}
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
		if n == len(p) || tail-next < recordAlign || next > tail || !r.reach(next, recordAlign) {
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

// readable returns how many bytes could be read now.
func (r *reader) readable() int {
	r.mu.Lock()
	defer r.unlock()
	if r.closed {
		return 0
	}
	r.progress(nil)
	bytes, _ := r.survey()
	return bytes
}

// survey counts the unread bytes and messages, blocked writes included.
func (r *reader) survey() (bytes, messages int) {
	waiting, waitingMessages := r.lane.waiting.Load(), r.lane.messages.Load()
	pos, sum, n := r.head, r.left, uint64(0)
	if r.left > 0 {
		pos, n = r.next, 1
	}
	for tail := r.lane.tail.Load(); pos < tail && tail-pos <= r.ring.size() && tail-pos >= recordAlign && r.reach(pos, recordAlign); {
		h := r.ring.header(pos)
		length := uint64(h & recordLength)
		pos = alignRecord(pos + recordAlign + length)
		if h&voidRecord != 0 {
			continue
		}
		sum, n = sum+length, n+1
	}
	if !r.dropped {
		sum, n = sum+min(waiting, 1<<40), n+uint64(waitingMessages)
	}
	return int(min(sum, math.MaxInt)), int(min(n, math.MaxInt))
}
