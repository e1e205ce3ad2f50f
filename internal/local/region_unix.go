//go:build linux || darwin || freebsd

package local

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/winerr"
)

// mapRegion maps a region of exactly size bytes. The file may be closed afterwards.
func mapRegion(f *os.File, size int) ([]byte, error) {
	if err := checkRegionSeals(f); err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, os.NewSyscallError("fstat", err)
	}
	if st.Size != int64(size) {
		return nil, fmt.Errorf("the region has %d bytes instead of %d: %w", st.Size, size, winerr.BrokenPipe)
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	return mem, nil
}
