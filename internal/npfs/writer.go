package npfs

import (
	"net"
	"slices"
	"sync"

	"github.com/anypipe/anypipe/internal/winerr"
)

// writer is the writing half of an end. It owns the lane's writer line.
type writer struct {
	end   *End
	lane  *lane
	typ   Mode
	quota uint64

	mu      sync.Mutex // guards all below
	ring    ring
	pending []*Op  // blocked writes in the order they came; behind one that is still streaming in, none is in the ring
	flushes []*Op  // waiting flushes
	tail    uint64 // ring position behind the last byte
	// published is the tail that the reader can see.
	published uint64
	queued    uint64 // payload position behind the last accepted byte
	granted   uint64 // payload position up to which bytes were given to announced reads
	waiting   uint64 // payload bytes of pending writes whose header is not in the ring
	messages  uint32 // how many these are, and the empty messages that writes carry
	finished  bool   // CloseWrite was called
	closed    bool   // the end was closed: the region must not be touched any more
	head      uint64 // the reader's head when last looked at
	taken     uint64 // the reader's taken when last looked at
	restarted uint64 // the page, counted in restartStep, in which starting over was last tried
	row       int    // writes that completed at once since the last that did not
	roused    bool   // the other end was roused and the bell is not rung yet
	others    bool   // an operation other than the caller's was completed, so its waiter must be woken
}

// restartAfter is how far from its beginning an empty ring starts over there, so that a quiet connection touches few pages.
const (
	restartAfter = 16 << 10
	restartStep  = 4 << 10
)

// start begins a write of p, which must stay unchanged until op is done. It is done on return (true), or pending.
func (w *writer) start(op *Op, p []byte, noWait bool) bool {
	w.mu.Lock()
	defer w.unlock()
	w.startLocked(op, p, noWait)
	w.countRow(op)
	return op.done
}

func (w *writer) startLocked(op *Op, p []byte, noWait bool) {
	if w.closed {
		op.finish(net.ErrClosed)
		return
	}
	if err := w.refusal(); err != nil {
		op.finish(err)
		return
	}
	if len(p) == 0 && w.typ == Byte {
		op.finish(nil)
		return
	}
	if noWait {
		fits := false
		if p, fits = w.fitting(p); !fits {
			op.finish(nil)
			return
		}
		op.forced = true
	}
	op.data = p
	w.accept(op)
}

// unlock releases mu, wakes the waiters of other operations that were completed under it, and the other end.
func (w *writer) unlock() {
	others, roused := w.others, w.roused
	w.others, w.roused = false, false
	w.mu.Unlock()
	if roused {
		w.end.config.Bell()
	}
	if others {
		w.end.config.Wake()
	}
}

// refusal returns why nothing can be written now.
func (w *writer) refusal() error {
	switch flags := w.end.flags(); {
	case flags&flagDisconnected != 0:
		return winerr.PipeNotConnected
	case flags != 0 || w.finished:
		return winerr.NoData
	}
	return nil
}

// fitting returns what a PIPE_NOWAIT write of p may take: all of it if pending reads and the free quota take it, or for
// byte pipes what pending reads take, or nothing (false).
func (w *writer) fitting(p []byte) ([]byte, bool) {
	if len(p) == 0 {
		return p, true
	}
	w.look()
	fed := 0
	if w.tail == w.head {
		fed = int(min(w.demand(), uint64(len(p))))
	}
	free := w.ring.size() - (w.tail - w.head)
	need := recordAlign + alignRecord(uint64(len(p)))
	switch {
	case uint64(len(p)-fed) <= w.free() && (need <= free || fed == len(p)) && !w.streaming():
		return p, true
	case w.typ == Byte && fed > 0 && !w.streaming():
		return p[:fed], true
	}
	return nil, false
}

// accept queues a write: behind the others, into the ring as far as it has room, and first of all to the pending read.
func (w *writer) accept(op *Op) {
	streaming := w.streaming() // then the ring was full, so it is mapped
	if !streaming {
		if err := w.end.reach(&w.ring, w.tail, recordAlign+uint64(len(op.data))); err != nil {
			op.finish(err)
			return
		}
	}
	op.start = w.queued
	w.queued += uint64(len(op.data))
	if streaming && len(op.data) == 0 { // an empty message never blocks: the write before it carries it
		w.pending[len(w.pending)-1].empties++
		w.count(0, 1)
		op.finish(nil)
		return
	}
	if !streaming {
		w.restart()
		w.put(op)
	}
	if !w.complete(op) {
		w.look()
		if !streaming && !op.whole() {
			w.put(op)
		}
		if !w.complete(op) {
			w.pending = append(w.pending, op)
			if !op.inRing {
				op.counted = true
				w.count(len(op.data), 1)
			}
			w.progress(op)
		}
	}
}

// count publishes a change of what is accepted and not in the ring yet.
func (w *writer) count(bytes, messages int) {
	w.waiting += uint64(bytes)
	w.messages += uint32(messages)
	w.lane.waiting.Store(w.waiting)
	w.lane.messages.Store(w.messages)
}

