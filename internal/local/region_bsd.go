//go:build darwin || freebsd

package local

import (
	"os"

	"golang.org/x/sys/unix"
)

// regionMayShrink: an unlinked file can be truncated by the other process, so faults are caught (link.leave).
const regionMayShrink = true

// newRegionFile makes the memory of one connection: a file without a name.
func newRegionFile(size int) (*os.File, error) {
	f, err := os.CreateTemp("", "anypipe-region-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	if err := unix.Ftruncate(int(f.Fd()), int64(size)); err != nil {
		f.Close()
		return nil, os.NewSyscallError("ftruncate", err)
	}
	return f, nil
}

// checkRegionSeals has nothing to check: these systems have no seals.
func checkRegionSeals(*os.File) error { return nil }

// firstMapped returns how many bytes of a region of the given size an end maps at first: all, as these systems can't map more
// without the file.
func firstMapped(size int) int { return size }

// mapWhole returns mem, which is the whole region.
func mapWhole(mem []byte, _ int) ([]byte, error) { return mem, nil }
