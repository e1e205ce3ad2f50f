package npfs

import (
	"io"
	"net"
	"slices"
	"sync"

	"github.com/anypipe/anypipe/internal/winerr"
)

// reader is the reading half of an end. It owns the lane's reader line.
type reader struct {
	end   *End
	lane  *lane
	typ   Mode
	quota uint64 // immutable

	mu       sync.Mutex // guards all below
	ring     ring
	closed   bool   // the end was closed: the region must not be touched any more
	pending  []*Op  // reads in the order they came; the first may be announced
	demand   uint64 // sum of the sizes of pending but the first
	slot     uint64 // what stands in the lane's slot while none of pending is announced
	seen     uint64 // the writer's tail when last looked at
	head     uint64 // ring position of the next byte
	taken    uint64 // payload bytes read
	position uint64 // both as the writer sees them, unclaimed
	left     uint64 // unread payload of the record under head; 0 between records
	next     uint64 // ring position of the record after it
	unmapped error  // why the ring could not be mapped further when last tried
	row      int    // reads since the last lull, each of which found what it wanted
	written  uint64 // the other direction's tail at that lull
	page     uint64 // the page, counted in restartStep, in which a lull was last passed over; see reader.lull
	dropped  bool   // the writer was killed and what it had not completed was dropped
	roused   bool   // the other end was roused and the bell is not rung yet
	others   bool   // a read other than the caller's was completed, so its waiter must be woken
}

// start begins a read. It is done on return (true), or pending.
func (r *reader) start(op *Op, noWait bool) bool {
	r.mu.Lock()
	defer r.unlock()
	r.startLocked(op, noWait)
	return op.done
}

// unlock releases mu, wakes the waiters of other reads that were completed under it, and the other end.
func (r *reader) unlock() {
	others, roused := r.others, r.roused
	r.others, r.roused = false, false
	r.mu.Unlock()
	if roused {
		r.end.config.Bell()
	}
	if others {
		r.end.config.Wake()
	}
}

func (r *reader) startLocked(op *Op, noWait bool) {
	if r.closed {
		op.finish(net.ErrClosed)
		return
	}
	if len(r.pending) == 0 && r.attempt(op) {
		r.row++
		return
	}
	if noWait && !op.begun {
		op.finish(winerr.PipeEmpty)
		return
	}
	op.pended = !op.begun
	r.pending = append(r.pending, op)
	if len(r.pending) > 1 {
		r.setDemand(r.demand + uint64(op.size()))
	}
	r.progress(op)
}

// progress completes pending reads in order as far as the lane allows, and announces the first that must go on waiting.
// The caller waits for mine, which may be nil.
func (r *reader) progress(mine *Op) {
	for len(r.pending) > 0 {
		op := r.pending[0]
		if !r.serve(op) {
			return
		}
		r.drop(op)
		r.others = r.others || op != mine
	}
}

// serve tries to complete the first pending read: it takes what it was fed, or what arrived before it was announced,
// else it announces the read and looks again, as the writer may just have missed the announcement.
func (r *reader) serve(op *Op) bool {
	for range 8 { // a peer that keeps us looking is looked at again at the next poll
		if op.slot != 0 && !r.collect(op) {
			if r.end.flags() == 0 && r.lane.fin.Load() == 0 && r.idle() {
				return false
			}
			r.withdrawAnnouncement(op)
		}
		r.ungranted(op)
		if r.attempt(op) {
			return true
		}
		if op.begun || op.fed {
			return false
		}
		r.announce(op)
	}
	return false
}

// idle reports whether nothing lies in the ring.
func (r *reader) idle() bool { return r.lane.tail.Load() == r.head && r.left == 0 }

