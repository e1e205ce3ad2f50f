//go:build cgo

package main

import (
	"sync"
	"sync/atomic"

	"github.com/anypipe/anypipe"
)

// entry is what a handle stands for: an end, a listener or an operation. Exactly one of conn, listener and operation is set.
type entry struct {
	handle    uint64 // immutable, like all down to operation
	conn      *anypipe.Conn
	instance  *anypipe.Instance // of conn, if it is a server end
	listener  *anypipe.Listener
	operation *operation

	callbacks callbacks   // of an end
	receiving atomic.Bool // anypipe_on_message reads this end
	accepts   waits       // of a listener
}

// A handle is a slot's index in the low bits and, above, how often the slot was used before, so that no number comes twice: a slot
// whose count is used up is not used again.
const (
	indexBits  = 24
	blockSize  = 1 << 10 // slots in a block
	maxBlocks  = 1 << indexBits / blockSize
	indexMask  = 1<<indexBits - 1
	lastHandle = 1<<64 - 1
)

// table is the process's handles. Looking one up takes no lock.
var table handles

type handles struct {
	blocks [maxBlocks]atomic.Pointer[block]
	open   atomic.Int64

	mu   sync.Mutex // guards below
	free []uint64   // the next handle of each slot that was used and is free
	next uint64     // first index that was never used
}

type block [blockSize]atomic.Pointer[entry]

func (t *handles) slot(handle uint64) *atomic.Pointer[entry] {
	index := handle & indexMask
	b := t.blocks[index/blockSize].Load()
	if b == nil {
		return nil
	}
	return &b[index%blockSize]
}

// get returns what the handle stands for, nil if it is not open.
func (t *handles) get(handle uint64) *entry {
	s := t.slot(handle)
	if s == nil {
		return nil
	}
	if e := s.Load(); e != nil && e.handle == handle {
		return e
	}
	return nil
}

// add gives e a handle. It returns 0 if there are too many.
func (t *handles) add(e *entry) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.free); n > 0 {
		e.handle, t.free = t.free[n-1], t.free[:n-1]
	} else {
		if t.next > indexMask {
			return 0
		}
		if t.next%blockSize == 0 {
			t.blocks[t.next/blockSize].Store(new(block))
		}
		e.handle = t.next | 1<<indexBits
		t.next++
	}
	t.open.Add(1)
	t.slot(e.handle).Store(e)
	return e.handle
}

// remove makes the handle invalid and returns what it stood for, to one caller only.
func (t *handles) remove(e *entry) bool {
	if !t.slot(e.handle).CompareAndSwap(e, nil) {
		return false
	}
	t.open.Add(-1)
	if e.handle > lastHandle-1<<indexBits {
		return true // the slot's numbers are used up
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free = append(t.free, e.handle+1<<indexBits)
	return true
}

// end returns the end of the handle, nil if it is none.
func end(handle uint64) *entry {
	if e := table.get(handle); e != nil && e.conn != nil {
		return e
	}
	return nil
}

// callbacks counts the callbacks of an end that run or are to come, so that its close can wait for them.
type callbacks struct {
	mu     sync.Mutex // guards below
	count  int
	closed bool
	idle   chan struct{} // closed when a close that waits may go on; nil until one does
}

// begin announces one callback. It fails when the end is being closed.
func (c *callbacks) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.count++
	return true
}

// done says that an announced callback has returned, or won't be called.
func (c *callbacks) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count--
	if c.count == 0 && c.idle != nil {
		close(c.idle)
	}
}

// close refuses new callbacks. wait, which it returns, waits for the others.
func (c *callbacks) close() (wait func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.count == 0 {
		return func() {}
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	return func() { <-c.idle }
}
