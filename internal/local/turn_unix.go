//go:build linux || darwin || freebsd

package local

import (
	"context"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/anypipe/anypipe/internal/winerr"
)

// queue is one direction of a stream. Its calls take turns in the order they came, and one of them can be cancelled alone.
type queue struct {
	set func(time.Time) error // sets the direction's deadline in the runtime's poller; immutable

	mu    sync.Mutex // guards all below, and the calls
	calls []*call    // the first has the turn
	by    time.Time  // the deadline; while the first is being cancelled the poller has another
}

// call is a place in a queue.
type call struct {
	turn   chan struct{} // closed when it has the turn, or was cancelled before
	reason error         // why it was cancelled
}

// hasTurn is the turn of calls that needed not wait for it.
var hasTurn = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// join takes a place. The call must wait for its turn, and leave.
func (q *queue) join() *call {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := &call{turn: hasTurn}
	if len(q.calls) > 0 {
		c.turn = make(chan struct{})
	}
	q.calls = append(q.calls, c)
	return c
}

// try is join for who does not wait for others.
func (q *queue) try() *call {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.calls) > 0 {
		return nil
	}
	c := &call{turn: hasTurn}
	q.calls = append(q.calls, c)
	return c
}

// first reports whether c has the turn.
func (q *queue) first(c *call) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.calls[0] == c
}

// wait waits for the turn. A call that was cancelled before has no place any more and gets the reason.
func (q *queue) wait(c *call) error {
	if c.turn == hasTurn {
		return nil
	}
	<-c.turn
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.calls) == 0 || q.calls[0] != c {
		return c.reason
	}
	return nil
}

// leave gives the turn to the next and returns how the call ended, which err says unless it was cancelled.
func (q *queue) leave(c *call, err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls = slices.Delete(q.calls, 0, 1)
	if len(q.calls) > 0 {
		close(q.calls[0].turn)
	}
	if c.reason == nil {
		return err
	}
	_ = q.set(q.by) // fails only if the stream is closed
	if err == os.ErrDeadlineExceeded {
		return c.reason
	}
	return err
}

// cancel ends the call if it has not left yet. It reports whether it had not, nor was cancelled before.
func (q *queue) cancel(c *call, reason error) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.calls, c)
	if i < 0 || c.reason != nil {
		return false
	}
	c.reason = reason
	if i == 0 {
		_ = q.set(time.Unix(1, 0)) // as above
		return true
	}
	q.calls = slices.Delete(q.calls, i, i+1)
	close(c.turn)
	return true
}

// cancelAll ends all calls and reports whether there were any.
func (q *queue) cancelAll(reason error) (found bool) {
	q.mu.Lock()
	all := slices.Clone(q.calls)
	q.mu.Unlock()
	for _, c := range slices.Backward(all) { // the first last, so that nobody gets the turn meanwhile
		found = q.cancel(c, reason) || found
	}
	return found
}

// setDeadline sets the direction's deadline.
func (q *queue) setDeadline(t time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.by = t
	if len(q.calls) > 0 && q.calls[0].reason != nil {
		return nil // leave will set it
	}
	return q.set(t)
}

// queued is an operation of a stream that waits, in a goroutine of its own.
type queued struct {
	queue *queue
	call  *call
	over  chan struct{} // closed when the result is there
	n     int
	err   error
}

// goOn does the rest of a call in its turn, after n bytes.
func (q *queue) goOn(c *call, n int, work func() (int, error)) Pending {
	o := &queued{queue: q, call: c, over: make(chan struct{}), n: n}
	go func() {
		defer close(o.over)
		if o.err = q.wait(c); o.err != nil {
			return
		}
		more, err := work()
		o.n, o.err = o.n+more, q.leave(c, err)
	}()
	return o
}

func (o *queued) Done() bool {
	select {
	case <-o.over:
		return true
	default:
		return false
	}
}

func (o *queued) Wait(ctx context.Context) (int, []byte, error) {
	select {
	case <-o.over:
	case <-ctx.Done():
		o.Cancel(ctx.Err())
		<-o.over
	}
	return o.n, nil, o.err
}

// Cancel waits for the end, which comes soon then.
func (o *queued) Cancel(reason error) bool {
	found := o.queue.cancel(o.call, reason)
	<-o.over
	return found
}

// result is an operation that was over when it had begun, with what it did.
type result struct {
	ended
	n int
}

func (r result) Wait(context.Context) (int, []byte, error) { return r.n, nil, r.err }

// Start begins an operation. What can be done at once is done; the rest waits in a goroutine, which ends when the stream is
// closed.
func (s *stream) Start(r *Request) Pending {
	if r.Work == TransactWork || r.Whole {
		return ended{s.refuse(r.Work.needs(), winerr.BadPipe)}
	}
	if err := s.allow(r.Work.needs()); err != nil {
		return ended{err}
	}
	switch r.Work {
	case ReadWork:
		return s.startRead(r.Out)
	case WriteWork:
		return s.startWrite(r.In)
	case FlushWork:
		return s.startFlush()
	}
	return ended{winerr.InvalidFunction}
}

func (s *stream) startRead(p []byte) Pending {
	c := s.reads.join()
	if s.reads.first(c) && s.readable() {
		n, err := s.read(p)
		return result{ended{s.reads.leave(c, err)}, n}
	}
	return s.reads.goOn(c, 0, func() (int, error) { return s.read(p) })
}

// readable reports whether a read does not wait. The caller has the turn.
func (s *stream) readable() bool {
	return len(s.ahead) > 0 || s.ended || s.noWait.Load() || s.fill(false) != winerr.PipeEmpty
}

func (s *stream) startWrite(p []byte) Pending {
	c := s.writes.join()
	if !s.writes.first(c) {
		return s.writes.goOn(c, 0, func() (int, error) { return s.write(p) })
	}
	if len(p) == 0 || s.noWait.Load() {
		n, err := s.write(p)
		return result{ended{s.writes.leave(c, err)}, n}
	}
	n, err := s.writeWhatFits(p)
	if err != nil || n == len(p) {
		return result{ended{s.writes.leave(c, err)}, n}
	}
	return s.writes.goOn(c, n, func() (int, error) { return s.write(p[n:]) })
}

func (s *stream) startFlush() Pending {
	c := s.writes.join()
	if s.writes.first(c) && !s.flushWaits() {
		return ended{s.writes.leave(c, s.flush())}
	}
	return s.writes.goOn(c, 0, func() (int, error) { return 0, s.flush() })
}

// Cancel ends everything that waits.
func (s *stream) Cancel() error {
	if err := s.gone(nil); err != nil {
		return err
	}
	reads := s.reads.cancelAll(winerr.OperationAborted)
	return cancelled(s.writes.cancelAll(winerr.OperationAborted) || reads)
}