// drop removes a completed or cancelled read from the queue.
func (r *reader) drop(op *Op) {
	i := slices.Index(r.pending, op)
	if i < 0 {
		return
	}
	r.pending = slices.Delete(r.pending, i, i+1)
	switch {
	case i > 0:
		r.setDemand(r.demand - uint64(op.size()))
	case len(r.pending) > 0: // the next is first now
		r.setDemand(r.demand - uint64(r.pending[0].size()))
	}
}

func (r *reader) setDemand(n uint64) {
	r.demand = n
	r.lane.demand.Store(n)
}

// attempt tries to complete a read from the ring, or by the state of the connection when the ring is empty.
func (r *reader) attempt(op *Op) bool {
	if r.takeWhole(op) {
		return true
	}
	before := r.end.flags() // before the ring: what was written before the peer closed must be found
	flags := before
	fin := r.lane.fin.Load() != 0 && r.lane.messages.Load() == 0
	if flags&(flagDisconnected|endBroken) == 0 && !r.idle() {
		if !r.claim() {
			flags |= endBroken
		} else {
			r.ungranted(op) // nothing is taken back from here on
			r.take(op)
			r.release()
			if op.done {
				return true
			}
		}
		flags |= r.end.flags()
	}
	switch {
	case flags == 0 && !(fin && r.idle()):
		return false
	case flags&flagDisconnected != 0:
		op.N = 0
		op.finish(winerr.PipeNotConnected)
	case op.begun && op.N > 0 && !op.perRecord:
		op.finish(nil) // a byte read keeps what it has
	case before == 0 && flags&endBroken == 0 && !r.idle() && (!op.begun || r.available() > 0):
		return false // more came in before the end, perhaps the rest of a message that was begun
	default:
		op.N = 0 // a message that stopped half-way never happened
		op.finish(io.EOF)
	}
	return true
}

// claim takes the front of the lane for reading. It fails, and breaks the connection, if the writer holds it for longer
// than any withdrawal can last.
func (r *reader) claim() bool {
	for n := 0; !r.swapPosition(r.position|claimReader) && !r.end.gone.Load(); n++ { // a dead writer lets go of nothing
		if !r.end.mayStillLetGo(n) {
			return false
		}
	}
	r.seen = r.lane.tail.Load() // what was seen before may have been taken back
	return true
}

// swapPosition replaces the published position unless the writer holds the claim.
func (r *reader) swapPosition(claimed uint64) bool {
	return r.lane.position.CompareAndSwap(r.position, claimed) || r.lane.position.CompareAndSwap(r.position|claimRevised, claimed)
}

// publish makes progress visible to the writer, with the claim that still holds, and reports whether there was any.
func (r *reader) publish(claim uint64) bool {
	before := r.position
	r.position = packPosition(r.head, r.taken)
	r.lane.position.Store(r.position | claim)
	return r.position != before
}

// release publishes and lets go of the front.
func (r *reader) release() {
	if r.publish(0) {
		r.rouse()
	}
}

// rouse sees to it that a writer which sleeps for space is woken when mu is free: a bell needs much of a stack.
func (r *reader) rouse() { r.roused = r.end.rouse(wantSpace) || r.roused }

// takeWhole is the usual read: it copies out a whole message that lies in the ring, and then takes it by one
// compare-and-swap. That fails if the writer has taken anything back since the reader last looked at tail; then, and when
// anything else is unusual, nothing has happened and the read goes the long way, under a claim.
func (r *reader) takeWhole(op *Op) bool {
	if r.seen == r.head {
		r.seen = r.lane.tail.Load()
	}
	published := r.seen - r.head
	if r.ring.rest == nil {
		published = r.ring.mapped(r.head, published)
	}
	if published < recordAlign || published > r.ring.size() || r.left > 0 || !op.perRecord || op.N > 0 || op.more {
		return false
	}
	length := uint64(r.ring.header(r.head)) // of a void record far more than was published
	size := recordAlign + alignRecord(length)
	if length == 0 || length > r.quota || size > published || length > uint64(op.room()) {
		return false
	}
	if r.end.flags()&(flagDisconnected|endBroken) != 0 {
		return false
	}
	r.ring.copyOut(r.head+recordAlign, op.place(length, length))
	position := packPosition(r.head+size, r.taken+length)
	if !r.lane.position.CompareAndSwap(r.position, position) {
		op.displace(int(length))
		return false
	}
	r.head, r.taken, r.position = r.head+size, r.taken+length, position
	op.N = int(length)
	op.finish(nil)
	r.rouse()
	return true
}

