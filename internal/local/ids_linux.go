//go:build !386 && !arm

package local

import "golang.org/x/sys/unix"

// The system calls that take 32-bit user and group ids.
const (
	sysSetresuid = unix.SYS_SETRESUID
	sysSetresgid = unix.SYS_SETRESGID
	sysSetgroups = unix.SYS_SETGROUPS
)
