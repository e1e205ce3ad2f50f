// Package winerr ties every condition of a named pipe to its Go sentinel, its Win32 code and its NTSTATUS.
//
// Three conditions share the Win32 code 231 and two share 232, so the NTSTATUS is the identity of an [Error]
// and the Win32 code is what programs compare: [errors.Is] matches two Errors by Win32 code.
package winerr

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
)

// An Error is one documented failure of a pipe operation. Errors are compared by Win32 code:
// errors.Is(PipeNotAvailable, PipeBusy) is true, as both are ERROR_PIPE_BUSY.
type Error struct {
	// Name is the Win32 constant, what people search for.
	Name string
	// Code is the Win32 error number (GetLastError).
	Code uint32
	// Status is the NTSTATUS, which tells conditions with the same Code apart. Zero if the condition exists in Win32 only.
	Status uint32
	// Text says in words what happened.
	Text string
	// also lists the standard errors that errors.Is reports for this one.
	also []error
}

// Error returns the words, the constant and its number.
func (e *Error) Error() string {
	return e.Text + " (" + e.Name + ", " + strconv.FormatUint(uint64(e.Code), 10) + ")"
}

// Is reports whether target is an Error with the same Win32 code, or a standard error that means the same.
func (e *Error) Is(target error) bool {
	if t, ok := target.(*Error); ok {
		return t.Code == e.Code
	}
	for _, std := range e.also {
		if target == std {
			return true
		}
	}
	return false
}

// Timeout reports whether the error is a timeout, for net.Error.
func (e *Error) Timeout() bool { return e.Code == SemTimeout.Code }

// Temporary reports whether trying again later may help: the pipe was busy or the wait was too short.
func (e *Error) Temporary() bool { return e.Timeout() || e.Code == PipeBusy.Code }

// The conditions. The order is that of the Win32 numbers.
var (
	InvalidFunction   = &Error{"ERROR_INVALID_FUNCTION", 1, 0xC00000AF, "only the server end can do this", nil}
	FileNotFound      = &Error{"ERROR_FILE_NOT_FOUND", 2, 0xC0000034, "no pipe of that name exists", []error{fs.ErrNotExist}}
	PathNotFound      = &Error{"ERROR_PATH_NOT_FOUND", 3, 0xC000003A, "the pipe name is missing", []error{fs.ErrNotExist}}
	AccessDenied      = &Error{"ERROR_ACCESS_DENIED", 5, 0xC0000022, "access to the pipe is denied", []error{fs.ErrPermission}}
	NotSupported      = &Error{"ERROR_NOT_SUPPORTED", 50, 0xC00000BB, "this kind of pipe can't do this", []error{errors.ErrUnsupported}}
	InvalidParameter  = &Error{"ERROR_INVALID_PARAMETER", 87, 0xC000000D, "a parameter is not valid for this pipe", []error{fs.ErrInvalid}}
	BrokenPipe        = &Error{"ERROR_BROKEN_PIPE", 109, 0xC000014B, "the other end was closed", nil}
	SemTimeout        = &Error{"ERROR_SEM_TIMEOUT", 121, 0xC00000B5, "no instance became available in time", []error{os.ErrDeadlineExceeded, context.DeadlineExceeded}}
	InvalidName       = &Error{"ERROR_INVALID_NAME", 123, 0xC0000033, "this is not a pipe name", []error{fs.ErrInvalid}}
	FilenameTooLong   = &Error{"ERROR_FILENAME_EXCED_RANGE", 206, 0xC0000106, "the pipe name is longer than 256 characters", []error{fs.ErrInvalid}}
	BadPipe           = &Error{"ERROR_BAD_PIPE", 230, 0xC00000AD, "the pipe's state or mode does not allow this", nil}
	PipeBusy          = &Error{"ERROR_PIPE_BUSY", 231, 0xC00000AE, "unread data is in the way", nil}
	InstanceLimit     = &Error{"ERROR_PIPE_BUSY", 231, 0xC00000AB, "the pipe has as many instances as its first creator allowed", nil}
	PipeNotAvailable  = &Error{"ERROR_PIPE_BUSY", 231, 0xC00000AC, "every instance of the pipe is taken", nil}
	NoData            = &Error{"ERROR_NO_DATA", 232, 0xC00000B1, "the other end is closed", nil}
	PipeEmpty         = &Error{"ERROR_NO_DATA", 232, 0xC00000D9, "the pipe is empty", nil}
	PipeNotConnected  = &Error{"ERROR_PIPE_NOT_CONNECTED", 233, 0xC00000B0, "the server disconnected this end", nil}
	MoreData          = &Error{"ERROR_MORE_DATA", 234, 0x80000005, "the message is longer than the buffer", nil}
	PipeConnected     = &Error{"ERROR_PIPE_CONNECTED", 535, 0xC00000B2, "a client is already connected", nil}
	PipeListening     = &Error{"ERROR_PIPE_LISTENING", 536, 0xC00000B3, "no client has connected yet", nil}
	OperationAborted  = &Error{"ERROR_OPERATION_ABORTED", 995, 0xC0000120, "the operation was cancelled", nil}
	NotFound          = &Error{"ERROR_NOT_FOUND", 1168, 0xC0000225, "there is no such client or operation", nil}
	CannotImpersonate = &Error{"ERROR_CANNOT_IMPERSONATE", 1368, 0xC000010D, "the client can't be impersonated", nil}
)

// All lists every condition, for tables and wire decoders. It must not be modified.
var All = []*Error{
	InvalidFunction, FileNotFound, PathNotFound, AccessDenied, NotSupported, InvalidParameter, BrokenPipe, SemTimeout,
	InvalidName, FilenameTooLong, BadPipe, PipeBusy, InstanceLimit, PipeNotAvailable, NoData, PipeEmpty, PipeNotConnected,
	MoreData, PipeConnected, PipeListening, OperationAborted, NotFound, CannotImpersonate,
}

// FromStatus returns the condition with the given NTSTATUS, or nil if pipes don't know it.
func FromStatus(status uint32) *Error {
	for _, e := range All {
		if e.Status == status {
			return e
		}
	}
	return nil
}

// Code returns the Win32 code in err's chain, or 0 if there is none.
func Code(err error) uint32 {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return 0
}
