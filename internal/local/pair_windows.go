package local

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe/internal/npfs"
)

// Half is one end of an anonymous pipe.
type Half struct {
	*end
}

// Pair makes an anonymous byte pipe with the given quota, as CreatePipe does: data flows from the write end, which is
// the client end, to the read end, which is the server end.
func Pair(quota int) (read, write *Half, err error) {
	readHandle, writeHandle, err := pairHandles(quota, 0, 0)
	if err != nil {
		return nil, nil, err
	}
	r, err := newHalf(readHandle, true)
	if err != nil {
		windows.CloseHandle(writeHandle)
		return nil, nil, err
	}
	w, err := newHalf(writeHandle, false)
	if err != nil {
		return nil, nil, errors.Join(err, r.Close())
	}
	return r, w, nil
}

func newHalf(handle windows.Handle, server bool) (*Half, error) {
	e, err := newEnd(handle)
	if err != nil {
		return nil, err
	}
	e.server, e.reject = server, true
	return &Half{e}, nil
}

// pairHandles makes the two handles, each overlapped unless its options say otherwise. The pipe has a name that nobody can
// guess, and no free instance from the start.
func pairHandles(quota int, readOptions, writeOptions uint32) (read, write windows.Handle, err error) {
	name := fmt.Sprintf("anypipe.%d.%s", os.Getpid(), rand.Text())
	read, err = createHandle(name, &npfs.CreateConfig{Type: npfs.Byte, Direction: npfs.Inbound, MaxInstances: 1, First: true,
		InQuota: quota, OutQuota: quota, RejectRemote: true}, readOptions)
	if err != nil {
		return 0, 0, err
	}
	write, err = openHandle(pipePath(".", name), npfs.GenericWrite|npfs.ReadAttributes, writeOptions)
	if err != nil {
		windows.CloseHandle(read)
		return 0, 0, err
	}
	return read, write, nil
}

// Peer is this process itself.
func (h *Half) Peer() (npfs.Peer, error) {
	pid := uint32(os.Getpid())
	return processPerson(pid).peer(pid), nil
}
