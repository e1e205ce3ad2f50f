//go:build linux || darwin || freebsd

package local

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/anypipe/anypipe/internal/winerr"
	"github.com/anypipe/anypipe/internal/wire"
)

// Wait is WaitNamedPipe: it returns nil as soon as an instance is LISTENING, and reserves nothing. timeout 0 means what the
// first creator chose, a negative one for ever.
//
// The client waits at the doors of all server processes at once, and looks again when one leaves or joins. If ctx is done when
// the wait begins, it asks all the same, as an instance that is there counts more. For the same reason the timeout counts from
// when all doors have answered, as Windows has no doors to talk with; one that is silent delays it by handshakeTimeout at most.
func Wait(ctx context.Context, server, pipe string, timeout time.Duration) error {
	if err := checkServer(server); err != nil {
		return err
	}
	var clock *countdown // nil: the wait is for ever
	pause := newPause()  // so that a door that hangs up on us each time can't make us spin
	for {
		c, doors, err := findServed(pipe)
		if err != nil {
			return err
		}
		if c == nil {
			return waitForeign(pipe)
		}
		if timeout == 0 {
			if timeout, err = c.defaultTimeout(); err != nil {
				return err
			}
		}
		if timeout > 0 && clock == nil {
			clock = &countdown{timer: time.NewTimer(handshakeTimeout + timeout), timeout: timeout}
			defer clock.timer.Stop()
		}
		again, err := c.wait(ctx, clock, doors)
		if !again {
			return err
		}
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
}

// A countdown is the timeout of one Wait, whose goroutine alone uses it.
type countdown struct {
	timer   *time.Timer
	timeout time.Duration // until start; 0 from then on
}

// start makes the timeout count from now, the first time that it is called.
func (c *countdown) start() {
	if c != nil && c.timeout > 0 {
		c.timer.Reset(c.timeout)
		c.timeout = 0
	}
}

// expired gets a value when the time is over; nil, which never does, for a wait for ever.
func (c *countdown) expired() <-chan time.Time {
	if c == nil {
		return nil
	}
	return c.timer.C
}

// defaultTimeout returns what the first creator chose; 0 if the claim has vanished meanwhile.
func (c *claim) defaultTimeout() (time.Duration, error) {
	fixed, err := c.readPipeFile()
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return fixed.defaultTimeout(), nil
}

// findServed returns the first claim of the name that has living processes, and their doors.
func findServed(pipe string) (*claim, []doorFile, error) {
	claims, err := lookUp(pipe)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range claims {
		doors, err := c.sortedDoors()
		if err != nil {
			return nil, nil, err
		}
		doors = slices.DeleteFunc(doors, func(d doorFile) bool { return !answers(d.path) })
		if len(doors) > 0 {
			return c, doors, nil
		}
	}
	return nil, nil, nil
}

// A round is one look at the claim's doors and the wait at all of them.
type round struct {
	claim      *claim
	ctx        context.Context // ends the round
	workers    sync.WaitGroup
	registered chan string // ids of the doors that watch for us
	ended      chan error  // nil: an instance is LISTENING; errClaimGone: look again
}

// wait waits at the doors until something happens. again says that it is time to look for the doors again.
func (c *claim) wait(ctx context.Context, clock *countdown, doors []doorFile) (again bool, err error) {
	done, once := ctx.Done(), ctx.Err() != nil
	inner, cancel := context.WithCancel(ctx)
	if once {
		cancel()
		done = nil
		inner, cancel = context.WithTimeout(context.WithoutCancel(ctx), handshakeTimeout)
	}
	r := &round{claim: c, ctx: inner, registered: make(chan string, len(doors)), ended: make(chan error, len(doors))}
	defer r.workers.Wait()
	defer cancel()
	watched := map[string]bool{}
	for _, d := range doors {
		watched[d.id] = true
		r.workers.Go(func() { r.ended <- r.at(d) })
	}
	for missing := len(doors); ; {
		select {
		case err := <-r.ended:
			return errors.Is(err, errClaimGone), err
		case <-clock.expired():
			return false, winerr.SemTimeout
		case <-done:
			return false, ctx.Err()
		case <-r.registered:
			// A process that joins tells the doors that it finds. One that joined while we went from door to door told
			// those where we were not yet, so look for it; one that joins from now on tells us.
			if missing--; missing == 0 && c.hasOther(watched) {
				return true, nil
			}
			if missing == 0 && once {
				return false, ctx.Err()
			}
			if missing == 0 {
				clock.start()
			}
		}
	}
}

// hasOther reports whether the claim has a living process whose door is not watched.
func (c *claim) hasOther(watched map[string]bool) bool {
	doors, err := c.doors()
	if err != nil {
		return true // it is gone: the next look tells
	}
	return slices.ContainsFunc(doors, func(d doorFile) bool { return !watched[d.id] && answers(d.path) })
}

// at waits at one door. It returns nil if an instance is LISTENING there and errClaimGone if it is time to look again.
func (r *round) at(d doorFile) error {
	conn, _, err := r.claim.knock(r.ctx, d)
	if err == errDead {
		return errClaimGone
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(r.ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := wire.Write(conn, &wire.Wait{Timeout: wire.WaitForever}); err != nil {
		return r.hangUp(err)
	}
	return r.listen(conn, d.id)
}

// listen reads the door's answers.
func (r *round) listen(conn *net.UnixConn, id string) error {
	for {
		m, err := wire.Read(conn)
		if err != nil {
			return r.hangUp(err)
		}
		switch m := m.(type) {
		case *wire.Waiting:
			select {
			case r.registered <- id:
			case <-r.ctx.Done():
			}
		case *wire.Changed, *wire.Opened: // the latter turns us away unheard: this user is at the door too often
			return errClaimGone
		case *wire.Woken:
			return wokenError(m)
		default:
			return errors.Join(wire.ErrMalformed, conn.Close())
		}
	}
}

// hangUp returns the error of a door that stopped talking.
func (r *round) hangUp(err error) error {
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	if deadIfGone(err) == errDead {
		return errClaimGone
	}
	return err
}

func wokenError(m *wire.Woken) error {
	if m.Status == 0 {
		return nil
	}
	if e := winerr.FromStatus(m.Status); e != nil {
		return e
	}
	return winerr.NotSupported
}
