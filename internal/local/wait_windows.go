package local

import (
	"context"
	"encoding/binary"
	"time"
	"unicode/utf16"

	"golang.org/x/sys/windows"
)

// Wait is WaitNamedPipe: it returns nil as soon as an instance is LISTENING. timeout 0 means what the first creator chose, a
// negative one for ever. It is the control code that WaitNamedPipe sends, but overlapped: it holds no thread and ctx ends it.
func Wait(ctx context.Context, server, pipe string, timeout time.Duration) error {
	handle, err := openRoot(server, windows.FILE_READ_ATTRIBUTES, 0)
	if err != nil {
		return err
	}
	root, err := newEnd(handle)
	if err != nil {
		return err
	}
	defer root.Close()
	switch {
	case !underWine():
		return root.wait(ctx, pipe, timeout)
	case timeout == 0:
		return root.waitOrLeave(ctx, pipe)
	}
	return root.waitInSlices(ctx, pipe, timeout)
}

// wait waits at the directory of all pipes.
func (e *end) wait(ctx context.Context, pipe string, timeout time.Duration) error {
	op := newOperation(e.handle)
	defer op.free()
	op.code, op.in = fsctlWait, waitBuffer(pipe, timeout)
	_, _, err := e.runUntil(ctx, e.listens, op, submitControl)
	return err
}

// openRoot opens the directory that holds all pipes.
func openRoot(server string, access, options uint32) (windows.Handle, error) {
	oa, err := attributes(pipePath(server, ""))
	if err != nil {
		return 0, err
	}
	var handle windows.Handle
	var block windows.IO_STATUS_BLOCK
	err = windows.NtCreateFile(&handle, access|windows.SYNCHRONIZE, oa, &block, nil, 0,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, windows.FILE_OPEN, options, 0, 0)
	if status := statusOf(err); failed(status) {
		return 0, condition(status)
	}
	return handle, nil
}

// waitBuffer returns a FILE_PIPE_WAIT_FOR_BUFFER: timeout, length of the name in bytes, whether the timeout is meant, the name.
func waitBuffer(pipe string, timeout time.Duration) []byte {
	const header = 14
	name := utf16.Encode([]rune(pipe))
	b := make([]byte, header, header+2*len(name))
	switch {
	case timeout < 0:
		binary.LittleEndian.PutUint64(b, 1<<63) // for ever
		b[12] = 1
	case timeout > 0:
		binary.LittleEndian.PutUint64(b, uint64(relative(timeout)))
		b[12] = 1
	}
	binary.LittleEndian.PutUint32(b[8:], uint32(2*len(name)))
	for _, unit := range name {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}
