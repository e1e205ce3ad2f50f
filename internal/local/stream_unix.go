//go:build linux || darwin || freebsd

package local

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// A half is one direction of a byte stream: a socket, or one end of an operating system's pipe.
type half interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
	SyscallConn() (syscall.RawConn, error)
}

// stream is a connection with a program that does not know us: bytes over a Unix socket or a pair of pipes. There are no
// messages, and no quotas: how much may be written and not yet read is the system's business. Disconnect can't take back
// what the peer's buffer holds already.
type stream struct {
	in, out    half // the same for a socket
	closeWrite func() error
	access     npfs.Access
	outQuota   int // reported, not enforced

	state  atomic.Uint32 // streamOpen, streamDisconnected or streamClosed
	noWait atomic.Bool
	reads  queue  // its turn guards the fields below
	ahead  []byte // read by Peek, not yet by Read
	ended  bool   // the end of the data has been seen

	aheadLen atomic.Int64 // len(ahead), for Status
	writes   queue        // writers take turns, so that no write is interleaved with another
}

const (
	streamOpen uint32 = iota
	streamDisconnected
	streamClosed
)

// peekAhead is how much Peek takes out of the socket at most to show it.
const peekAhead = 64 << 10

var _ connection = (*stream)(nil)

// newStream makes a connection of a socket, which it owns.
func newStream(sock *net.UnixConn, access npfs.Access, outQuota int) *stream {
	return newStreamOf(sock, sock, sock.CloseWrite, access, outQuota)
}

func newStreamOf(in, out half, closeWrite func() error, access npfs.Access, outQuota int) *stream {
	return &stream{in: in, out: out, closeWrite: closeWrite, access: access, outQuota: outQuota,
		reads: queue{set: in.SetReadDeadline}, writes: queue{set: out.SetWriteDeadline}}
}

// allow checks the right and that the end is open.
func (s *stream) allow(need npfs.Access) error {
	if s.access&need != need {
		return winerr.AccessDenied
	}
	return s.gone(nil)
}

// gone returns the error of a closed or disconnected end, else err.
func (s *stream) gone(err error) error {
	switch s.state.Load() {
	case streamClosed:
		return net.ErrClosed
	case streamDisconnected:
		return winerr.PipeNotConnected
	}
	return err
}

// condition turns what the system says into a pipe's condition. hangUp is what a peer that has gone means.
func (s *stream) condition(err, hangUp error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrClosed):
		return s.gone(hangUp) // CloseWrite closes a pipe while the end stays open
	case errors.Is(err, io.EOF), errors.Is(err, unix.EPIPE), errors.Is(err, unix.ECONNRESET):
		return hangUp
	}
	return err
}

func (s *stream) Read(p []byte) (int, error) {
	if err := s.allow(npfs.ReadData); err != nil {
		return 0, err
	}
	c := s.reads.join()
	if err := s.reads.wait(c); err != nil {
		return 0, err
	}
	n, err := s.read(p)
	return n, s.reads.leave(c, err)
}

// read is Read for who has the turn.
func (s *stream) read(p []byte) (int, error) {
	if len(s.ahead) == 0 && (len(p) == 0 || s.noWait.Load()) {
		if err := s.fill(!s.noWait.Load()); err != nil {
			return 0, err
		}
	}
	if err := s.gone(nil); err != nil { // not even what was taken ahead
		return 0, err
	}
	if len(s.ahead) > 0 {
		n := copy(p, s.ahead)
		s.setAhead(s.ahead[n:])
		return n, nil
	}
	if s.ended {
		return 0, io.EOF
	}
	n, err := s.in.Read(p)
	if n > 0 {
		err = nil
	}
	return n, s.condition(err, io.EOF)
}

func (s *stream) setAhead(b []byte) {
	s.ahead = b
	s.aheadLen.Store(int64(len(b)))
}

// fill reads something ahead. Without wait it fails with PipeEmpty if there is nothing. The caller has the turn.
func (s *stream) fill(wait bool) error {
	if s.ended {
		return io.EOF
	}
	raw, err := s.in.SyscallConn()
	if err != nil {
		return s.condition(err, io.EOF)
	}
	buf := make([]byte, peekAhead)
	n, readErr := 0, error(nil)
	err = raw.Read(func(fd uintptr) bool {
		for {
			n, readErr = unix.Read(int(fd), buf)
			if readErr != unix.EINTR {
				return !wait || readErr != unix.EAGAIN
			}
		}
	})
	switch {
	case err != nil:
		return s.condition(err, io.EOF)
	case readErr == unix.EAGAIN:
		return winerr.PipeEmpty
	case readErr != nil && readErr != unix.ECONNRESET:
		return readErr
	case n <= 0:
		s.ended = true
		return io.EOF
	}
	s.setAhead(append(s.ahead, buf[:n]...))
	return nil
}

// ReadMessage fails: there are no messages.
func (s *stream) ReadMessage(buf []byte, _ int) ([]byte, error) {
	return buf, s.refuse(npfs.ReadData, winerr.BadPipe)
}

// Transact fails: there are no messages.
func (s *stream) Transact(_, buf []byte, _ int) ([]byte, error) {
	return buf, s.refuse(npfs.ReadData|npfs.WriteData, winerr.BadPipe)
}

// refuse returns why an operation that a stream can't do fails.
func (s *stream) refuse(need npfs.Access, why error) error {
	if err := s.allow(need); err != nil {
		return err
	}
	return why
}

func (s *stream) Write(p []byte) (int, error) {
	if err := s.allow(npfs.WriteData); err != nil {
		return 0, err
	}
	c := s.writes.join()
	if err := s.writes.wait(c); err != nil {
		return 0, err
	}
	n, err := s.write(p)
	return n, s.writes.leave(c, err)
}

