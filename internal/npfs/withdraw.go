package npfs

import "slices"

// withdraw removes what is neither read nor granted of a blocked write, as a cancelled WriteFile does on Windows: what
// follows it comes directly after what was read. It returns how many bytes stay. The claim is held, so the reader's
// published position is exact.
func (w *writer) withdraw(op *Op) int {
	kept := 0
	if gone := max(w.granted, w.taken); gone > op.start {
		kept = int(min(gone-op.start, uint64(op.written)))
		if w.typ == Message && gone-op.start > uint64(op.written) {
			kept = int(min(max(w.taken, op.start)-op.start, uint64(op.written))) // a read was promised more: for it this message never happened
		}
		kept = min(kept, w.padded(op, kept))
		w.granted = min(w.granted, op.start+uint64(kept))
	}
	if kept == len(op.data) && op.inRing {
		return kept
	}
	removed := uint64(len(op.data) - kept)
	if op.inRing {
		w.withdrawFromRing(op, kept)
	} else if op.counted {
		op.counted = false
		w.count(-len(op.data), -1)
	}
	w.closeGap(op, removed)
	return kept
}

// padded returns how many of the first kept bytes of op can stay if the padding behind them must fit too: a ring that is full to
// its last byte in the middle of a record has no room for it.
func (w *writer) padded(op *Op, kept int) int {
	if room := w.head + w.ring.size() - op.record - recordAlign; op.inRing && alignRecord(uint64(kept)) > room {
		return int(room &^ (recordAlign - 1))
	}
	return kept
}

// withdrawFromRing cuts op's record to its first kept payload bytes. Three cases: the reader stands in the record, the
// record is the last, or something follows it.
func (w *writer) withdrawFromRing(op *Op, kept int) {
	payload := op.record + recordAlign
	behind := alignRecord(payload + uint64(op.written)) // end of the record's bytes in the ring
	cut := payload + uint64(kept)
	last := behind == alignRecord(w.tail)
	switch {
	case w.head > op.record:
		if last {
			behind = alignRecord(cut)
			w.tail = behind
		}
		w.lane.cutEnd.Store(cut)
		w.lane.cutTo.Store(behind)
	case last && kept == 0:
		w.tail = op.record
	case last:
		w.ring.setHeader(op.record, uint32(kept))
		w.tail = alignRecord(cut)
	case kept == 0:
		w.ring.setHeader(op.record, voidRecord|uint32(behind-payload))
	default:
		w.ring.setHeader(op.record, uint32(kept))
		if rest := behind - alignRecord(cut); rest > 0 {
			w.ring.setHeader(alignRecord(cut), voidRecord|uint32(rest-recordAlign))
		}
	}
	w.published = w.tail
	w.lane.tail.Store(w.tail)
}

// closeGap moves the payload positions of everything behind op by the bytes that op lost.
func (w *writer) closeGap(op *Op, removed uint64) {
	w.queued -= removed
	w.granted = min(w.granted, w.queued)
	w.lane.granted.Store(w.granted)
	for _, later := range w.pending {
		if later.start > op.start {
			later.start -= removed
		}
	}
	for _, f := range w.flushes {
		if f.start > op.start {
			f.start -= removed
		}
		f.tail = min(f.tail, w.tail)
	}
}

// replace takes op out of the queue; the empty messages that it carried keep its place.
func (w *writer) replace(op *Op) {
	i := slices.Index(w.pending, op)
	switch {
	case i < 0:
	case op.empties > 0:
		w.pending[i] = &Op{start: op.start, empties: op.empties - 1, counted: true}
		op.empties = 0
	default:
		w.pending = slices.Delete(w.pending, i, i+1)
	}
}

// claim takes the front of the lane for withdrawing and returns the reader's position, or breaks the connection if the
// reader holds it longer than any copy lasts.
func (w *writer) claim() (position uint64, ok bool) {
	for n := 0; ; n++ {
		position = w.lane.position.Load()
		c := position & claimMask
		if (c == 0 || c == claimRevised) && w.lane.position.CompareAndSwap(position, position&^claimMask|claimWriter) {
			return position, true
		}
		if w.end.gone.Load() || !w.end.mayStillLetGo(n) {
			w.end.breakDown()
			return 0, false
		}
	}
}

// settle ends the reader's taking after Disconnect: what it has taken by now counts as written, and what it is about to take
// without a claim it won't get, as it finds the mark and then the flag.
func (w *writer) settle() {
	if position, ok := w.claim(); ok {
		w.lane.position.Store(position | claimRevised)
	}
}
