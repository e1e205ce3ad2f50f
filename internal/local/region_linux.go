package local

import (
	"fmt"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
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

// firstMapped returns how many bytes of a region of the given size an end maps at first. A page of page tables covers 512
// connections so, where whole regions need one each for every other connection. Where the system can't map the rest later (valgrind and some
// sandboxes know no mremap that duplicates) an end begins with all.
func firstMapped(size int) int {
	if canMapAgain() {
		return npfs.PageSize
	}
	return size
}

// canMapAgain tries once what mapWhole does.
var canMapAgain = sync.OnceValue(func() bool {
	page, err := unix.MmapPtr(-1, 0, nil, npfs.PageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANON)
	if err != nil {
		return false
	}
	mem := unsafe.Slice((*byte)(page), npfs.PageSize)
	defer unmapRegion(mem)
	again, err := mapWhole(mem, len(mem))
	if err != nil {
		return false
	}
	unmapRegion(again)
	return true
})

// mapWhole maps the whole region a second time; mem is its beginning and stays. It needs no file: mremap makes a new mapping of
// shared memory if the old one's size is said to be 0.
func mapWhole(mem []byte, size int) ([]byte, error) {
	whole, err := unix.MremapPtr(unsafe.Pointer(unsafe.SliceData(mem)), 0, nil, uintptr(size), unix.MREMAP_MAYMOVE)
	if err != nil {
		return nil, os.NewSyscallError("mremap", err)
	}
	return unsafe.Slice((*byte)(whole), size), nil
}
