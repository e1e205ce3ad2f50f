//go:build linux || darwin || freebsd || windows

package local

import (
	"sync"
	"sync/atomic"
	"time"
)

// epoch is the origin of uptime.
var epoch = time.Now()

// uptime returns the time since the process started, cheaper than time.Now.
func uptime() time.Duration { return time.Since(epoch) }

// deadline is one of the two deadlines of an end. When it passes, expired is called so that waiting calls look.
type deadline struct {
	expired func() // immutable; called without a lock

	at atomic.Int64 // uptime nanoseconds, 0 for never

	mu    sync.Mutex  // guards timer
	timer *time.Timer // calls expired
}

// set moves the deadline; the zero time means never.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if t.IsZero() {
		d.at.Store(0)
		return
	}
	left := time.Until(t)
	d.at.Store(max(int64(uptime()+left), 1))
	if left <= 0 {
		d.expired()
		return
	}
	d.timer = time.AfterFunc(left, d.expired)
}

// passed reports whether the deadline has passed.
func (d *deadline) passed() bool {
	at := d.at.Load()
	return at != 0 && int64(uptime()) >= at
}

// stop ends the timer.
func (d *deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
}
