//go:build linux || darwin || freebsd

package local

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// mapRegion maps as much of a region of exactly size bytes as an end begins with. The file may be closed afterwards.
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
	return mapFile(f, firstMapped(size))
}

// mapFile maps the first size bytes of a file. Unlike unix.Mmap it keeps no book of what is mapped.
func mapFile(f *os.File, size int) ([]byte, error) {
	mem, err := unix.MmapPtr(int(f.Fd()), 0, nil, uintptr(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	return unsafe.Slice((*byte)(mem), size), nil
}

func unmapRegion(mem []byte) {
	_ = unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(mem)), uintptr(len(mem))) // fails for what is not mapped only
}

// A region is the memory of a connection to come, in the server's process. It is made for one client process and never given to a second one:
// the first may have kept it mapped.
type region struct {
	file              *os.File // nil if the client has it from its last connection
	mem               []byte   // as an end begins with
	inQuota, outQuota int
}

func newRegion(inQuota, outQuota int) (*region, error) {
	size := npfs.RegionSize(inQuota, outQuota)
	file, err := newRegionFile(size)
	if err != nil {
		return nil, err
	}
	mem, err := mapFile(file, firstMapped(size))
	if err != nil {
		file.Close()
		return nil, err
	}
	npfs.InitRegion(mem)
	return &region{file, mem, inQuota, outQuota}, nil
}

// drop ends a region that no link was made of.
func (r *region) drop() {
	unmapRegion(r.mem)
	r.closeFile()
}

// closeFile ends what is only needed to give the region to the client.
func (r *region) closeFile() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
