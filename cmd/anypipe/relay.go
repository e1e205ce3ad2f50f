package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/anypipe/anypipe"
)

// input is a stream of items (stdin, or lines typed), read ahead by one. Its goroutine can't be interrupted while it
// reads a terminal or another process's pipe: it ends with the stream or, at its next item, with ctx.
type input struct {
	items chan []byte // closed at the end of the stream
	err   error       // why the stream ended, if not by its end; valid when items is closed
}

// newInput starts to read at once; an item that nobody takes is kept until somebody does.
func newInput(ctx context.Context, f framing, r io.Reader) *input {
	in := &input{items: make(chan []byte)}
	go func() {
		defer close(in.items)
		in.err = f.split(r, func(item []byte) error {
			select {
			case in.items <- append([]byte(nil), item...): // the receiver keeps it while we read on
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	return in
}

// readAll reads a whole stream and gives up with ctx; the goroutine then stays behind in its read, as input's does.
func readAll(ctx context.Context, r io.Reader) ([]byte, error) {
	in := newInput(ctx, whole, r)
	select {
	case all, ok := <-in.items:
		if !ok {
			return nil, in.err
		}
		return all, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// relay joins one connection to an input and an output.
type relay struct {
	conn     *anypipe.Conn
	gone     func() bool // whether the other end was closed; nil asks for Info
	framing  framing
	in       *input               // shared with the next relay: nothing is read that can't be sent
	emit     func(p []byte) error // takes what is received
	canRead  bool
	canWrite bool
	// ownInput says that the input is for this connection alone: its end ends the sending direction even if nothing was
	// sent, and what can't be sent any more is an error.
	ownInput bool
	// stopAtEnd ends the relay with the input instead of going on to receive.
	stopAtEnd bool

	sent, received int64 // bytes; received belongs to the receiving goroutine until run returns

	// On Windows a pipe can't be told the end of one direction so that every program understands it.
	untold bool         // that happened
	latest atomic.Int64 // when something came last, in Unix nanoseconds
}

// run returns nil when both directions ended or the other end is gone. The connection stays open; its read deadline is spent.
func (r *relay) run(ctx context.Context) error {
	defer bindDeadline(ctx, r.conn)()
	ended := make(chan error, 1)
	if r.canRead {
		go func() { ended <- r.framing.receive(r.conn, r.take) }()
	} else {
		ended <- nil
	}
	err, receiving := r.loop(ctx, ended)
	if receiving {
		r.conn.SetReadDeadline(longAgo)
		<-ended
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// take counts and hands on what was received.
func (r *relay) take(p []byte) error {
	r.received += int64(len(p))
	r.latest.Store(time.Now().UnixNano())
	return r.emit(p)
}

// loop sends until everything ended; receiving tells whether the receiving side still runs.
func (r *relay) loop(ctx context.Context, ended <-chan error) (err error, receiving bool) {
	receiving = true
	var items <-chan []byte
	if r.canWrite {
		items = r.in.items
	}
	// A peer that closes after it ended its direction wakes no read any more, so look.
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for receiving || items != nil {
		select {
		case item, ok := <-items:
			if ok {
				if err := r.send(item); err != nil {
					return err, receiving
				}
				continue
			}
			if err := r.inputEnded(); err != nil || r.stopAtEnd {
				return err, receiving
			}
			items = nil
		case err := <-ended:
			receiving = false
			if err != nil {
				return err, false
			}
			if r.canRead && r.peerGone() {
				return r.unsent(items), false
			}
		case <-look.C:
			if !receiving && r.peerGone() {
				return r.unsent(items), false
			}
			if r.untold && time.Since(time.Unix(0, r.latest.Load())) > lingering {
				return nil, receiving
			}
		case <-ctx.Done():
			return context.Cause(ctx), receiving
		}
	}
	return nil, false
}

// unsent tells, when the other end is gone, whether there was more to send. An input that has nothing for a moment is taken
// for idle: whether a writer would still write can't be known.
func (r *relay) unsent(items <-chan []byte) error {
	if !r.ownInput || r.stopAtEnd || items == nil {
		return nil // the next client gets it, a person sees it, or it ended
	}
	select {
	case _, more := <-items:
		if more {
			return fmt.Errorf("the pipe ended before all input was sent: %w", anypipe.ErrNoData)
		}
	case <-time.After(250 * time.Millisecond):
	}
	return nil
}

// send writes one item. While it waits for room, nothing else is lost: the receiving goroutine goes on.
func (r *relay) send(item []byte) error {
	n, err := r.conn.Write(item)
	r.sent += int64(n)
	return err
}

// inputEnded tells the other end that nothing more comes. Where pipes have no half-close (byte type on Windows), and when
// the other end is gone, there is nobody to tell. On Windows the connection lasts as long as something comes then, as the
// other end may wait for ours to close.
func (r *relay) inputEnded() error {
	if r.in.err != nil || (r.sent == 0 && !r.ownInput) {
		return r.in.err
	}
	err := r.conn.CloseWrite()
	if runtime.GOOS == "windows" {
		r.latest.Store(time.Now().UnixNano())
		r.untold = true
	}
	if errors.Is(err, anypipe.ErrNotSupported) || errors.Is(err, anypipe.ErrBadPipe) || errors.Is(err, anypipe.ErrNoData) {
		return nil
	}
	return err
}

// peerGone reports whether the other end was closed altogether, and not only its direction ended.
func (r *relay) peerGone() bool {
	if r.gone != nil {
		return r.gone()
	}
	return peerGone(r.conn)
}

// peerGone reports whether nobody is at the other end; an end that can't be asked is taken for closed.
func peerGone(c *anypipe.Conn) bool {
	info, err := c.Info()
	return err != nil || info.State != anypipe.Connected
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// bindDeadline makes ctx end every waiting call of c. The function returned unbinds.
func bindDeadline(ctx context.Context, c *anypipe.Conn) func() bool {
	return context.AfterFunc(ctx, func() { c.SetDeadline(longAgo) })
}

// bounded prefers the reason of ctx's end to the error that this end caused.
func bounded(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
