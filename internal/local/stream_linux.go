package local

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/winerr"
)

const bytesToRead = unix.TIOCINQ // FIONREAD

// flushWaits reports whether a flush has to wait.
func (s *stream) flushWaits() bool {
	sock, ok := s.out.(*net.UnixConn)
	queued := 0
	if ok {
		control(sock, func(fd int) { queued, _ = unix.IoctlGetInt(fd, unix.SIOCOUTQ) })
	}
	return queued > 1
}

// flush waits until the peer has taken everything out of the socket: the memory that unread data holds (SIOCOUTQ) goes to
// nothing, and each piece that is freed wakes us through the poller. For a pair of pipes the system has no such event, so
// there it does not wait. The caller has the turn.
func (s *stream) flush() error {
	if err := s.gone(nil); err != nil {
		return err
	}
	sock, ok := s.out.(*net.UnixConn)
	if !ok {
		return nil
	}
	raw, err := sock.SyscallConn()
	if err != nil {
		return s.condition(err, winerr.BrokenPipe)
	}
	reset := 0
	var queryErr error
	err = raw.Write(func(fd uintptr) bool {
		queued, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		if err == nil && queued > 1 {
			return false
		}
		if err == nil { // a peer that closes with data unread frees that too
			reset, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		}
		queryErr = err
		return true
	})
	if reset != 0 {
		return s.gone(winerr.BrokenPipe)
	}
	return s.condition(errors.Join(err, queryErr), winerr.BrokenPipe)
}