// write is Write for who has the turn.
func (s *stream) write(p []byte) (int, error) {
	if len(p) == 0 { // which no system call would refuse
		if s.hungUp() {
			return 0, s.gone(winerr.NoData)
		}
		return 0, s.gone(nil)
	}
	if s.noWait.Load() {
		return s.writeWhatFits(p)
	}
	n, err := s.out.Write(p)
	if n > 0 { // it had begun, and then the peer went away
		return n, s.condition(err, winerr.BrokenPipe)
	}
	return n, s.condition(err, winerr.NoData)
}

// writeWhatFits is a write in PIPE_NOWAIT mode: it takes what there is room for, which may be nothing.
func (s *stream) writeWhatFits(p []byte) (int, error) {
	raw, err := s.out.SyscallConn()
	if err != nil {
		return 0, s.condition(err, winerr.NoData)
	}
	n, writeErr := 0, error(nil)
	err = raw.Write(func(fd uintptr) bool {
		n, writeErr = unix.Write(int(fd), p)
		return true
	})
	if errors.Is(writeErr, unix.EAGAIN) {
		writeErr = nil
	}
	return max(0, n), s.condition(errors.Join(err, writeErr), winerr.NoData)
}

// Peek shows what has arrived. While a Read waits there is nothing to show: what comes is that Read's.
func (s *stream) Peek(p []byte) (npfs.Peeked, error) {
	if err := s.allow(npfs.ReadData); err != nil {
		return npfs.Peeked{}, err
	}
	out := npfs.Peeked{State: s.Status().State}
	c := s.reads.try()
	if c == nil {
		return out, nil
	}
	defer s.reads.leave(c, nil)
	var err error
	for err == nil && len(s.ahead) <= min(len(p), peekAhead-1) {
		err = s.fill(false)
	}
	switch {
	case errors.Is(err, io.EOF) && len(s.ahead) == 0:
		return npfs.Peeked{}, s.gone(winerr.BrokenPipe)
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, winerr.PipeEmpty):
		return npfs.Peeked{}, err
	}
	out.Read = copy(p, s.ahead)
	out.Available = len(s.ahead) + s.waitingBytes()
	out.Left = -out.Read
	return out, nil
}

// Flush waits, where the system tells, until the peer has read all. It holds up writes of this end meanwhile.
func (s *stream) Flush() error {
	if err := s.gone(nil); err != nil {
		return err
	}
	c := s.writes.join()
	if err := s.writes.wait(c); err != nil {
		return err
	}
	return s.writes.leave(c, s.flush())
}

// CloseWrite ends this end's direction.
func (s *stream) CloseWrite() error {
	if err := s.allow(npfs.WriteData); err != nil {
		return err
	}
	return s.condition(s.closeWrite(), winerr.NoData)
}

// SetModes changes the wait mode; the pipe is of byte type.
func (s *stream) SetModes(m npfs.Modes) error {
	if err := s.allow(npfs.WriteAttributes); err != nil {
		return err
	}
	if m.Read != npfs.Byte {
		return winerr.InvalidParameter
	}
	s.noWait.Store(m.NoWait)
	return nil
}

// Status asks the system.
func (s *stream) Status() npfs.Status {
	status := npfs.Status{State: npfs.Connected, Modes: npfs.Modes{NoWait: s.noWait.Load()}, WriteQuota: s.outQuota}
	switch {
	case s.gone(nil) != nil:
		status.State = npfs.Disconnected
		return status
	case s.hungUp():
		status.State = npfs.Closing
	}
	status.Readable = int(s.aheadLen.Load()) + s.waitingBytes()
	return status
}

// waitingBytes returns how many bytes have arrived and were not taken ahead.
func (s *stream) waitingBytes() int {
	n := 0
	control(s.in, func(fd int) {
		if k, err := unix.IoctlGetInt(fd, bytesToRead); err == nil {
			n = k
		}
	})
	return n
}

// hungUp reports whether the peer has closed its end altogether.
func (s *stream) hungUp() bool {
	gone := false
	control(s.out, func(fd int) {
		fds := []unix.PollFd{{Fd: int32(fd)}}
		if n, err := unix.Poll(fds, 0); err == nil && n > 0 {
			gone = fds[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0 // POLLERR: a pipe without reader
		}
	})
	return gone
}

// control runs f with the descriptor, unless it is closed.
func control(h half, f func(fd int)) {
	if raw, err := h.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { f(int(fd)) }) // an error means that it is closed, and f was not called
	}
}

func (s *stream) SetReadDeadline(t time.Time) error {
	return s.condition(s.reads.setDeadline(t), net.ErrClosed)
}

func (s *stream) SetWriteDeadline(t time.Time) error {
	return s.condition(s.writes.setDeadline(t), net.ErrClosed)
}

// Disconnect closes the stream; waiting calls get PipeNotConnected.
func (s *stream) Disconnect() error {
	if !s.state.CompareAndSwap(streamOpen, streamDisconnected) {
		return s.gone(nil)
	}
	return s.closeBoth()
}

// Close closes the stream; waiting calls get net.ErrClosed.
func (s *stream) Close() error {
	switch s.state.Swap(streamClosed) {
	case streamClosed:
		return net.ErrClosed
	case streamDisconnected:
		return nil
	}
	return s.closeBoth()
}

func (s *stream) closeBoth() error {
	err := s.in.Close()
	if s.out != s.in {
		if closing := s.out.Close(); !errors.Is(closing, os.ErrClosed) { // CloseWrite did it
			err = errors.Join(err, closing)
		}
	}
	return err
}
