//go:build linux || darwin || freebsd

package local

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// KeepsAhead says that Listen exists on this system.
const KeepsAhead = true

// An Acceptor keeps instances of a pipe LISTENING ahead and queues those that a client came to, until Accept takes them. It
// has no goroutine: what it does is done by the door when a client comes, by Accept, and by Close of an accepted instance.
//
// Lock order: Acceptor.mu comes after none and before none: nothing else is locked or waited for under it.
type Acceptor struct {
	pipe   string            // immutable, as are all fields up to mu
	config npfs.CreateConfig // of every instance but the first
	target int               // how many instances are to be LISTENING, and how many may be queued beside
	server *server           // of the first instance
	queue  chan *Instance    // connected and not accepted; has room for all
	done   chan struct{}     // closed by Close
	failed chan error        // one error that ended the making of instances

	mu     sync.Mutex
	closed bool
	ahead  map[*Instance]struct{} // LISTENING, or connected this moment
	making int                    // instances that are being made
	moving int                    // connected instances on their way from ahead to the queue
	calm   *sync.Cond             // signalled when making or moving falls; uses mu
	full   bool                   // no instance could be made when last tried: the limit, or no descriptors or memory
	retry  *time.Timer            // while full: looks again, as other processes can't tell us of a slot
}

// retryFull is how often a full acceptor looks whether another process has closed an instance, or files.
const retryFull = 100 * time.Millisecond

// Listen creates the first instance and keeps target of them LISTENING. The errors are those of Create.
func Listen(ctx context.Context, pipe string, cfg *npfs.CreateConfig, target int) (*Acceptor, error) {
	first, err := Create(ctx, pipe, cfg)
	if err != nil {
		return nil, err
	}
	a := &Acceptor{pipe: pipe, config: *cfg, target: target, server: first.server, queue: make(chan *Instance, 2*target),
		done: make(chan struct{}), failed: make(chan error, 1), ahead: make(map[*Instance]struct{})}
	a.config.First = false
	a.calm = sync.NewCond(&a.mu)
	a.adopt(first)
	a.refill()
	return a, nil
}

// adopt takes a new instance in. A client may have come to it already.
func (a *Acceptor) adopt(in *Instance) {
	a.mu.Lock()
	a.ahead[in] = struct{}{}
	a.mu.Unlock()
	in.mu.Lock()
	in.acceptor = a
	here := in.state == connected
	in.mu.Unlock()
	if here {
		a.arrived(in)
	}
}

// arrived queues an instance that a client came to and makes the next one before that: closing this one must not end the
// name. It may be called twice.
func (a *Acceptor) arrived(in *Instance) {
	a.mu.Lock()
	_, mine := a.ahead[in]
	mine = mine && !a.closed
	if mine {
		delete(a.ahead, in)
		a.moving++ // keeps the room in the queue, and Close waiting, until in is there
	}
	a.mu.Unlock()
	if !mine {
		return // Close takes care of it
	}
	a.refill()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue <- in
	a.moving--
	a.calm.Broadcast()
}

// refill makes instances until enough are ahead.
func (a *Acceptor) refill() {
	for a.reserve() {
		in, err := a.create()
		if err == nil {
			a.adopt(in)
		}
		a.mu.Lock()
		a.making--
		a.full = err != nil
		if a.full && !a.closed && a.retry == nil {
			a.retry = time.AfterFunc(retryFull, a.lookAgain)
		}
		a.calm.Broadcast()
		a.mu.Unlock()
		if err != nil {
			a.fail(err)
			return
		}
		select {
		case <-a.failed: // what nobody was told in time is not true any more
		default:
		}
	}
}

// reserve counts one instance to be made, if one is wanted.
func (a *Acceptor) reserve() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	ahead := len(a.ahead) + a.making
	if a.closed || ahead >= a.target || ahead+a.moving+len(a.queue) >= 2*a.target {
		return false
	}
	a.making++
	return true
}

// create makes one more instance. Where the pipe has no limit that costs nothing but the instance.
func (a *Acceptor) create() (*Instance, error) {
	if a.server.pipe.MaxInstances == npfs.UnlimitedInstances {
		in := newInstance(a.server, &a.config)
		if a.server.add(in) {
			return in, nil
		}
	}
	return Create(context.Background(), a.pipe, &a.config)
}

// lookAgain is the timer's function.
func (a *Acceptor) lookAgain() {
	a.mu.Lock()
	a.retry = nil
	a.mu.Unlock()
	a.refill()
}

// fail lets Accept return an error that is not the limit's.
func (a *Acceptor) fail(err error) {
	if errors.Is(err, winerr.InstanceLimit) {
		return
	}
	if scarce, ok := errors.AsType[syscall.Errno](err); ok && scarce.Temporary() {
		err = os.NewSyscallError("making an instance", scarce) // in this form callers see that it will pass, as net/http does
	}
	select {
	case a.failed <- err:
	default: // one such error is enough
	}
}

// renew is called when an accepted instance is closed. If the limit keeps the acceptor from making another one, a new
// instance takes its place in one step, so that the name stays; renew then reports true, and in is closed.
func (a *Acceptor) renew(in *Instance) (bool, error) {
	a.mu.Lock()
	wanted := a.full && !a.closed && len(a.ahead)+a.making+a.moving+len(a.queue) < 2*a.target
	if wanted {
		a.making++
	}
	a.mu.Unlock()
	if !wanted {
		return false, nil
	}
	fresh, err := in.replace(&a.config)
	if fresh != nil {
		a.adopt(fresh)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.making--
	a.calm.Broadcast()
	return fresh != nil, err
}

// Accept returns the next instance that a client came to, also if that is gone already: it may have left data. The caller
// owns the instance.
func (a *Acceptor) Accept(ctx context.Context) (*Instance, error) {
	select {
	case <-a.done:
		return nil, net.ErrClosed
	case in := <-a.queue:
		a.refill()
		return in, nil
	default:
	}
	select {
	case in := <-a.queue:
		a.refill()
		return in, nil
	case err := <-a.failed:
		return nil, err
	case <-a.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close closes the instances that nobody accepted. A second Close does nothing.
func (a *Acceptor) Close() error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil
	}
	a.closed = true
	close(a.done)
	if a.retry != nil {
		a.retry.Stop()
	}
	for a.making+a.moving > 0 {
		a.calm.Wait()
	}
	left := make([]*Instance, 0, len(a.ahead)+len(a.queue))
	for in := range a.ahead {
		left = append(left, in)
	}
	for len(a.queue) > 0 {
		left = append(left, <-a.queue)
	}
	a.mu.Unlock()
	var errs []error
	for _, in := range left {
		errs = append(errs, in.Close())
	}
	return errors.Join(errs...)
}
