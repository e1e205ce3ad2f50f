package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anypipe/anypipe"
)

// channel is one connection that relay joins to another. Receiving and sending may go on at the same time, each in one
// goroutine. close unblocks both.
type channel interface {
	// receive returns the next message, or the next bytes where there are no messages; io.EOF is the end of that direction.
	// The slice is valid until the next call.
	receive() ([]byte, error)
	send(p []byte) error
	// endSend tells the other end that nothing more comes; ErrNotSupported if the channel has no way to say so.
	endSend() error
	close() error
}

// lingering is how long a channel that can't be told the end of one direction is kept while nothing comes in the other.
const lingering = time.Second

// maxJoined is the largest message that relay passes on, in bytes.
const maxJoined = 16 << 20

// join carries everything between a and b until both directions ended, one failed, or ctx is done, and closes both.
func join(ctx context.Context, a, b channel) (sent, received int64, err error) {
	j := &joint{a: a, b: b}
	stop := context.AfterFunc(ctx, j.closeBoth)
	defer stop()
	var carrying sync.WaitGroup
	carrying.Go(func() { j.carry(a, b, &sent) })
	carrying.Go(func() { j.carry(b, a, &received) })
	carrying.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.linger != nil {
		j.linger.Stop()
	}
	j.closeOnce.Do(j.closeChannels)
	if ctx.Err() != nil {
		return sent, received, context.Cause(ctx)
	}
	return sent, received, j.err
}

// joint is one join under way.
type joint struct {
	a, b      channel
	closeOnce sync.Once
	over      atomic.Bool // both were closed by us, so errors mean nothing any more

	mu     sync.Mutex
	err    error       // the first
	linger *time.Timer // closes both; nil while both directions can still end properly
}

// carry brings everything from one channel to the other and the end of it.
func (j *joint) carry(from, to channel, n *int64) {
	for {
		p, err := from.receive()
		if err == io.EOF {
			err = to.endSend()
			if errors.Is(err, anypipe.ErrNotSupported) {
				j.startLinger()
				return
			}
			if err == nil || isGone(err) {
				return
			}
		}
		if err == nil {
			*n += int64(len(p))
			j.keep()
			err = to.send(p)
		}
		if err != nil {
			j.fail(err)
			return
		}
	}
}

// isGone reports whether an error says only that the other end is not there any more.
func isGone(err error) bool {
	return errors.Is(err, anypipe.ErrNoData) || errors.Is(err, anypipe.ErrBrokenPipe) || errors.Is(err, anypipe.ErrNotConnected) ||
		readerGone(err)
}

// fail ends everything. That one end is gone is how connections end, and no error.
func (j *joint) fail(err error) {
	j.mu.Lock()
	if j.err == nil && !j.over.Load() && !isGone(err) {
		j.err = err
	}
	j.mu.Unlock()
	j.closeBoth()
}

func (j *joint) closeBoth() { j.closeOnce.Do(j.closeChannels) }

func (j *joint) closeChannels() {
	j.over.Store(true)
	_ = j.a.close()
	_ = j.b.close()
}

// startLinger gives the other direction a moment, again with everything that comes.
func (j *joint) startLinger() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.linger == nil {
		j.linger = time.AfterFunc(lingering, j.closeBoth)
	}
}

// keep says that the connection is in use.
func (j *joint) keep() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.linger != nil {
		j.linger.Reset(lingering)
	}
}

// relayer serves one relay command: each connection that comes at the listening address is joined to a new one to the other.
type relayer struct {
	log   *log.Logger
	from  listening
	dial  func(ctx context.Context) (channel, error)
	names [2]string
	retry time.Duration // how long dialing is repeated
}

// listening is an address where connections come.
type listening interface {
	// accept waits for the next connection. open completes it, which may take as long as the other side likes.
	accept(ctx context.Context) (open func(context.Context) (channel, error), err error)
	close() error
	// single says that there is only one connection.
	single() bool
}

// run serves until ctx is done. It waits for all connections.
func (r *relayer) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var serving sync.WaitGroup
	defer serving.Wait()
	defer cancel()
	defer r.from.close()
	stop := context.AfterFunc(ctx, func() { r.from.close() })
	defer stop()
	r.log.Printf("relaying %s to %s", r.names[0], r.names[1])
	for number := 1; ; number++ {
		open, err := r.from.accept(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		if r.from.single() {
			return r.serve(ctx, number, open)
		}
		serving.Go(func() {
			if err := r.serve(ctx, number, open); err != nil && ctx.Err() == nil {
				r.log.Printf("connection %d: %v", number, err)
			}
		})
	}
}

// serve is the life of one connection.
func (r *relayer) serve(ctx context.Context, number int, open func(context.Context) (channel, error)) error {
	in, err := open(ctx)
	if err != nil {
		return err
	}
	out, err := r.dialAgain(ctx)
	if err != nil {
		in.close()
		return fmt.Errorf("%s: %w", r.names[1], err)
	}
	r.log.Printf("connection %d: open", number)
	sent, received, err := join(ctx, in, out)
	if err == nil {
		r.log.Printf("connection %d: closed, %d bytes there, %d bytes back", number, sent, received)
	}
	return err
}

// dialAgain dials, again and again while the other side may be about to start.
func (r *relayer) dialAgain(ctx context.Context) (channel, error) {
	end := time.Now().Add(r.retry)
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		c, err := r.dial(ctx)
		if err == nil || ctx.Err() != nil || !time.Now().Add(pause).Before(end) {
			return c, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
