package local

import (
	"errors"
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// peerIdentity asks the kernel who is at the other end: SO_PEERCRED and SO_PEERGROUPS.
func peerIdentity(conn *net.UnixConn) (*identity, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var cred *unix.Ucred
	var groups []int
	var credErr, groupsErr error
	err = raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		groups, groupsErr = peerGroups(fd)
	})
	if err := errors.Join(err, credErr, groupsErr); err != nil {
		return nil, err
	}
	return newIdentity(int(cred.Pid), int(cred.Uid), int(cred.Gid), groups), nil
}

// peerGroups returns the supplementary groups of the process at the other end.
func peerGroups(fd uintptr) ([]int, error) {
	gids := make([]uint32, 32)
	for {
		size := uint32(len(gids)) * 4
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&gids[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno == unix.ERANGE && int(size/4) > len(gids): // the kernel told how many there are
			gids = make([]uint32, size/4)
		case errno == unix.ENOPROTOOPT: // Linux before 4.13 does not tell
			return nil, nil
		case errno != 0:
			return nil, errno
		default:
			groups := make([]int, 0, size/4)
			for _, g := range gids[:size/4] {
				groups = append(groups, int(g))
			}
			return groups, nil
		}
	}
}