// take moves bytes from the ring into op until it is done or the ring has no more. The claim is held.
func (r *reader) take(op *Op) {
	r.applyCut()
	r.unmapped = nil
	empty := false // swallowed an empty message
	for !op.done {
		if r.end.flags()&flagDisconnected != 0 || !r.enter() || r.unfinished() {
			break
		}
		if r.left == 0 {
			r.takeEmpty(op)
			empty = true
			continue
		}
		if op.room() == 0 {
			op.finish(r.fullError(op))
			return
		}
		if !r.copySome(op) {
			return // the rest is still streaming in
		}
		switch {
		case op.room() == 0:
			op.finish(r.fullError(op))
		case r.left == 0 && (op.perRecord || op.pended):
			op.finish(nil)
		}
	}
	switch {
	case op.done:
	case (op.N > 0 || empty) && !op.begun && !op.fed:
		op.finish(nil)
	case r.unmapped != nil:
		op.finish(r.unmapped)
	}
}

// fullError is the result of a read whose buffer is full: ERROR_MORE_DATA if it stands within a message. A read that has room for
// any message stands there only if the writer fed it a part, which no honest one does.
func (r *reader) fullError(op *Op) error {
	switch {
	case !op.perRecord || r.left == 0 && !op.more:
		return nil
	case op.grow && op.limit == 0:
		r.end.breakDown()
		op.displace(op.N)
		op.N = 0
		return io.EOF
	}
	return winerr.MoreData
}

// takeEmpty consumes an empty message, which completes a message read with 0 bytes. A byte read swallows it and goes
// on; if nothing else is there it completes with 0 bytes (see take). A zero-length read leaves it, unless fed by it.
func (r *reader) takeEmpty(op *Op) {
	if op.room() == 0 && !op.fed {
		op.finish(nil)
		return
	}
	r.leave()
	if op.perRecord || op.pended {
		op.finish(nil)
	}
}

// reach maps the ring further if n bytes at pos need it. It reports false, and unmapped says why, if that failed.
func (r *reader) reach(pos, n uint64) bool {
	r.unmapped = r.end.reach(&r.ring, pos, n)
	return r.unmapped == nil
}

// enter moves head to a record with payload or to an empty message, skipping void ones, and sees to it that all of it is
// mapped. It reports false if the ring has no more records.
func (r *reader) enter() bool {
	for r.left == 0 {
		available := r.available()
		if available < recordAlign || !r.reach(r.head, recordAlign) {
			return false
		}
		h := r.ring.header(r.head)
		length := uint64(h & recordLength)
		next := alignRecord(r.head + recordAlign + length)
		if h&voidRecord == 0 {
			if !r.reach(r.head+recordAlign, length) {
				return false
			}
			r.left, r.next = length, next
			if length == 0 {
				return true // head stays on the header of an empty message
			}
			r.head += recordAlign
			return true
		}
		if next-r.head > available {
			r.end.breakDown()
			return false
		}
		r.head = next
	}
	return true
}

// unfinished reports whether the record under head is part of a write that had not completed when its process was
// killed, and drops it. Windows cancels such a write, so it vanishes, and nothing completed lies behind it.
func (r *reader) unfinished() bool {
	end := r.taken + r.left
	if r.left <= r.quota || end <= r.lane.forced.Load() || !r.peerKilled() {
		return false // it was within the quota when its writer was last here, or its writer still is
	}
	r.dropped = true
	r.head += r.available()
	r.left = 0
	return true
}

