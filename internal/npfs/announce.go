package npfs

// The announced read: what reader and writer do with the lane's slot.

// announce shows the writer that op waits, first of all pending reads, and up to where the ring was read.
func (r *reader) announce(op *Op) {
	if s := waitingSlot(op.size(), r.head); r.lane.slot.CompareAndSwap(r.slot, s) {
		op.slot = s
	}
}

// withdrawAnnouncement takes the announcement of op back; it reports whether op was fed before it could.
func (r *reader) withdrawAnnouncement(op *Op) (fed bool) {
	if r.lane.slot.CompareAndSwap(op.slot, slotEmpty) {
		op.slot, r.slot = 0, slotEmpty
		return false
	}
	fed = r.collect(op)
	op.slot = 0
	return fed
}

// collect notes what the announced read was fed, if it was. The slot stays as it is until the next read is announced.
func (r *reader) collect(op *Op) bool {
	s := r.lane.slot.Load()
	if s&slotState != slotFed {
		return false
	}
	r.slot = s
	op.slot, op.fed = 0, true
	op.allowance, op.more = min(slotSize(s), op.size()), s&slotMore != 0
	return true
}

// ungranted notes that the write which fed op was withdrawn before op took anything, so that op waits on.
func (r *reader) ungranted(op *Op) {
	if op.fed && op.N == 0 && op.allowance > 0 && r.lane.granted.Load() <= r.taken {
		op.fed, op.more, op.allowance = false, false, 0
	}
}

// awaitFeed waits the moment between a writer's feeding and its publishing.
func (r *reader) awaitFeed(op *Op) {
	for n := 0; op.fed && !r.attempt(op) && !op.begun; n++ {
		r.ungranted(op)
		if !r.end.mayStillLetGo(n) {
			return
		}
	}
}

// feed hands the first bytes of a write to the read that is announced, if the ring is empty before it.
func (w *writer) feed(op *Op) {
	s := w.lane.slot.Load()
	if !w.awaited(s) {
		return
	}
	k := min(slotSize(s), len(op.data))
	w.lane.granted.Store(op.start + uint64(k)) // before the read can see that it was fed; see reader.ungranted
	if w.lane.slot.CompareAndSwap(s, fedSlot(k, k < len(op.data))) {
		w.granted = op.start + uint64(k)
	} else {
		w.lane.granted.Store(w.granted)
	}
}

// awaited reports whether s, the slot, says that a read waits for what comes next.
func (w *writer) awaited(s uint64) bool {
	return s&slotState == slotWaiting && s&slotAt == packAt(w.published)
}

// demand returns the bytes that all pending reads together would take.
func (w *writer) demand() uint64 {
	n := w.lane.demand.Load()
	if s := w.lane.slot.Load(); s&slotState == slotWaiting {
		n += uint64(slotSize(s))
	}
	return n
}
