package anypipe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/anypipe/anypipe/internal/winerr"
)

// Dialer holds options for opening a pipe as its client. The zero value opens for reading and writing, as Dial does.
// A Dialer is safe for concurrent use and must not be modified after first use.
type Dialer struct {
	// Access is what CreateFile is asked for; 0 means GenericRead|GenericWrite. A pipe of one direction must be
	// opened with the matching right alone, else the error is ErrAccessDenied.
	Access Access
	// ReadMode is set after opening. The zero value, Byte, is Windows' own start; Message fails with
	// ErrInvalidParameter on byte-type pipes.
	ReadMode Mode
	// NoBusyWait makes Dial fail at once with ErrPipeBusy when no instance is free. Without it Dial waits, as
	// programs do with WaitNamedPipe, until its context is done.
	NoBusyWait bool
	// ExpectOwner, if not empty, is the SID or user name that must own the pipe; anything else is ErrAccessDenied.
	// It protects against another user's program that took the name first.
	ExpectOwner string
	// MaxMessage limits what ReadMessage, Messages, Transact and Call accept, in bytes; 0 means no limit.
	MaxMessage int
	// NoPolling makes waiting calls of the client end sleep at once. Without it they poll for a moment first, which saves
	// the tens of microseconds of a wake-up when the other end answers soon, costs CPU for at most that moment, and stops by itself
	// when it does not pay. On Windows the kernel waits, which never polls.
	NoPolling bool
	// Transport carries the pipe; nil means this machine.
	Transport Transport
}

// Dial opens the pipe as its client, for reading and writing: CreateFile, and WaitNamedPipe while every instance is
// taken. If no such pipe exists the error is [ErrNotExist] at once. ctx bounds the waiting only; if its deadline
// passes while the pipe is busy the error is [ErrTimeout] and if it is cancelled, context.Canceled. A pipe that is free is
// opened even if ctx is done.
func Dial(ctx context.Context, name string) (*Conn, error) { return new(Dialer).Dial(ctx, name) }

// Dial opens a pipe; see the function [Dial].
func (d *Dialer) Dial(ctx context.Context, name string) (*Conn, error) {
	n, err := ParseName(name)
	if err != nil {
		return nil, opError("open", nil, nil, err)
	}
	end, err := d.open(ctx, n)
	if err != nil {
		return nil, opError("open", nil, n, err)
	}
	c := NewConn(end, n, n)
	c.maxMessage = d.MaxMessage
	if d.ReadMode != Byte {
		if err := c.SetModes(Modes{Read: d.ReadMode}); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// open is the standard client loop: open; while busy, wait and open again.
func (d *Dialer) open(ctx context.Context, n Name) (Endpoint, error) {
	t := transportOr(d.Transport)
	cfg := OpenConfig{Access: d.Access, ExpectOwner: d.ExpectOwner, NoPolling: d.NoPolling}
	if cfg.Access == 0 {
		cfg.Access = GenericRead | GenericWrite
	}
	for {
		end, err := t.Open(ctx, n, &cfg)
		if err == nil || d.NoBusyWait || !errors.Is(err, winerr.PipeNotAvailable) {
			return end, waitError(err)
		}
		if err := t.Wait(ctx, n, WaitForever); err != nil {
			return nil, waitError(err)
		}
	}
}

// waitError turns a context's deadline into the condition that Windows has for a wait that was too short.
func waitError(err error) error {
	switch {
	case err == context.DeadlineExceeded:
		return winerr.SemTimeout
	case errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, winerr.SemTimeout):
		return fmt.Errorf("%v: %w", err, winerr.SemTimeout)
	}
	return err
}

// Wait is WaitNamedPipe: it returns nil when an instance is LISTENING, without reserving it. timeout may be
// [UseDefaultWait], which is what the pipe's creator chose, [WaitForever], or a positive time, after which the error is
// [ErrTimeout]. If the pipe does not exist, or vanishes while waiting, the error is [ErrNotExist] at once. ctx ends the
// wait too.
func Wait(ctx context.Context, name string, timeout time.Duration) error {
	return new(Dialer).Wait(ctx, name, timeout)
}

// Wait waits for a free instance; see the function [Wait].
func (d *Dialer) Wait(ctx context.Context, name string, timeout time.Duration) error {
	n, err := ParseName(name)
	if err != nil {
		return opError("wait", nil, nil, err)
	}
	return opError("wait", nil, n, waitError(transportOr(d.Transport).Wait(ctx, n, timeout)))
}

// Call is CallNamedPipe: it opens a message-type pipe (waiting while it is busy), sends request as one message, returns
// the one message that comes back, and closes. On a byte-type pipe the error is [ErrInvalidParameter].
func Call(ctx context.Context, name string, request []byte) ([]byte, error) {
	return new(Dialer).Call(ctx, name, request)
}

// Call calls a pipe; see the function [Call]. A reply over MaxMessage gives its first bytes and [ErrMoreData], and the
// rest is lost.
func (d *Dialer) Call(ctx context.Context, name string, request []byte) ([]byte, error) {
	inner := *d
	inner.ReadMode = Message
	c, err := inner.Dial(ctx, name)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	reply, err := c.Transact(request)
	if err != nil && ctx.Err() != nil {
		return reply, c.opError("transact", context.Cause(ctx))
	}
	return reply, err
}

// List returns the live pipes of this machine that the user may see, ordered by name.
func List(ctx context.Context) ([]PipeInfo, error) {
	pipes, err := thisMachine{}.List(ctx)
	return pipes, opError("list", nil, nil, err)
}
