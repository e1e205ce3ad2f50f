package local

import (
	"context"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// Work is what a Request asks for.
type Work uint8

// The operations that can be started and waited for later.
const (
	ReadWork     Work = iota // ReadFile
	WriteWork                // WriteFile
	TransactWork             // TransactNamedPipe
	FlushWork                // FlushFileBuffers
	ConnectWork              // ConnectNamedPipe
)

// A Request describes an operation to start. Its buffers belong to the operation until it is done.
type Request struct {
	Work  Work
	In    []byte // what a write or transact sends
	Out   []byte // where a read or transact puts what comes
	Whole bool   // the read appends one whole message to Out, growing it
	Limit int    // with Whole: at most so many bytes; 0 is no limit
}

// Pending is an operation that was started. Done and Wait are not called concurrently; Cancel may be.
type Pending interface {
	// Done reports whether the operation is over, so that Wait won't wait. It never waits itself.
	Done() bool
	// Wait waits until the operation is over and returns what it counted, what it read if the request said Whole, and how
	// it ended. When ctx is done it cancels the operation with ctx's error. It is called once.
	Wait(ctx context.Context) (n int, out []byte, err error)
	// Cancel ends the operation with the reason, unless it is over by then: what has arrived counts. It reports whether the
	// operation was waiting.
	Cancel(reason error) bool
}

// ended is an operation that was over when it had begun.
type ended struct{ err error }

func (ended) Done() bool                                          { return true }
func (e ended) Wait(context.Context) (n int, b []byte, err error) { return 0, nil, e.err }
func (ended) Cancel(error) bool                                   { return false }

// Ended returns an operation that was over when it had begun, and failed.
func Ended(err error) Pending { return ended{err} }

// needs returns the rights that the work takes.
func (w Work) needs() npfs.Access {
	switch w {
	case ReadWork:
		return npfs.ReadData
	case WriteWork:
		return npfs.WriteData
	case TransactWork:
		return npfs.ReadData | npfs.WriteData
	}
	return 0
}

// cancelled is what Cancel returns: whether it found something that waited.
func cancelled(found bool) error {
	if found {
		return nil
	}
	return winerr.NotFound
}
