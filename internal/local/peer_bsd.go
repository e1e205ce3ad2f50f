//go:build darwin || freebsd

package local

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// peerIdentity asks the kernel who is at the other end: LOCAL_PEERCRED, whose first group is the effective one.
func peerIdentity(conn *net.UnixConn) (*identity, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var cred *unix.Xucred
	var credErr error
	pid := 0
	err = raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptXucred(int(fd), solLocal, unix.LOCAL_PEERCRED)
		pid = peerPID(int(fd))
	})
	if err := errors.Join(err, credErr); err != nil {
		return nil, err
	}
	var groups []int
	for _, g := range cred.Groups[:min(max(0, int(cred.Ngroups)), len(cred.Groups))] {
		groups = append(groups, int(g))
	}
	if len(groups) == 0 {
		return nil, errors.New("the system told no group of the process at the other end")
	}
	return newIdentity(pid, int(cred.Uid), groups[0], groups[1:]), nil
}

// solLocal is the socket level of Unix socket options, SOL_LOCAL.
const solLocal = 0
