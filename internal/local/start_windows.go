package local

import (
	"context"
	"errors"
	"os"
	"sync/atomic"

	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// started is an operation of an end that is not over. A goroutine takes its result, whether anybody waits for it or not: the end's
// Close waits for that.
type started struct {
	over   chan struct{}         // closed when the result is there
	ctx    context.Context       // of the goroutine
	cancel context.CancelFunc    // of ctx
	reason atomic.Pointer[error] // why it was cancelled

	n   int // the result
	out []byte
	err error
}

// Start begins an operation. What ends at once has ended on return.
func (e *end) Start(r *Request) Pending {
	if r.Work == WriteWork && e.writes.by.passed() {
		return ended{os.ErrDeadlineExceeded}
	}
	if len(r.In) > maxTransfer {
		return ended{winerr.InvalidParameter}
	}
	if err := e.enter(); err != nil {
		return ended{err}
	}
	s := &started{over: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	switch r.Work {
	case ReadWork:
		s.read(e, r)
	case WriteWork:
		op := newOperation(e.handle)
		op.in = r.In
		s.submit(e, e.writes, op, submitWrite, func(n int, _ windows.NTStatus, err error) { s.n, s.err = n, err })
	case TransactWork:
		s.transact(e, r)
	case FlushWork:
		s.background(e, func() { s.err = e.flush(s.ctx) })
	case ConnectWork:
		op := newOperation(e.handle)
		op.code = fsctlListen
		s.submit(e, e.listens, op, submitControl, func(_ int, _ windows.NTStatus, err error) { s.err = err })
	}
	return s
}

// read begins a read. One that has not got its turn, or is to read a whole message, goes on in the goroutine.
func (s *started) read(e *end, r *Request) {
	if r.Whole && e.typ != npfs.Message {
		s.err = winerr.BadPipe
		s.end(e)
		return
	}
	turn := e.turns.join(r.Whole)
	switch {
	case r.Whole:
		s.background(e, func() {
			if s.out, s.err = r.Out, e.turns.await(s.ctx, turn, e.reads, e.over); s.err == nil {
				s.out, s.err = e.readNext(s.ctx, r.Out, r.Limit)
			}
		})
	case e.turns.has(turn):
		op := newOperation(e.handle)
		op.out = r.Out[:min(len(r.Out), maxTransfer)]
		s.submit(e, e.reads, op, submitRead, func(n int, status windows.NTStatus, err error) {
			e.turns.drop(false)
			s.n, s.err = readResult(n, status, err)
		})
	default:
		s.background(e, func() {
			if s.err = e.turns.await(s.ctx, turn, e.reads, e.over); s.err == nil {
				defer e.turns.drop(false)
				s.n, s.err = e.read(s.ctx, r.Out)
			}
		})
	}
}

// transact begins a transact. One into a buffer of the caller's is one call of the kernel.
func (s *started) transact(e *end, r *Request) {
	if r.Whole {
		s.transactWhole(e, r)
		return
	}
	mine := e.turns.try(true)
	op := newOperation(e.handle)
	op.code, op.in, op.out = fsctlTransceive, r.In, r.Out[:min(len(r.Out), maxTransfer)]
	s.submit(e, e.reads, op, submitControl, func(n int, status windows.NTStatus, err error) {
		if mine {
			e.turns.drop(true)
		}
		if s.n, s.err = n, err; status == windows.STATUS_BUFFER_OVERFLOW {
			s.err = winerr.MoreData
		}
	})
}

// transactWhole begins a transact with an answer of any size: the kernel has the request on return, and the goroutine reads what the
// first buffer had no room for.
func (s *started) transactWhole(e *end, r *Request) {
	p, err := completions()
	if err != nil {
		s.err = err
		s.end(e)
		return
	}
	mine := e.turns.try(true)
	op, reply := e.transaction(r.In, r.Out, r.Limit)
	status, pending := p.begin(op, submitControl)
	if pending {
		e.reads.add(op, e.over)
	}
	s.background(e, func() {
		if pending {
			op.await(s.ctx, e.reads)
			e.reads.remove(op)
			status = op.status()
		}
		n, status, err := op.outcome(status)
		op.free()
		if mine {
			defer e.turns.drop(true)
		}
		s.out, s.err = reply.finish(s.ctx, e, n, status, err)
	})
}

// submit gives an operation to the kernel; take is given its end.
func (s *started) submit(e *end, side *side, op *operation, submit func(*operation) windows.NTStatus, take func(int, windows.NTStatus, error)) {
	finish := func(status windows.NTStatus) {
		take(op.outcome(status))
		op.free()
		s.end(e)
	}
	p, err := completions()
	if err != nil {
		take(0, windows.STATUS_INSUFFICIENT_RESOURCES, err)
		op.free()
		s.end(e)
		return
	}
	status, pending := p.begin(op, submit)
	if !pending {
		finish(status)
		return
	}
	side.add(op, e.over)
	go func() {
		op.await(s.ctx, side)
		side.remove(op)
		finish(op.status())
	}()
}

// background does what takes several steps.
func (s *started) background(e *end, work func()) {
	go func() {
		work()
		s.end(e)
	}()
}

// end makes the result known.
func (s *started) end(e *end) {
	s.cancel()
	close(s.over)
	e.leave()
}

// Done reports whether the result is there.
func (s *started) Done() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}

// Wait waits for the result.
func (s *started) Wait(ctx context.Context) (n int, out []byte, err error) {
	select {
	case <-s.over:
	case <-ctx.Done():
		s.Cancel(ctx.Err())
	}
	if reason := s.reason.Load(); reason != nil && errors.Is(s.err, context.Canceled) {
		return s.n, s.out, *reason
	}
	return s.n, s.out, s.err
}

// Cancel ends the operation and waits for its end, which comes soon then.
func (s *started) Cancel(reason error) bool {
	if s.Done() || !s.reason.CompareAndSwap(nil, &reason) {
		<-s.over
		return false
	}
	s.cancel()
	<-s.over
	return errors.Is(s.err, context.Canceled)
}

// Cancel ends everything that waits at this end.
func (e *end) Cancel() error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.leave()
	found := false
	for _, s := range []*side{e.reads, e.writes, e.listens} {
		found = s.cancelAll(winerr.OperationAborted) || found
	}
	return cancelled(found)
}
