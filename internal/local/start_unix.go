//go:build linux || darwin || freebsd

package local

import (
	"context"
	"os"
	"sync"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// started is an operation of a link. Who waits for it drives it, as a blocking call drives its own; until then it only holds
// its place, where the other end finds it.
type started struct {
	link  *link
	write *npfs.Op // nil for a read
	read  *npfs.Op // nil for a write or flush; behind write in a transact
	done  bool     // when it was started, or looked at

	mu   sync.Mutex // guards gone; comes before the locks of npfs
	gone bool       // the Ops were given back
}

// Start begins an operation.
func (l *link) Start(r *Request) Pending {
	s := &started{link: l}
	if err := s.begin(r); err != nil {
		s.release()
		return ended{err}
	}
	return s
}

func (s *started) begin(r *Request) (err error) {
	l := s.link
	if err := l.allowed(r.Work.needs()); err != nil {
		return err
	}
	if r.Work == WriteWork && l.writeBy.passed() {
		return os.ErrDeadlineExceeded
	}
	if err := l.enter(); err != nil {
		return err
	}
	defer l.leave(&err)
	expectFaults()
	switch r.Work {
	case ReadWork:
		s.read = newOp()
		s.read.Buf = r.Out
		if r.Whole {
			s.done = l.end.StartReadMessage(s.read, r.Limit)
		} else {
			s.done = l.end.StartRead(s.read)
		}
	case WriteWork:
		s.write = newOp()
		s.done = l.end.StartWrite(s.write, r.In)
	case FlushWork:
		s.write = newOp()
		s.done = l.end.StartFlush(s.write)
	case TransactWork:
		s.beginTransact(r)
	default:
		return winerr.InvalidFunction
	}
	return nil
}

func (s *started) beginTransact(r *Request) {
	s.write, s.read = newOp(), newOp()
	s.read.Buf = r.Out
	if r.Whole {
		s.read.Whole(r.Limit)
	}
	if !s.link.end.StartTransact(s.write, s.read, r.In) {
		_, _, _ = finish(s.read) // it was not begun
		s.read, s.done = nil, true
	}
}

// release gives the Ops back that did not begin because of a fault in the region.
func (s *started) release() {
	for _, op := range []*npfs.Op{s.write, s.read} {
		if op != nil {
			*op = npfs.Op{} // not pooled: where the fault came is not known
		}
	}
}

// Done looks once.
func (s *started) Done() bool {
	if s.done {
		return true
	}
	l := s.link
	if l.enter() != nil {
		return true // Close has ended it, or is about to
	}
	var fault error
	defer l.leave(&fault)
	expectFaults()
	s.done = (s.write == nil || l.end.PollWrite(s.write)) && (s.read == nil || l.end.PollRead(s.read))
	return s.done
}

// Wait waits for what was started.
func (s *started) Wait(ctx context.Context) (n int, out []byte, err error) {
	defer guard(&err)
	expectFaults()
	if !s.done {
		stop := s.cancelWhenDone(ctx)
		s.await()
		stop()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	if s.write != nil {
		if n, _, err = finish(s.write); s.read == nil {
			return n, nil, err
		}
	}
	if err != nil { // of a transact's request
		s.link.end.CancelRead(s.read, err)
		_, out, _ = finish(s.read)
		return 0, out, err
	}
	return finish(s.read)
}

func (s *started) await() {
	if s.write != nil {
		s.link.await(writing, s.write)
	}
	if s.read != nil && (s.write == nil || s.write.Err == nil) {
		s.link.await(reading, s.read)
	}
}

// cancelWhenDone makes ctx cancel the operation, until stop is called.
func (s *started) cancelWhenDone(ctx context.Context) (stop func() bool) {
	switch {
	case ctx.Done() == nil:
		return func() bool { return true }
	case ctx.Err() != nil:
		s.Cancel(ctx.Err())
		return func() bool { return true }
	}
	return context.AfterFunc(ctx, func() { s.Cancel(ctx.Err()) })
}

// Cancel ends what is not over, and wakes who waits for it.
func (s *started) Cancel(reason error) (waiting bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.link
	if s.gone || l.enter() != nil {
		return false // it is over, or Close has ended it
	}
	var fault error
	defer l.leave(&fault)
	expectFaults()
	released()
	if s.write != nil && !l.end.PollWrite(s.write) {
		l.end.CancelWrite(s.write, reason)
		waiting = true
	}
	if s.read != nil && !l.end.PollRead(s.read) {
		l.end.CancelRead(s.read, reason)
		waiting = true
	}
	if waiting {
		l.bell.stir()
	}
	return waiting
}

// Cancel ends everything that waits at this end.
func (l *link) Cancel() (err error) {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.leave(&err)
	expectFaults()
	released()
	return cancelled(l.end.Cancel(winerr.OperationAborted))
}

// Start begins an operation of the connection that the instance has now, or its Connect.
func (in *Instance) Start(r *Request) Pending {
	if r.Work == ConnectWork {
		c, err := in.startConnect()
		if err != nil {
			return ended{err}
		}
		return c
	}
	inListening, inDisconnected := stateErrors(r.Work)
	conn, err := in.current(r.Work.needs(), inListening, inDisconnected)
	if conn == nil {
		return ended{err}
	}
	return &judged{in, conn.Start(r), inDisconnected}
}

// stateErrors returns what an operation gets when there is no client.
func stateErrors(w Work) (inListening, inDisconnected error) {
	switch w {
	case ReadWork, WriteWork:
		return winerr.PipeListening, winerr.PipeNotConnected
	case TransactWork:
		return winerr.BadPipe, winerr.BadPipe
	}
	return nil, nil
}

// judged is an operation of an instance's connection.
type judged struct {
	in *Instance
	Pending
	inDisconnected error
}

func (j *judged) Wait(ctx context.Context) (n int, out []byte, err error) {
	n, out, err = j.Pending.Wait(ctx)
	return n, out, j.in.verdict(err, j.inDisconnected)
}
