package local

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/winerr"
)

// regionMayShrink: a sealed memfd can't be truncated under us.
const regionMayShrink = false

const regionSeals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// newRegionFile makes the memory of one connection: an anonymous file of fixed size.
func newRegionFile(size int) (*os.File, error) {
	fd, err := unix.MemfdCreate("anypipe", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "anypipe region")
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		f.Close()
		return nil, os.NewSyscallError("ftruncate", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, regionSeals); err != nil {
		f.Close()
		return nil, os.NewSyscallError("fcntl(F_ADD_SEALS)", err)
	}
	return f, nil
}

// checkRegionSeals refuses a region that its sender could still shrink, which would kill us with SIGBUS.
func checkRegionSeals(f *os.File) error {
	seals, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0)
	if err != nil || seals&regionSeals != regionSeals {
		return fmt.Errorf("the server's region is not a sealed memfd: %w", winerr.BrokenPipe)
	}
	return nil
}
