package local

import (
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/windows"
)

// Waiting at the port costs two changes of threads: from the kernel to the goroutine that dispatches, and on to the one that
// waits. An end whose operations have been ending soon waits for the kernel itself instead, in its own thread. No more than a
// few may, as such a wait keeps the thread for as long as it lasts; all others wait at the port.
const (
	directWaits = 8                     // at a time, in the process
	soon        = time.Millisecond      // a wait that was worth the thread
	notSoon     = 20 * time.Millisecond // a wait that was not; what lies between is a hiccup of a busy machine
	soonEnough  = 16                    // how many waits that were worth it make the next one direct
	mostlySoon  = 24                    // as far as it counts, so that hiccups are forgiven to a side that has been quick for long
)

// pace remembers how the waits of a side went. It is updated without a lock: a lost update costs one wrong guess.
type pace struct {
	quick   atomic.Int32 // up with each wait that ended soon, up to mostlySoon; down with hiccups
	yielded atomic.Int64 // when yield last did something, in the time of uptime
}

// learn tells how long a wait lasted.
func (p *pace) learn(waited time.Duration) {
	switch quick := p.quick.Load(); {
	case waited > notSoon:
		p.quick.Store(0)
	case waited > soon:
		p.quick.Store(max(quick-2, 0))
	default:
		p.quick.Store(min(quick+1, mostlySoon))
	}
}

// yield lets the scheduler run from time to time. A goroutine that goes from one direct wait to the next without the scheduler
// seeing it looks to Go's monitor like one that runs for ever: after 10 ms it takes the processor away in the middle of a wait,
// wakes another thread for it, and stays alert itself. As yielding may wake a thread too, not every wait does.
func (p *pace) yield(now time.Duration) {
	const often = 4 * time.Millisecond
	if now-time.Duration(p.yielded.Load()) >= often {
		p.yielded.Store(int64(now))
		runtime.Gosched()
	}
}

// goDirect gives op an event to wait for, if its side is quick and a direct wait is free.
func (p *port) goDirect(op *operation, pace *pace) {
	if pace.quick.Load() < soonEnough {
		return
	}
	select {
	case op.event = <-p.direct:
	default:
	}
}

// leaveDirect gives the event back.
func (p *port) leaveDirect(op *operation) {
	if op.event != 0 {
		p.direct <- op.event // has room for all
		op.event = 0
	}
}

// awaitEvent waits for the end of an operation that has an event. The kernel clears the event when the operation begins.
func (op *operation) awaitEvent() {
	for atomic.LoadUintptr(&op.block.Internal) == uintptr(windows.STATUS_PENDING) {
		if _, err := windows.WaitForSingleObject(op.event, windows.INFINITE); err != nil {
			panic("anypipe: an event is broken: " + err.Error()) // somebody closed our handle
		}
	}
}
