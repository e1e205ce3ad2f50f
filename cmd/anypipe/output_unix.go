//go:build !windows

package main

import (
	"errors"
	"syscall"
)

// readerGone reports whether a write failed because nobody reads any more. On the real stdout the SIGPIPE comes first
// and ends the process; this is for every other writer.
func readerGone(err error) bool { return errors.Is(err, syscall.EPIPE) }
