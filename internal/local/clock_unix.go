//go:build linux || darwin || freebsd

package local

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonic returns the nanoseconds of a clock that all processes share and nobody sets, never 0.
func monotonic() uint64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return uint64(time.Now().UnixNano()) // can't fail; and the ticket is only a hint
	}
	return max(1, uint64(ts.Nano()))
}
