//go:build 386 || arm

package local

import "golang.org/x/sys/unix"

// The system calls that take 32-bit user and group ids; the plain ones take 16 bits here.
const (
	sysSetresuid = unix.SYS_SETRESUID32
	sysSetresgid = unix.SYS_SETRESGID32
	sysSetgroups = unix.SYS_SETGROUPS32
)
