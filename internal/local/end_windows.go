package local

import (
	"context"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe/internal/npfs"
)

// end is one overlapped handle of a pipe, server end or client end. It turns operations that may stay pending into calls that
// wait, with deadlines and Close.
type end struct {
	handle windows.Handle
	typ    npfs.Mode // of the pipe
	server bool
	reject bool // the instance refuses clients of other machines, as far as this process knows

	// users counts calls in progress; endClosed is set in it by Close. The last one out closes the handle, unless endKept is set.
	users  atomic.Int64
	letGo  sync.Once
	closed chan struct{} // closed with the handle

	reads, writes, listens *side
	turns                  turns

	modesMu sync.Mutex // guards below
	modes   npfs.Modes // as the user set them
	whole   bool       // a call for whole messages has put the handle into message-read mode
}

const (
	endClosed int64 = 1 << 62
	endKept   int64 = 1 << 61
)

// newEnd makes an end of an overlapped handle, which it owns, also if it fails.
func newEnd(handle windows.Handle) (*end, error) {
	p, err := completions()
	if err == nil {
		err = p.attach(handle)
	}
	if err != nil {
		windows.CloseHandle(handle)
		return nil, err
	}
	return endOf(handle), nil
}

// endOf makes an end of a handle that is attached to the completion port.
func endOf(handle windows.Handle) *end {
	return &end{handle: handle, closed: make(chan struct{}), reads: newSide(), writes: newSide(), listens: newSide()}
}

// Type returns the pipe's type, without asking anybody.
func (e *end) Type() npfs.Mode { return e.typ }

// enter begins a call that uses the handle; leave ends it.
func (e *end) enter() error {
	if e.users.Add(1)&endClosed != 0 {
		e.leave()
		return net.ErrClosed
	}
	return nil
}

func (e *end) leave() {
	users := e.users.Add(-1)
	if users&^endKept != endClosed {
		return
	}
	e.letGo.Do(func() {
		if users&endKept == 0 {
			_ = windows.CloseHandle(e.handle)
		}
		close(e.closed)
	})
}

// over returns why nothing may go on waiting on the side, or nil.
func (e *end) over(s *side) error {
	switch {
	case e.users.Load()&endClosed != 0:
		return net.ErrClosed
	case s.by.passed():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// Close ends every waiting call with net.ErrClosed and closes the handle. A second Close returns net.ErrClosed.
func (e *end) Close() error { return e.finish(false) }

// finish is Close; with keep the handle stays open, for its next owner.
func (e *end) finish(keep bool) error {
	bits := endClosed
	if keep {
		bits |= endKept
	}
	for {
		users := e.users.Load()
		if users&endClosed != 0 {
			<-e.closed
			return net.ErrClosed
		}
		if e.users.CompareAndSwap(users, (users|bits)+1) {
			break
		}
	}
	for _, s := range []*side{e.reads, e.writes, e.listens} {
		s.by.stop()
		s.cancelAll(net.ErrClosed)
	}
	e.leave()
	<-e.closed
	return nil
}

// run carries an operation out, and waits for its end on side s. The caller has entered.
func (e *end) run(s *side, op *operation, submit func(*operation) windows.NTStatus) (n int, status windows.NTStatus, err error) {
	return e.runUntil(context.Background(), s, op, submit)
}

// runUntil is run that ctx ends too. The operation has ended in any case when it returns, and what it got counts more than
// what cancelled it.
func (e *end) runUntil(ctx context.Context, s *side, op *operation, submit func(*operation) windows.NTStatus) (n int, status windows.NTStatus, err error) {
	p, err := completions()
	if err != nil {
		return 0, windows.STATUS_INSUFFICIENT_RESOURCES, err
	}
	if ctx.Done() == nil {
		p.goDirect(op, &s.pace)
		defer p.leaveDirect(op)
	}
	status, pending := p.begin(op, submit)
	if pending {
		began := uptime()
		s.add(op, e.over)
		op.await(ctx, s)
		s.remove(op)
		now := uptime()
		s.pace.learn(now - began)
		if op.event != 0 {
			s.pace.yield(now)
		}
		status = op.status()
	}
	return op.outcome(status)
}

// outcome returns how an operation ended, with the reason if it was cancelled.
func (op *operation) outcome(status windows.NTStatus) (n int, _ windows.NTStatus, err error) {
	if failed(status) {
		if status == windows.STATUS_CANCELLED && op.reason != nil {
			return op.count(), status, op.reason
		}
		return 0, status, condition(status)
	}
	return op.count(), status, nil
}

// control runs a control code that ends soon.
func (e *end) control(code uint32, in, out []byte) (n int, err error) {
	if err := e.enter(); err != nil {
		return 0, err
	}
	defer e.leave()
	op := newOperation(e.handle)
	defer op.free()
	op.code, op.in, op.out = code, in, out
	n, _, err = e.run(e.listens, op, submitControl)
	return n, err
}

// SetReadDeadline sets the deadline of the calls that read.
func (e *end) SetReadDeadline(t time.Time) error { return e.setDeadline(e.reads, t) }

// SetWriteDeadline sets the deadline of the calls that write.
func (e *end) SetWriteDeadline(t time.Time) error { return e.setDeadline(e.writes, t) }

func (e *end) setDeadline(s *side, t time.Time) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.leave()
	s.by.set(t)
	return nil
}
