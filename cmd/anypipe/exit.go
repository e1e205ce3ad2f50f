package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/anypipe/anypipe"
)

// The exit codes. They never change their meaning.
const (
	exitOK       = 0
	exitOther    = 1
	exitUsage    = 2
	exitNotFound = 3
	exitBusy     = 4
	exitTimeout  = 5
	exitDenied   = 6
	exitBroken   = 7
	exitTooLarge = 8
)

// exitCodesText is the contract with scripts, as "anypipe help exit-codes" prints it.
const exitCodesText = `0  success
1  any other error
2  usage: arguments, flags, names or values that are wrong
3  not found: no pipe of that name (ERROR_FILE_NOT_FOUND, 2)
4  busy: every instance is taken (ERROR_PIPE_BUSY, 231)
5  timed out: --timeout or the pipe's default passed (ERROR_SEM_TIMEOUT, 121)
6  access denied (ERROR_ACCESS_DENIED, 5)
7  broken: the other end closed or disconnected (ERROR_BROKEN_PIPE, 109; ERROR_NO_DATA, 232; ERROR_PIPE_NOT_CONNECTED, 233)
8  message too large for the limit that was given (ERROR_MORE_DATA, 234)`

// exitCodesTopic is a help topic: cobra takes a command without a run function for one.
func exitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "The exit codes and their Win32 errors", Long: exitCodesText}
}

// exitCode is the one place that decides what an error means for the shell.
func exitCode(err error) int {
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage), is(anypipe.ErrInvalidName, anypipe.ErrNameTooLong, anypipe.ErrInvalidParameter),
		anypipe.Win32Code(err) == pathNotFound:
		return exitUsage
	case is(anypipe.ErrNotExist):
		return exitNotFound
	case is(anypipe.ErrPipeBusy):
		return exitBusy
	case is(anypipe.ErrTimeout, os.ErrDeadlineExceeded, context.DeadlineExceeded):
		return exitTimeout
	case is(anypipe.ErrAccessDenied):
		return exitDenied
	case is(anypipe.ErrBrokenPipe, anypipe.ErrNoData, anypipe.ErrNotConnected, io.EOF):
		return exitBroken
	case is(anypipe.ErrMoreData):
		return exitTooLarge
	}
	return exitOther
}

// pathNotFound is ERROR_PATH_NOT_FOUND, which the library gives for an empty name.
const pathNotFound = 3

// hint says what to do next, or nothing. command is what the user ran, such as "anypipe call".
func hint(err error, command string) string {
	var usage *usageError
	var failed *net.OpError
	creating := errors.As(err, &failed) && failed.Op == "create"
	switch code := exitCode(err); {
	case errors.As(err, &usage):
		return fmt.Sprintf("'%s --help' shows how it is used", command)
	case errors.Is(err, anypipe.ErrInvalidName), anypipe.Win32Code(err) == pathNotFound:
		return "a name is x or //./pipe/x; shells eat backslashes, forward slashes always work"
	case code == exitNotFound:
		return "'anypipe ls' shows which pipes exist; 'anypipe wait --exist NAME' waits until this one does"
	case code == exitBusy && creating: // the other 231: waiting does not help a server
		return "the first creator's --max counts for all servers of the name; 'anypipe info NAME' shows their pids"
	case code == exitBusy:
		return "'anypipe wait NAME' returns when an instance is free"
	case code == exitDenied && failed != nil && failed.Op == "open":
		return "'anypipe info NAME' shows who may open it, and in which direction; 'anypipe connect --read-only' reads only"
	case code == exitTimeout:
		return "a longer --timeout waits longer; without it there is no limit"
	case code == exitTooLarge:
		return "a larger --max-message, or none, takes the whole message"
	}
	return ""
}

// timeoutError says that --timeout passed. It is a context.DeadlineExceeded.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("timed out after %v", e.after) }

func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// usageError is a mistake in the arguments.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usagef is fmt.Errorf for mistakes in the arguments.
func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// isUsage reports whether the command never began, or found its arguments wrong.
func (a *app) isUsage(err error) bool {
	var usage *usageError
	return !a.running || errors.As(err, &usage)
}
