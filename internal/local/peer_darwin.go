package local

import "golang.org/x/sys/unix"

// peerPID returns the process at the other end, or 0.
func peerPID(fd int) int {
	pid, err := unix.GetsockoptInt(fd, solLocal, unix.LOCAL_PEERPID)
	if err != nil {
		return 0
	}
	return pid
}