// streaming reports whether a write is not wholly in the ring yet, so that later ones must queue behind it.
func (w *writer) streaming() bool {
	return len(w.pending) > 0 && !w.pending[len(w.pending)-1].whole()
}

// whole reports whether the write is in the ring entirely, with the empty messages that it carries.
func (op *Op) whole() bool { return op.inRing && op.written == len(op.data) && op.empties == 0 }

// restart moves an empty ring's positions to its beginning by a void record, which takes up the rest of the ring until the reader has
// skipped it. So it does that for a read that waits only, which will; else writes that the quota allows might block. It looks
// at the reader once in a page only.
func (w *writer) restart() {
	offset := w.tail & w.ring.mask
	if offset < restartAfter || w.tail/restartStep == w.restarted {
		return
	}
	w.restarted = w.tail / restartStep
	w.look()
	rest := w.ring.size() - offset
	if w.head != w.tail || !w.awaited(w.lane.slot.Load()) || rest < recordAlign {
		return
	}
	w.ring.setHeader(w.tail, voidRecord|uint32(rest-recordAlign))
	w.tail += rest
}

// put writes as much of op into the ring as there is room for, feeds the pending read, and publishes.
func (w *writer) put(op *Op) {
	free := w.room(recordAlign + len(op.data) - op.written)
	if !op.inRing {
		if free < recordAlign {
			return
		}
		op.record, op.inRing = w.tail, true
		w.ring.setHeader(w.tail, uint32(len(op.data)))
		w.feed(op)
		w.tail += recordAlign
		free -= recordAlign
	}
	w.putData(op, free)
	w.putEmpties(op)
	w.publish()
	w.uncount(op)
}

// uncount takes what has entered the ring out of the waiting.
func (w *writer) uncount(op *Op) {
	if op.counted && op.inRing {
		op.counted = false
		w.count(-len(op.data), -1)
	}
}

// putData writes the next bytes of op's payload, at most free with the padding behind the last.
func (w *writer) putData(op *Op, free uint64) {
	rest := uint64(len(op.data) - op.written)
	if rest == 0 {
		return
	}
	n := min(rest, free)
	if n == rest && alignRecord(w.tail+n)-w.tail > free {
		n-- // the padding belongs to the last byte
	}
	for p := op.data[op.written : op.written+int(n)]; len(p) > 0; {
		k := min(len(p), portion)
		w.tail = w.ring.copyIn(w.tail, p[:k])
		op.written, p = op.written+k, p[k:]
		if len(p) > 0 && uint64(len(op.data)) > w.quota && !op.forced { // it waits for the reader, who may as well begin
			w.publishPortion(op)
		}
	}
	if n == rest {
		w.tail = alignRecord(w.tail)
	}
}

// publishPortion shows the reader what is in the ring of a write that goes on, and wakes it at once, as there is much to copy yet.
func (w *writer) publishPortion(op *Op) {
	w.publish()
	w.uncount(op)
	if w.roused {
		w.roused = false
		w.end.config.Bell()
	}
}

// putEmpties writes the empty messages that op carries.
func (w *writer) putEmpties(op *Op) {
	for op.written == len(op.data) && op.empties > 0 && w.room(recordAlign) >= recordAlign {
		w.ring.setHeader(w.tail, 0)
		w.tail += recordAlign
		op.empties--
		w.count(0, -1)
	}
}

// publish shows the reader what is in the ring; unlock wakes it if it sleeps.
func (w *writer) publish() {
	if w.published != w.tail {
		w.published = w.tail
		w.lane.tail.Store(w.tail)
		w.roused = w.end.rouse(wantData) || w.roused
	}
}

// room returns the free bytes of the ring, looking at the reader's progress only if fewer than want are known to be free.
func (w *writer) room(want int) uint64 {
	free := w.ring.size() - (w.tail - w.head)
	if free < uint64(want)+recordAlign {
		w.look()
		free = w.ring.size() - (w.tail - w.head)
	}
	return free
}

// look reads the reader's progress, once, and breaks the connection if it makes no sense.
func (w *writer) look() {
	w.lookAt(w.lane.position.Load())
}

func (w *writer) lookAt(position uint64) {
	head, taken := advance(w.head, w.taken, position)
	if head > w.tail || taken > w.queued {
		w.end.breakDown()
		return
	}
	w.head, w.taken = head, taken
}

// charged returns the bytes that count against the quota.
func (w *writer) charged() uint64 { return w.queued - max(w.granted, w.taken) }

// free returns the quota that is left.
func (w *writer) free() uint64 { return w.quota - min(w.quota, w.charged()) }

// complete finishes op if it is in the ring and within the quota.
func (w *writer) complete(op *Op) bool {
	within := op.forced || len(op.data) == 0 || op.end() <= max(w.granted, w.taken)+w.quota
	if !op.whole() || !within {
		return false
	}
	if op.forced {
		w.lane.forced.Store(op.end())
	}
	op.N = len(op.data)
	op.finish(nil)
	return true
}

