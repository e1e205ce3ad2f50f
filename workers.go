package anypipe

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/anypipe/anypipe/internal/winerr"
)

// workers is the acceptor of transports that have none of their own: a few goroutines, each with one LISTENING instance
// and, while nobody accepts, one connection.
type workers struct {
	transport Transport // immutable, as are all fields
	name      Name
	config    *CreateConfig // of every instance but the first
	ready     chan ServerEndpoint
	freed     chan struct{}      // one token: an accepted instance was closed
	failed    chan error         // one error that ended a worker
	ctx       context.Context    // ends when close is called
	stop      context.CancelFunc // close
	running   sync.WaitGroup     // joined by close
}

func newWorkers(ctx context.Context, t Transport, n Name, cfg *CreateConfig, count int) (acceptor, error) {
	first, err := t.Create(ctx, n, cfg)
	if err != nil {
		return nil, err
	}
	later := *cfg
	later.First = false
	w := &workers{transport: t, name: n, config: &later, ready: make(chan ServerEndpoint),
		freed: make(chan struct{}, 1), failed: make(chan error, 1)}
	w.ctx, w.stop = context.WithCancel(context.Background())
	w.running.Go(func() { w.serve(first) })
	for range count - 1 {
		w.running.Go(func() { w.serve(nil) })
	}
	return w, nil
}

// serve is one worker. It ends with w.ctx.
func (w *workers) serve(in ServerEndpoint) {
	for {
		if in == nil {
			if in = w.create(); in == nil {
				return
			}
		}
		if err := connected(in.Connect(w.ctx)); err != nil {
			w.fail(err)
			in.Close()
			return
		}
		// The next instance comes before this one is given away: closing it must not end the name.
		next, _ := w.transport.Create(w.ctx, w.name, w.config) // on an error create below tries again, and waits
		select {
		case w.ready <- &accepted{ServerEndpoint: in, freed: w.freed}:
			in = next
		case <-w.ctx.Done():
			in.Close()
			if next != nil {
				next.Close()
			}
			return
		}
	}
}

// connected says whether Connect's result means that there is a connection to serve, also one whose client is gone.
func connected(err error) error {
	if errors.Is(err, winerr.PipeConnected) || errors.Is(err, winerr.NoData) {
		return nil
	}
	return err
}

// create makes an instance, waiting while the limit is reached. It returns nil when the listener is closed or creation
// fails for good.
func (w *workers) create() ServerEndpoint {
	for {
		in, err := w.transport.Create(w.ctx, w.name, w.config)
		switch {
		case err == nil:
			return in
		case !errors.Is(err, winerr.InstanceLimit):
			w.fail(err)
			return nil
		}
		// Our own closed instance wakes us; another process's can't, so look again now and then.
		retry := time.NewTimer(100 * time.Millisecond)
		select {
		case <-w.freed:
		case <-retry.C:
		case <-w.ctx.Done():
		}
		retry.Stop()
		if w.ctx.Err() != nil {
			return nil
		}
	}
}

// fail lets accept return what ended a worker, unless that is close.
func (w *workers) fail(err error) {
	if w.ctx.Err() != nil {
		return
	}
	select {
	case w.failed <- err:
	default: // one such error is enough
	}
}

func (w *workers) accept(ctx context.Context) (ServerEndpoint, error) {
	select {
	case <-w.ctx.Done():
		return nil, net.ErrClosed
	case in := <-w.ready:
		return in, nil
	default:
	}
	select {
	case in := <-w.ready:
		return in, nil
	case err := <-w.failed:
		return nil, err
	case <-w.ctx.Done():
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *workers) close() error {
	w.stop()
	w.running.Wait()
	return nil
}

// accepted tells the workers when an instance is closed, as that makes room for another one.
type accepted struct {
	ServerEndpoint
	freed chan struct{}
}

// Start and Cancel are the instance's own, if it has them.
func (a *accepted) Start(r *Request) Pending { return start(a.ServerEndpoint, r) }
func (a *accepted) Cancel() error            { return cancel(a.ServerEndpoint) }

func (a *accepted) Close() error {
	err := a.ServerEndpoint.Close()
	select {
	case a.freed <- struct{}{}:
	default:
	}
	return err
}
