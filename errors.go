package anypipe

import (
	"errors"
	"io"
	"net"
	"os"

	"github.com/anypipe/anypipe/internal/winerr"
)

// The conditions of a named pipe, each with its Win32 error. All errors of this package are a [*net.OpError]
// around one of these or around [io.EOF] (returned bare by Read and ReadMessage), [net.ErrClosed],
// [os.ErrDeadlineExceeded] or a context's error; test them with [errors.Is]. [Win32Code] returns the number.
//
// ErrPipeBusy stands for the three conditions that Windows reports as 231 and ErrNoData for the two that it
// reports as 232: errors.Is matches by Win32 code.
var (
	ErrInvalidFunction   error = winerr.InvalidFunction   // 1: server-only operation on a client end
	ErrNotExist          error = winerr.FileNotFound      // 2: no pipe of that name; also fs.ErrNotExist
	ErrAccessDenied      error = winerr.AccessDenied      // 5: descriptor, direction, first instance; also fs.ErrPermission
	ErrNotSupported      error = winerr.NotSupported      // 50: this transport can't do it; also errors.ErrUnsupported
	ErrInvalidParameter  error = winerr.InvalidParameter  // 87: a value that is not valid for this pipe
	ErrBrokenPipe        error = winerr.BrokenPipe        // 109: the other end was closed
	ErrTimeout           error = winerr.SemTimeout        // 121: no instance in time; also os.ErrDeadlineExceeded
	ErrInvalidName       error = winerr.InvalidName       // 123: not a pipe name
	ErrNameTooLong       error = winerr.FilenameTooLong   // 206: name over 256 characters
	ErrBadPipe           error = winerr.BadPipe           // 230: the state or mode does not allow it
	ErrPipeBusy          error = winerr.PipeNotAvailable  // 231: no instance free, limit reached, or unread data before Transact
	ErrNoData            error = winerr.NoData            // 232: write after the other end closed, or nothing to read with NoWait
	ErrNotConnected      error = winerr.PipeNotConnected  // 233: the server called Disconnect
	ErrMoreData          error = winerr.MoreData          // 234: the buffer was filled and the message goes on
	ErrPipeConnected     error = winerr.PipeConnected     // 535: Connect found a client already there: a success
	ErrPipeListening     error = winerr.PipeListening     // 536: no client yet
	ErrAborted           error = winerr.OperationAborted  // 995: the operation was cancelled
	ErrNotFound          error = winerr.NotFound          // 1168: no such client
	ErrCannotImpersonate error = winerr.CannotImpersonate // 1368: the client can't be impersonated
)

// Win32Code returns the Win32 error number that err stands for: 109 for [io.EOF], 995 for [net.ErrClosed] and
// passed deadlines, 0 for nil and for errors that have none.
func Win32Code(err error) int {
	switch code := winerr.Code(err); {
	case code != 0:
		return int(code)
	case errors.Is(err, io.EOF):
		return int(winerr.BrokenPipe.Code)
	case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded):
		return int(winerr.OperationAborted.Code)
	}
	return 0
}

// opError makes every error that leaves the package, except nil and io.EOF, which pass unchanged.
func opError(op string, local, remote net.Addr, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return wrap(op, local, remote, err)
}

// wrap is kept out of callers, whose frames lie on the stack of each goroutine that waits.
//
//go:noinline
func wrap(op string, local, remote net.Addr, err error) error {
	if _, ok := err.(*net.OpError); ok {
		return err
	}
	return &net.OpError{Op: op, Net: "pipe", Source: local, Addr: remote, Err: err}
}
