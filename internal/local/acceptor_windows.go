package local

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// KeepsAhead says that Listen exists on this system.
const KeepsAhead = true

// An Acceptor keeps instances of a pipe LISTENING ahead: a few goroutines, each with one LISTENING instance and, while nobody
// accepts, one connection. Where the limit leaves no room for a next instance, that of a client that has gone is put to new
// use, so that the name stays.
type Acceptor struct {
	ready   chan *Instance     // from the workers to Accept; immutable, as are all fields up to mu
	vacant  chan *Instance     // put to new use, for workers that lack one; has room for all
	freed   chan struct{}      // one token: an accepted instance was closed
	failed  chan error         // one error that ended a worker
	ctx     context.Context    // ends when Close is called
	stop    context.CancelFunc // Close
	running sync.WaitGroup     // joined by Close

	mu      sync.Mutex
	lacking int  // workers that wait for an instance
	closed  bool // nobody takes from vacant any more
}

// retryFull is how often a worker that met the limit looks whether another process has closed an instance.
const retryFull = 100 * time.Millisecond

// Listen creates the first instance and keeps count of them LISTENING. The errors are those of Create.
func Listen(ctx context.Context, pipe string, cfg *npfs.CreateConfig, count int) (*Acceptor, error) {
	first, err := Create(ctx, pipe, cfg)
	if err != nil {
		return nil, err
	}
	a := &Acceptor{ready: make(chan *Instance), vacant: make(chan *Instance, count), freed: make(chan struct{}, 1),
		failed: make(chan error, 1)}
	a.ctx, a.stop = context.WithCancel(context.Background())
	a.running.Go(func() { a.serve(first, first) })
	for range count - 1 {
		a.running.Go(func() { a.serve(a.next(first), first) })
	}
	return a, nil
}

// serve is one worker, which begins with an instance or lacks one; model is one to make others by. It ends with a.ctx.
func (a *Acceptor) serve(in, model *Instance) {
	for {
		if in == nil {
			if in = a.await(model); in == nil {
				return
			}
		}
		err := in.Connect(a.ctx)
		if err != nil && !errors.Is(err, winerr.PipeConnected) && !errors.Is(err, winerr.NoData) {
			a.fail(err)
			in.Close()
			return
		}
		next := a.next(in) // before this one is given away: its closing must not end the name
		in.acceptor = a
		select {
		case a.ready <- in:
			in = next
		case <-a.ctx.Done():
			in.Close()
			if next != nil {
				next.Close()
			}
			return
		}
	}
}

// next makes an instance like model. If that fails the worker is counted as lacking one, and nil is returned.
func (a *Acceptor) next(model *Instance) *Instance {
	in, err := model.Another(a.ctx)
	if err == nil {
		return in
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lacking++
	return nil
}

// await waits for an instance: one put to new use, or a new one when the limit allows it again. It returns nil when the
// acceptor is closed or creation fails for good.
func (a *Acceptor) await(model *Instance) *Instance {
	for a.ctx.Err() == nil {
		select {
		case in := <-a.vacant:
			return in
		default:
		}
		in, err := model.Another(a.ctx)
		switch {
		case err == nil && a.noLongerLacking():
			return in
		case err == nil: // a client's leaving was faster: its instance is on the way to us
			in.Close()
			continue
		case !errors.Is(err, winerr.InstanceLimit):
			a.fail(err)
			return nil
		}
		retry := time.NewTimer(retryFull)
		select {
		case in := <-a.vacant:
			retry.Stop()
			return in
		case <-a.freed:
		case <-retry.C:
		case <-a.ctx.Done():
		}
		retry.Stop()
	}
	return nil
}

// noLongerLacking takes one off the workers that lack an instance. It reports false if there is none.
func (a *Acceptor) noLongerLacking() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lacking == 0 {
		return false
	}
	a.lacking--
	return true
}

// release closes an accepted instance, or puts it to new use if a worker lacks one and nothing is lost by it.
func (a *Acceptor) release(in *Instance) error {
	if a.ctx.Err() == nil && a.noLongerLacking() {
		fresh, err := in.Replace()
		if err == nil {
			return a.give(fresh)
		}
		a.mu.Lock()
		a.lacking++
		a.mu.Unlock()
	}
	err := in.end.Close()
	select {
	case a.freed <- struct{}{}:
	default:
	}
	return err
}

// give hands an instance to a worker, unless there is none any more.
func (a *Acceptor) give(in *Instance) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return in.Close()
	}
	a.vacant <- in // has room for all workers
	return nil
}

// fail lets Accept return what ended a worker, unless that is Close.
func (a *Acceptor) fail(err error) {
	if a.ctx.Err() != nil {
		return
	}
	select {
	case a.failed <- err:
	default: // one such error is enough
	}
}

// Accept returns the next instance that a client came to. It ends with net.ErrClosed after Close.
func (a *Acceptor) Accept(ctx context.Context) (*Instance, error) {
	select {
	case <-a.ctx.Done():
		return nil, net.ErrClosed
	case in := <-a.ready:
		return in, nil
	default:
	}
	select {
	case in := <-a.ready:
		return in, nil
	case err := <-a.failed:
		return nil, err
	case <-a.ctx.Done():
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close closes the instances that nobody accepted and waits for the workers.
func (a *Acceptor) Close() error {
	a.stop()
	a.running.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for len(a.vacant) > 0 {
		(<-a.vacant).Close()
	}
	return nil
}
