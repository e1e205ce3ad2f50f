package npfs

// A Lull is what a read that finds nothing had better do before it begins. The zero value: begin.
type Lull struct {
	// Brief: poll for a moment first. The next message may come before it pays to announce the read, which changes a cache line that the writer
	// needs next. It must be a moment, as the writer can't know that somebody waits.
	Brief bool
	// Mark is what to poll, while the region is mapped. Only a brief lull has one.
	Mark Mark
	// Streaming: before that, leave the memory alone until the writer is ahead again. Several messages were there in a row and none was
	// answered, and each look at a line that the writer is about to write takes the line away from it.
	Streaming bool
}

// ReadUnlessLull is StartRead, unless there is a brief lull: then nothing has begun, and it reports false.
func (e *End) ReadUnlessLull(op *Op, lull *Lull) bool {
	return e.in.startUnlessLull(op, e.forRead(op), lull)
}

// ReadMessageUnlessLull is to StartReadMessage what ReadUnlessLull is to StartRead.
func (e *End) ReadMessageUnlessLull(op *Op, limit int, lull *Lull) bool {
	if !e.forReadMessage(op, limit) {
		return true
	}
	return e.in.startUnlessLull(op, e.Modes().NoWait, lull)
}

func (r *reader) startUnlessLull(op *Op, noWait bool, lull *Lull) bool {
	r.mu.Lock()
	defer r.unlock()
	if !noWait && r.lull(lull) {
		return false
	}
	r.startLocked(op, noWait)
	return op.done
}

// lull fills in a lull and reports whether it is a brief one: nothing lies in the ring and nothing has ended. It passes over one in each page that
// begins while the ring could start over, as a writer does that for an announced read only, and looks once in a page.
func (r *reader) lull(l *Lull) bool {
	if r.closed || len(r.pending) > 0 || r.left > 0 || r.seen != r.head {
		return false
	}
	if r.seen = r.lane.tail.Load(); r.seen != r.head || r.end.flags() != 0 || r.lane.fin.Load() != 0 {
		return false
	}
	written := r.end.out.lane.tail.Load() // of the same region, which stays mapped at least until this half is closed
	l.Streaming = r.row > 1 && written == r.written
	r.row, r.written = 0, written
	if page := r.head / restartStep; r.head&r.ring.mask >= restartAfter && page != r.page {
		r.page = page
		return false
	}
	l.Brief = true
	r.mark(&l.Mark)
	l.Mark.moved = r.seen
	return true
}

// Streams reports whether a write that has to wait follows several that did not. Whoever waits for it had better let the reader get ahead
// before polling, as in a Lull.
func (op *Op) Streams() bool { return op.streams }

// countRow notes what became of a write that was just started.
func (w *writer) countRow(op *Op) {
	switch {
	case !op.done:
		op.streams, w.row = w.row > 1, 0
	case op.Err == nil && op.N > 0:
		w.row++
	}
}
