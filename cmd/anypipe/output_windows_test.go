package main

import (
	"os"
	"testing"

	"golang.org/x/sys/windows"
)

// While the program runs its console acts on escape sequences, and afterwards it has the mode that it had.
func TestUnderstandEscapes(t *testing.T) {
	screen, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		t.Fatalf("this needs a console: %v", err)
	}
	defer screen.Close()
	console := windows.Handle(screen.Fd())
	const plain = windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_WRAP_AT_EOL_OUTPUT
	if err := windows.SetConsoleMode(console, plain); err != nil {
		t.Fatal(err)
	}
	a := &app{color: "auto"}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "")
	if a.colored(screen) {
		t.Error("colours on a console that would show them as characters")
	}
	restore := understandEscapes(nil, screen, screen)
	if !a.colored(screen) {
		t.Error("no colours on a console that understands them")
	}
	restore()
	var mode uint32
	if err := windows.GetConsoleMode(console, &mode); err != nil || mode != plain {
		t.Errorf("mode %#x afterwards, %v; want %#x", mode, err, plain)
	}
}
