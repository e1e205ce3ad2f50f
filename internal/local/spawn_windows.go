package local

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// spawnQuota is how much a child may leave unread, and be given ahead, in bytes.
const spawnQuota = 64 << 10

// Spawn starts cmd with its standard input and output connected to the returned end: reads come from its standard output and
// writes go to its standard input. CloseWrite closes the latter. Close closes both; waiting for cmd is the caller's part. The
// end is one of byte type.
func Spawn(cmd *exec.Cmd) (*Client, error) {
	if cmd.Stdin != nil || cmd.Stdout != nil {
		return nil, fmt.Errorf("the command has Stdin or Stdout already: %w", winerr.InvalidParameter)
	}
	const plain = windows.FILE_SYNCHRONOUS_IO_NONALERT // programs expect no overlapped handle there
	childIn, out, err := childPipe(plain, 0)
	if err != nil {
		return nil, err
	}
	in, childOut, err := childPipe(0, plain)
	if err != nil {
		return nil, errors.Join(err, childIn.file.Close(), out.half.Close())
	}
	cmd.Stdin, cmd.Stdout = childIn.file, childOut.file
	err = cmd.Start()
	err = errors.Join(err, childIn.file.Close(), childOut.file.Close()) // the child has its own
	if err != nil {
		return nil, errors.Join(err, in.half.Close(), out.half.Close())
	}
	pid := uint32(cmd.Process.Pid)
	child := processPerson(pid) // while it surely lives, or has not been waited for
	return &Client{channel: &stdio{in.half, out.half}, peer: func() (npfs.Peer, error) { return child.peer(pid), nil }}, nil
}

// pipeEnd is an end of an anonymous pipe: a file for a child, or a half for us.
type pipeEnd struct {
	file *os.File
	half *Half
}

// childPipe makes an anonymous pipe. An end whose options make it synchronous is for the child.
func childPipe(readOptions, writeOptions uint32) (read, write pipeEnd, err error) {
	readHandle, writeHandle, err := pairHandles(spawnQuota, readOptions, writeOptions)
	if err != nil {
		return read, write, err
	}
	read, err = newPipeEnd(readHandle, readOptions, true)
	if err != nil {
		windows.CloseHandle(writeHandle)
		return read, write, err
	}
	write, err = newPipeEnd(writeHandle, writeOptions, false)
	if err != nil {
		err = errors.Join(err, read.close())
	}
	return read, write, err
}

func newPipeEnd(handle windows.Handle, options uint32, server bool) (p pipeEnd, err error) {
	if options != 0 {
		p.file = os.NewFile(uintptr(handle), "|0")
		return p, nil
	}
	p.half, err = newHalf(handle, server)
	return p, err
}

func (p pipeEnd) close() error {
	if p.file != nil {
		return p.file.Close()
	}
	return p.half.Close()
}

// stdio is a child's standard output and input as one byte-type end.
type stdio struct {
	in, out *Half
}

func (s *stdio) Read(p []byte) (int, error)                    { return s.in.Read(p) }
func (s *stdio) ReadMessage(buf []byte, _ int) ([]byte, error) { return buf, winerr.BadPipe }
func (s *stdio) Write(p []byte) (int, error)                   { return s.out.Write(p) }
func (s *stdio) Peek(p []byte) (npfs.Peeked, error)            { return s.in.Peek(p) }
func (s *stdio) Descriptor() (string, error)                   { return s.in.Descriptor() }
func (s *stdio) Transact(_, buf []byte, _ int) ([]byte, error) { return buf, winerr.BadPipe }
func (s *stdio) Flush() error                                  { return s.out.Flush() }
func (s *stdio) Type() npfs.Mode                               { return npfs.Byte }
func (s *stdio) SetReadDeadline(t time.Time) error             { return s.in.SetReadDeadline(t) }
func (s *stdio) SetWriteDeadline(t time.Time) error            { return s.out.SetWriteDeadline(t) }

// Start begins an operation of the direction that it concerns.
func (s *stdio) Start(r *Request) Pending {
	switch {
	case r.Work == ReadWork && !r.Whole:
		return s.in.Start(r)
	case r.Work == WriteWork, r.Work == FlushWork:
		return s.out.Start(r)
	}
	return ended{winerr.BadPipe}
}

// Cancel ends what waits in either direction.
func (s *stdio) Cancel() error {
	in, out := s.in.Cancel(), s.out.Cancel()
	if in == nil {
		return nil
	}
	return out
}

// CloseWrite closes the child's standard input. A second one, and a Write after it, find it closed.
func (s *stdio) CloseWrite() error { return s.out.Close() }

// SetModes sets the wait mode of both directions.
func (s *stdio) SetModes(m npfs.Modes) error {
	if err := s.in.SetModes(m); err != nil {
		return err
	}
	if err := s.out.SetModes(m); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Info describes the standard output, and the input's quota.
func (s *stdio) Info() (npfs.Info, error) {
	info, err := s.in.Info()
	if err != nil {
		return info, err
	}
	info.Direction, info.Server = npfs.Duplex, false
	out, err := s.out.Info()
	switch {
	case errors.Is(err, net.ErrClosed): // after CloseWrite
		info.WriteQuota = 0
		return info, nil
	case err != nil:
		return info, err
	}
	info.OutQuota, info.WriteQuota = out.InQuota, out.WriteQuota
	return info, nil
}

// Close closes both directions. A second Close returns net.ErrClosed.
func (s *stdio) Close() error {
	_ = s.out.Close() // it may be closed already
	return s.in.Close()
}
