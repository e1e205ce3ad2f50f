package anypipe

import (
	"errors"
	"io"
	"iter"
	"net"
	"time"
)

// Conn is one open end of a pipe: a [net.Conn], and all that Windows' handle can do. Make one with [Dial],
// [Listener.Accept], [Pipe] or [Spawn].
//
// All methods may be called concurrently. Reads waiting at the same time are served in the order they came,
// and so are writes; a write is never interleaved with another, whatever its size. A waiting call ends when its
// deadline passes, when Close is called, or when the other end closes or disconnects.
type Conn struct {
	end           Endpoint
	local, remote net.Addr
	maxMessage    int
}

var _ net.Conn = (*Conn)(nil)

// NewConn wraps an end made by a [Transport]. The Conn owns the end from then on.
func NewConn(end Endpoint, local, remote net.Addr) *Conn {
	return &Conn{end: end, local: local, remote: remote}
}

func (c *Conn) opError(op string, err error) error { return opError(op, c.local, c.remote, err) }

// Read is ReadFile. On a byte-type pipe and in byte-read mode it returns what is there, at least one byte. In
// message-read mode it returns at most one message; if p is too small the error is [ErrMoreData], n is len(p), and
// the next Read goes on in the same message. An empty message reads as 0, nil. A zero-length p waits until there is
// something to read and takes nothing.
//
// After the other end closed and everything was read, the error is [io.EOF]; after the server disconnected it is
// [ErrNotConnected], even if data was buffered. A Read whose deadline passes returns what arrived until then.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.end.Read(p)
	return n, c.opError("read", err)
}

// Write is WriteFile. On a message-type pipe p is one message, also when it is empty; at most 2 GiB − 1. Write returns
// when the unread bytes fit into the pipe's buffer (its quota) or were read. If a deadline ends it, the unread part
// of p is taken back and n says how many bytes had been read; Windows does not tell, so there n is 0.
//
// After the other end closed the error is [ErrNoData]; a Write that was waiting then gets [ErrBrokenPipe].
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.end.Write(p)
	return n, c.opError("write", err)
}

// ReadMessage returns the next whole message, of any size, in a new slice, whatever the read mode; of a message that
// Read has begun it returns the rest. An empty message is an empty slice. It needs a message-type pipe, else [ErrBadPipe].
// A message over the configured MaxMessage gives its first MaxMessage bytes and [ErrMoreData]; the rest stays in the pipe.
// If the deadline passes while a message is still coming in, its first part is returned with [os.ErrDeadlineExceeded] and
// the rest stays.
func (c *Conn) ReadMessage() ([]byte, error) { return c.AppendMessage(nil) }

// AppendMessage is ReadMessage into the free capacity of buf, growing it if needed; it returns the extended slice.
func (c *Conn) AppendMessage(buf []byte) ([]byte, error) {
	out, err := c.end.ReadMessage(buf, c.maxMessage)
	if out == nil && err == nil {
		out = []byte{}
	}
	return out, c.opError("read", err)
}

// WriteMessage sends p as one message. On a message-type pipe that is what Write does; on a byte-type pipe, which has
// no messages, the error is [ErrBadPipe].
func (c *Conn) WriteMessage(p []byte) error {
	if c.end.Type() != Message {
		return c.opError("write", ErrBadPipe)
	}
	_, err := c.end.Write(p)
	return c.opError("write", err)
}

// Type returns the pipe's type, Byte or Message.
func (c *Conn) Type() Mode { return c.end.Type() }

// Messages iterates over the messages until the other end closes. The slice is valid until the next step. An error
// other than io.EOF is yielded once, with a nil slice, and ends the loop.
func (c *Conn) Messages() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var buf []byte
		for {
			msg, err := c.AppendMessage(buf[:0])
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(msg, nil) {
				return
			}
			buf = msg
		}
	}
}

// Peek is PeekNamedPipe: it copies from the front of the pipe into p (which may be nil) without taking anything, and
// never waits. On message-type pipes it shows the first message only, whatever the read mode.
func (c *Conn) Peek(p []byte) (Peeked, error) {
	r, err := c.end.Peek(p)
	return r, c.opError("peek", err)
}

