//go:build !windows

package main

import (
	"errors"
	"os"
	"syscall"
)

// readerGone reports whether a write failed because nobody reads any more. On the real stdout the SIGPIPE comes first
// and ends the process; this is for every other writer.
func readerGone(err error) bool { return errors.Is(err, syscall.EPIPE) }

// understandEscapes has nothing to do: terminals understand escape sequences.
func understandEscapes(...*os.File) (restore func()) { return func() {} }

func understandsEscapes(*os.File) bool { return true }