// peerKilled reports whether the other process has ended without closing its end.
func (r *reader) peerKilled() bool {
	if !r.end.gone.Load() && !r.end.config.Alive() {
		r.end.gone.Store(true)
	}
	return r.end.gone.Load() && r.end.peer.flags.Load()&flagClosed == 0
}

// leave ends the record under head.
func (r *reader) leave() {
	r.head, r.left = r.next, 0
}

// available returns the published bytes behind head, 0 if the region makes no sense.
func (r *reader) available() uint64 {
	r.seen = r.lane.tail.Load()
	n := r.seen - r.head
	if n > r.ring.size() {
		r.end.breakDown()
		return 0
	}
	return n
}

// copySome copies what is there of the current record and fits. It reports whether it came to the end of the record or
// of the buffer.
func (r *reader) copySome(op *Op) bool {
	for r.left > 0 && op.room() > 0 {
		n := min(uint64(op.room()), r.left, r.available(), portion)
		if n == 0 {
			op.begun = true
			return false
		}
		r.ring.copyOut(r.head, op.place(n, r.left))
		op.N += int(n)
		r.head += n
		r.left -= n
		r.taken += n
		if r.left > 0 && op.room() > 0 {
			if r.publish(claimReader) { // the writer streams on while we hold the claim
				r.end.ringFor(wantSpace)
			}
		}
	}
	if r.left == 0 {
		r.leave()
	}
	op.begun = false
	return true
}

// applyCut shortens the record under head if its writer withdrew the rest. A message read that had begun it starts
// over with the next message; a byte read keeps what it has.
func (r *reader) applyCut() {
	to := r.lane.cutTo.Load()
	if r.left == 0 || to < r.head || to > r.next { // cuts of earlier records lie behind head
		return
	}
	end := r.lane.cutEnd.Load()
	if end < r.head || end > to {
		end = r.head
	}
	r.left, r.next = min(r.left, end-r.head), to
	if r.left > 0 {
		return
	}
	r.leave()
	if len(r.pending) > 0 && r.pending[0].begun {
		r.pending[0].restart()
	}
}

// poll completes what can be completed and reports whether op is done.
func (r *reader) poll(op *Op) bool {
	r.mu.Lock()
	defer r.unlock()
	if !r.closed {
		r.progress(op)
	}
	return op.done
}

// mark fills in what changes when the writer moves or the connection ends. It takes no lock.
func (r *reader) mark(m *Mark) {
	m.end, m.word, m.lane = r.end, &r.lane.tail, r.lane
	m.moved, m.cut = r.lane.tail.Load(), r.lane.cutTo.Load()
	m.flags = m.ending()
}

// cancel ends a pending read with err, unless it has its data: what arrived is returned.
func (r *reader) cancel(op *Op, err error) {
	r.mu.Lock()
	defer r.unlock()
	if !r.closed {
		r.cancelLocked(op, err)
	}
}

func (r *reader) cancelLocked(op *Op, err error) {
	r.progress(op)
	if op.done {
		return
	}
	if op.slot != 0 && r.withdrawAnnouncement(op) {
		r.awaitFeed(op)
	}
	r.drop(op)
	switch {
	case op.done:
	case op.N > 0 && op.perRecord && !op.grow:
		op.finish(winerr.MoreData) // nothing is lost: the rest follows in the next read
	case op.N > 0 && !op.perRecord:
		op.finish(nil)
	default:
		op.finish(err)
	}
	r.progress(op)
}

// close ends all pending reads with err and forbids new ones. It holds mu throughout: a read that is done belongs to its
// caller again, who may use it for something else.
func (r *reader) close(err error) {
	r.mu.Lock()
	for len(r.pending) > 0 {
		r.cancelLocked(r.pending[0], err)
	}
	r.closed = true
	r.unlock()
	r.end.config.Wake()
}