// progress streams blocked writes into the ring and completes what is within the quota, in order. The caller waits for
// mine, which may be nil.
func (w *writer) progress(mine *Op) {
	flags := w.end.flags()
	if flags&flagDisconnected != 0 && flags&endBroken == 0 && len(w.pending) > 0 {
		w.settle()
	}
	w.look()
	for _, op := range w.pending {
		if !op.whole() && flags == 0 {
			w.put(op)
		}
		if !op.whole() {
			break
		}
	}
	ended := func(op *Op, completed bool) bool {
		ended := completed || w.fail(op, flags)
		w.others = w.others || ended && op != mine
		return ended
	}
	w.pending = slices.DeleteFunc(w.pending, func(op *Op) bool { return ended(op, w.complete(op)) })
	w.flushes = slices.DeleteFunc(w.flushes, func(op *Op) bool { return ended(op, w.flushed(op)) })
}

// mark fills in what changes when the reader moves or the connection ends. It takes no lock.
func (w *writer) mark(m *Mark) {
	m.end, m.word, m.ignore = w.end, &w.lane.position, claimMask
	m.moved, m.flags = m.word.Load()&^claimMask, m.ending()
}

// fail ends a pending operation when the connection has ended.
func (w *writer) fail(op *Op, flags uint32) bool {
	switch {
	case flags == 0:
		return false
	case flags&flagDisconnected != 0:
		op.finish(winerr.PipeNotConnected)
	default:
		op.finish(winerr.BrokenPipe)
	}
	return true
}

// startFlush begins a flush: it is done when the reader has read what was accepted until now.
func (w *writer) startFlush(op *Op) bool {
	w.mu.Lock()
	defer w.unlock()
	w.startFlushLocked(op)
	return op.done
}

func (w *writer) startFlushLocked(op *Op) {
	if w.closed {
		op.finish(net.ErrClosed)
		return
	}
	switch flags := w.end.flags(); {
	case flags&flagDisconnected != 0 && !w.end.server:
		op.finish(winerr.PipeNotConnected)
		return
	case flags != 0:
		op.finish(nil)
		return
	}
	w.look()
	op.start, op.tail = w.queued, w.tail
	if !w.flushed(op) {
		w.flushes = append(w.flushes, op)
		w.progress(op)
	}
}

func (w *writer) flushed(op *Op) bool {
	if max(w.granted, w.taken) < op.start || w.head < op.tail {
		return false
	}
	op.finish(nil)
	return true
}

func (w *writer) poll(op *Op) bool {
	w.mu.Lock()
	defer w.unlock()
	if !w.closed {
		w.progress(op)
	}
	return op.done
}

// finishWriting announces that nothing more will be written.
func (w *writer) finishWriting() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return net.ErrClosed
	}
	if err := w.refusal(); err != nil && !w.finished {
		return err
	}
	w.finished = true
	w.lane.fin.Store(1)
	w.end.ringFor(wantData)
	return nil
}

// cancel ends a pending write or flush with err and takes back the unread part of a write.
func (w *writer) cancel(op *Op, err error) {
	w.mu.Lock()
	defer w.unlock()
	if !w.closed {
		w.cancelLocked(op, err)
	}
}

func (w *writer) cancelLocked(op *Op, err error) {
	w.progress(op)
	if op.done {
		return
	}
	if i := slices.Index(w.flushes, op); i >= 0 {
		w.flushes = slices.Delete(w.flushes, i, i+1)
		op.finish(err)
		return
	}
	w.replace(op)
	position, claimed := w.claim()
	if !claimed {
		op.finish(winerr.BrokenPipe)
		return
	}
	w.lookAt(position)
	op.N = w.withdraw(op)
	w.lane.position.Store(position | claimRevised)
	w.end.ringFor(wantData)
	if op.N == len(op.data) {
		err = nil
	}
	op.finish(err)
	w.progress(op)
}

// writable returns the free quota less what the reader's pending reads would take, as Windows counts it.
func (w *writer) writable() int {
	w.mu.Lock()
	defer w.unlock()
	if w.closed {
		return 0
	}
	w.progress(nil)
	free := w.free()
	return int(free - min(free, w.demand()))
}

// close ends all pending operations with err, withdraws what was not read of pending writes, and forbids new ones. It holds
// mu throughout: an operation that is done belongs to its caller again.
func (w *writer) close(err error) {
	w.mu.Lock()
	for len(w.flushes) > 0 {
		w.cancelLocked(w.flushes[0], err)
	}
	for n := len(w.pending); n > 0; n = len(w.pending) {
		w.cancelLocked(w.pending[n-1], err) // the latest, so that withdrawing frees the ring from its end
	}
	w.closed = true
	w.unlock()
	w.end.config.Wake()
}
