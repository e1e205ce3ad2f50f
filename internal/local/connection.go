//go:build linux || darwin || freebsd

package local

import (
	"time"

	"github.com/anypipe/anypipe/internal/npfs"
)

// connection is one end of an established connection, as an instance or a client holds it. There are two kinds: link is
// our engine over a shared region, stream is a plain byte stream with a program that does not know us.
//
// All methods may be called concurrently. Close and Disconnect unblock everything.
type connection interface {
	Read(p []byte) (int, error)
	ReadMessage(buf []byte, limit int) ([]byte, error)
	Write(p []byte) (int, error)
	Peek(p []byte) (npfs.Peeked, error)
	Transact(request, buf []byte, limit int) ([]byte, error)
	Flush() error
	// Start begins an operation, which has its place in the order on return. It does not wait.
	Start(r *Request) Pending
	// Cancel ends every call and operation that waits, with winerr.OperationAborted; winerr.NotFound if there is none.
	Cancel() error
	CloseWrite() error
	SetModes(m npfs.Modes) error
	// Status reads the live part of Info: state, modes, bytes.
	Status() npfs.Status
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	// Disconnect throws the client off and discards what is unread. Server ends only; the connection is closed after it.
	Disconnect() error
	Close() error
}
