//go:build linux || darwin || freebsd

package local

import (
	"context"
	"errors"
	"net"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// listen is one stay in LISTENING. done is closed at its end, after err is set: nil if a client came.
type listen struct {
	done chan struct{}
	err  error

	abort   chan struct{} // closed by Cancel, which puts a new one there; guarded by the instance's mu
	waiting int           // Connects that abort ends; guarded by the instance's mu
}

func newListen() *listen { return &listen{done: make(chan struct{}), abort: make(chan struct{})} }

// connecting is a Connect that waits for a client.
type connecting struct {
	in     *Instance
	stay   *listen
	abort  chan struct{}
	cancel chan struct{} // closed by Cancel, after reason is set
	reason error
	over   bool // it does not count as waiting any more; guarded by in.mu
}

// Connect is ConnectNamedPipe.
func (in *Instance) Connect(ctx context.Context) error {
	c, err := in.startConnect()
	if err != nil {
		return err
	}
	_, _, err = c.Wait(ctx)
	return err
}

// startConnect begins a Connect; after Disconnect it begins a stay in LISTENING.
func (in *Instance) startConnect() (*connecting, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch in.state {
	case closed:
		return nil, net.ErrClosed
	case connected:
		if in.conn.Status().State == npfs.Connected {
			return nil, winerr.PipeConnected
		}
		return nil, winerr.NoData
	case disconnected:
		in.listen, in.state = newListen(), listening
		if err := in.server.listen(in); err != nil {
			in.listen, in.state = nil, disconnected
			return nil, err
		}
	}
	if in.modes.NoWait {
		return nil, winerr.PipeListening
	}
	in.listen.waiting++
	return &connecting{in: in, stay: in.listen, abort: in.listen.abort, cancel: make(chan struct{})}, nil
}

// Done reports whether a client came, or none will.
func (c *connecting) Done() bool {
	return isClosed(c.stay.done) || isClosed(c.abort) || isClosed(c.cancel)
}

// Wait waits for a client. What ended the operation first counts.
func (c *connecting) Wait(ctx context.Context) (int, []byte, error) {
	select {
	case <-c.stay.done:
	case <-c.abort:
	case <-c.cancel:
	case <-ctx.Done():
		c.Cancel(ctx.Err()) // does nothing if a client is there
	}
	switch {
	case isClosed(c.cancel):
		return 0, nil, c.reason
	case isClosed(c.abort):
		return 0, nil, winerr.OperationAborted
	}
	<-c.stay.done
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.leave()
	return 0, nil, c.stay.err
}

// Cancel ends the wait, if no client has come.
func (c *connecting) Cancel(reason error) bool {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	if isClosed(c.stay.done) || !c.leave() {
		return false
	}
	c.reason = reason
	close(c.cancel)
	return true
}

// leave takes the Connect off those that wait. It reports whether it was one. in.mu must be held.
func (c *connecting) leave() bool {
	if c.over || isClosed(c.abort) {
		return false
	}
	c.over = true
	c.stay.waiting--
	return true
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Cancel ends everything that waits at this end, for a client too.
func (in *Instance) Cancel() error {
	in.mu.Lock()
	if in.state == closed {
		in.mu.Unlock()
		return net.ErrClosed
	}
	conn, found := in.conn, false
	if l := in.listen; l != nil && l.waiting > 0 {
		close(l.abort)
		l.abort, l.waiting, found = make(chan struct{}), 0, true
	}
	in.mu.Unlock()
	if conn != nil {
		err := conn.Cancel()
		found = found || err == nil
		if err != nil && !errors.Is(err, winerr.NotFound) && !errors.Is(err, net.ErrClosed) {
			return err
		}
	}
	return cancelled(found)
}
