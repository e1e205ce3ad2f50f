package main

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// readerGone reports whether a write failed because nobody reads any more.
func readerGone(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA) || errors.Is(err, syscall.EPIPE)
}

// understandEscapes makes consoles act on escape sequences (colours, and the cursor's way when a line is edited), which Windows
// writes as strange characters unless a program asks for this. restore gives every console its mode back, as it is the shell's too.
func understandEscapes(screens ...*os.File) (restore func()) {
	var undo []func()
	for _, f := range screens {
		if f == nil || understandsEscapes(f) {
			continue
		}
		console := windows.Handle(f.Fd())
		var before uint32
		if windows.GetConsoleMode(console, &before) != nil {
			continue
		}
		// One that refuses, as before Windows 10, gets no colour.
		if windows.SetConsoleMode(console, before|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil {
			undo = append(undo, func() { _ = windows.SetConsoleMode(console, before) }) // at the end there is nobody to tell
		}
	}
	return func() {
		for _, f := range undo {
			f()
		}
	}
}

// understandsEscapes reports whether a console acts on escape sequences.
func understandsEscapes(f *os.File) bool {
	var mode uint32
	return windows.GetConsoleMode(windows.Handle(f.Fd()), &mode) == nil && mode&windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING != 0
}
