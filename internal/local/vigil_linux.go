package local

import (
	"os"

	"golang.org/x/sys/unix"
)

// newEndQueue makes an epoll descriptor that becomes readable when a peer of an added socket has gone.
func newEndQueue() (int, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return -1, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that os.NewFile gives it to the runtime's poller
		_ = unix.Close(fd)
		return -1, os.NewSyscallError("fcntl", err)
	}
	return fd, nil
}

func addToEndQueue(queue, fd int) error {
	event := unix.EpollEvent{Events: unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(queue, unix.EPOLL_CTL_ADD, fd, &event))
}

func removeFromEndQueue(queue, fd int) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(queue, unix.EPOLL_CTL_DEL, fd, nil))
}

// nextEnded appends sockets whose peer has gone to fds, without waiting.
func nextEnded(queue int, fds []int) []int {
	var events [endBatch]unix.EpollEvent
	n, _ := unix.EpollWait(queue, events[:], 0) // on an error there are none
	for _, e := range events[:max(n, 0)] {
		fds = append(fds, int(e.Fd))
	}
	return fds
}
