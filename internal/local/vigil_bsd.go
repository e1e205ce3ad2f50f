//go:build darwin || freebsd

package local

import (
	"os"

	"golang.org/x/sys/unix"
)

// newEndQueue makes a kqueue that becomes readable when something happens at an added socket.
func newEndQueue() (int, error) {
	fd, err := unix.Kqueue()
	if err != nil {
		return -1, os.NewSyscallError("kqueue", err)
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil { // so that os.NewFile gives it to the runtime's poller
		_ = unix.Close(fd)
		return -1, os.NewSyscallError("fcntl", err)
	}
	return fd, nil
}

func addToEndQueue(queue, fd int) error { return changeEndQueue(queue, fd, unix.EV_ADD|unix.EV_CLEAR) }

func removeFromEndQueue(queue, fd int) error { return changeEndQueue(queue, fd, unix.EV_DELETE) }

func changeEndQueue(queue, fd, flags int) error {
	var change unix.Kevent_t
	unix.SetKevent(&change, fd, unix.EVFILT_READ, flags)
	_, err := unix.Kevent(queue, []unix.Kevent_t{change}, nil, nil)
	return os.NewSyscallError("kevent", err)
}

// nextEnded appends sockets whose peer has gone to fds, without waiting. Rings of the doorbell are events too and are left
// out.
func nextEnded(queue int, fds []int) []int {
	var events [endBatch]unix.Kevent_t
	n, _ := unix.Kevent(queue, nil, events[:], new(unix.Timespec)) // on an error there are none
	for _, e := range events[:max(n, 0)] {
		if e.Flags&unix.EV_EOF != 0 {
			fds = append(fds, int(e.Ident))
		}
	}
	return fds
}
