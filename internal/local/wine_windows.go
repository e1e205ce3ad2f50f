package local

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/anypipe/anypipe/internal/winerr"
)

// underWine reports whether the kernel is Wine. Where we have to know, Wine 8 can't do what Windows does; the way that
// Windows needs stays as it is.
var underWine = sync.OnceValue(func() bool { return ntdll.NewProc("wine_get_version").Find() == nil })

// wineSlice is how long Wine waits at a time, and so the longest time that a wait goes on after its context is done.
const wineSlice = 100 * time.Millisecond

// waitInSlices is wait for Wine, which can't cancel a wait once it has begun.
func (e *end) waitInSlices(ctx context.Context, pipe string, timeout time.Duration) error {
	began := uptime()
	for {
		slice := wineSlice
		if timeout > 0 {
			slice = min(slice, timeout-(uptime()-began))
		}
		err := e.wait(context.Background(), pipe, max(slice, time.Millisecond))
		switch {
		case !errors.Is(err, winerr.SemTimeout):
			return err
		case timeout > 0 && uptime()-began >= timeout:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// waitOrLeave is wait for Wine with the timeout that the pipe's creator chose, which only Wine knows. If ctx is done before, the
// operation is left alone: the port keeps it until Wine has ended it.
func (e *end) waitOrLeave(ctx context.Context, pipe string) error {
	p, err := completions()
	if err != nil {
		return err
	}
	op := newOperation(e.handle)
	op.code, op.in = fsctlWait, waitBuffer(pipe, 0)
	status, pending := p.begin(op, submitControl)
	if pending {
		select {
		case <-op.ended:
			status = op.status()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	op.free()
	return condition(status)
}