// Transact is TransactNamedPipe: it sends request as one message, without regard to the buffer size, and returns the
// next message from the other end. It needs a duplex pipe and message-read mode ([ErrBadPipe]) and no unread data
// ([ErrPipeBusy]). If the deadline passes, the request stays delivered.
func (c *Conn) Transact(request []byte) ([]byte, error) {
	out, err := c.end.Transact(request, nil, c.maxMessage)
	if out == nil && err == nil {
		out = []byte{}
	}
	return out, c.opError("transact", err)
}

// Flush is FlushFileBuffers: it waits until the other end has read everything that this end wrote before. It ends with
// [ErrBrokenPipe] if the other end closes first, and obeys the write deadline.
func (c *Conn) Flush() error { return c.opError("flush", c.end.Flush()) }

// CloseWrite ends this end's direction: the other end reads what is buffered and then io.EOF. Reading goes on.
// It does not wait. On Windows, where pipes have no half-close, it sends an empty message, which the other end reads as 0
// bytes without an error, and needs a message-type pipe ([ErrNotSupported]).
func (c *Conn) CloseWrite() error { return c.opError("close-write", c.end.CloseWrite()) }

// SetReadMode changes this end's read mode for the next read; what is buffered keeps its boundaries. Both kinds of
// end start in the mode that their configuration gave, byte by default. [ErrInvalidParameter] on byte-type pipes.
func (c *Conn) SetReadMode(m Mode) error {
	info, err := c.end.Info()
	if err == nil {
		err = c.end.SetModes(Modes{Read: m, NoWait: info.Modes.NoWait})
	}
	return c.opError("set-mode", err)
}

// SetModes is SetNamedPipeHandleState: read mode and wait mode together.
func (c *Conn) SetModes(m Modes) error { return c.opError("set-mode", c.end.SetModes(m)) }

// Info is GetNamedPipeInfo and GetNamedPipeHandleState: type, quotas, instances, modes, state and bytes readable now.
func (c *Conn) Info() (Info, error) {
	i, err := c.end.Info()
	return i, c.opError("info", err)
}

// Peer tells which process, user and session is at the other end, as the system vouches for it. It still answers
// after the other end closed, and fails after Disconnect.
func (c *Conn) Peer() (Peer, error) {
	p, err := c.end.Peer()
	return p, c.opError("peer", err)
}

// Security tells the pipe's descriptor as it is now, with its owner (GetSecurityInfo). The end must have been opened with
// ReadControl, which GenericRead and GenericWrite contain. Where it is ErrNotSupported, on Unix, [List] tells the descriptor.
func (c *Conn) Security() (*Security, error) {
	end, ok := c.end.(interface{ Descriptor() (string, error) })
	if !ok {
		return nil, c.opError("security", ErrNotSupported)
	}
	text, err := end.Descriptor()
	if err != nil {
		return nil, c.opError("security", err)
	}
	s, err := ParseSDDL(text)
	return s, c.opError("security", err)
}

// RunAsClient runs f on a locked thread that has the identity of the client at the other end
// (ImpersonateNamedPipeClient … RevertToSelf), and returns f's error. Only server ends can ([ErrInvalidFunction]); on Unix
// the server must be root ([ErrCannotImpersonate]). f must not leave goroutines behind that count on the identity.
func (c *Conn) RunAsClient(f func() error) error {
	server, ok := c.end.(ServerEndpoint)
	if !ok {
		return c.opError("impersonate", ErrInvalidFunction)
	}
	return c.opError("impersonate", server.RunAsClient(f))
}

// Close closes the end and unblocks every waiting call with [net.ErrClosed]. What was written and not yet read stays
// readable for the other end; writes that were still waiting are taken back. Use Flush first to be sure that all was
// read. A second Close returns nil.
func (c *Conn) Close() error {
	err := c.end.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return c.opError("close", err)
}

// LocalAddr returns the pipe's name.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the pipe's name.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines; see [net.Conn].
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline sets the time at which Read, ReadMessage and the waiting part of Transact end with
// [os.ErrDeadlineExceeded]; zero means never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.opError("set", c.end.SetReadDeadline(t))
}

// SetWriteDeadline sets the time at which Write and Flush end with [os.ErrDeadlineExceeded]; zero means never.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.opError("set", c.end.SetWriteDeadline(t))
}
