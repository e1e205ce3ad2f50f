package local

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// List returns the live pipes, ordered by name. The kernel's directory of pipes tells names, instances and limits; type,
// direction and descriptor it tells only to who opens the pipe, which takes an instance, so these stay empty.
func List(ctx context.Context) ([]npfs.PipeInfo, error) {
	const listDirectory = 1 // FILE_LIST_DIRECTORY
	root, err := openRoot(".", listDirectory, windows.FILE_SYNCHRONOUS_IO_NONALERT)
	if err != nil {
		return nil, fmt.Errorf("opening the directory of pipes: %w", err)
	}
	defer windows.CloseHandle(root)
	var pipes []npfs.PipeInfo
	buf := make([]byte, 64<<10)
	for {
		n, err := nextEntries(root, buf)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		pipes = appendEntries(pipes, buf[:n])
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(pipes, func(a, b npfs.PipeInfo) int {
		return cmp.Compare(npfs.FoldName(a.Name), npfs.FoldName(b.Name))
	})
	return pipes, nil
}

// nextEntries fills buf with the next entries of the directory; 0 means that there are no more.
func nextEntries(root windows.Handle, buf []byte) (int, error) {
	var block windows.IO_STATUS_BLOCK
	r, _, _ := procQueryDirectoryFile.Call(uintptr(root), 0, 0, 0, uintptr(unsafe.Pointer(&block)), start(buf), uintptr(len(buf)),
		fileDirectoryInformation, 0, 0, 0)
	switch status := windows.NTStatus(r); status {
	case success:
		return int(block.Information), nil
	case windows.STATUS_NO_MORE_FILES, windows.STATUS_NO_SUCH_FILE:
		return 0, nil
	case windows.STATUS_OBJECT_TYPE_MISMATCH, windows.STATUS_BAD_DEVICE_TYPE, windows.STATUS_NOT_IMPLEMENTED,
		windows.STATUS_NOT_SUPPORTED, windows.STATUS_INVALID_DEVICE_REQUEST:
		return 0, fmt.Errorf("the system has no listing of pipes (Wine 8 has none): %w", winerr.NotSupported)
	default:
		return 0, condition(status)
	}
}

// appendEntries reads FILE_DIRECTORY_INFORMATION records: in a directory of pipes the size of a file is its number of
// instances and the allocated size their limit.
func appendEntries(pipes []npfs.PipeInfo, b []byte) []npfs.PipeInfo {
	const sizeAt, allocatedAt, lengthAt, nameAt = 40, 48, 60, 64
	for len(b) >= nameAt {
		next, length := binary.LittleEndian.Uint32(b), int(binary.LittleEndian.Uint32(b[lengthAt:]))
		units := make([]uint16, min(length, len(b)-nameAt)/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(b[nameAt+2*i:])
		}
		pipes = append(pipes, npfs.PipeInfo{
			Name:         string(utf16.Decode(units)),
			Instances:    int(int32(binary.LittleEndian.Uint64(b[sizeAt:]))),
			MaxInstances: int(min(binary.LittleEndian.Uint32(b[allocatedAt:]), npfs.UnlimitedInstances)),
			OwnerUID:     -1,
		})
		if next == 0 || int(next) >= len(b) {
			break
		}
		b = b[next:]
	}
	return pipes
}
