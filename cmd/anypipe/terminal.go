package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// interact runs a relay between a person at a terminal and the pipe. x/term edits the lines, remembers them and keeps what
// arrives apart from what is being typed.
func (a *app) interact(ctx context.Context, r *relay, keys, screen *os.File, hexDump bool) (err error) {
	before, err := term.MakeRaw(int(keys.Fd()))
	if err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	defer func() {
		if restored := term.Restore(int(keys.Fd()), before); err == nil {
			err = restored
		}
	}()
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{keys, screen}, a.paint(screen, dim, "> "))
	if width, height, err := term.GetSize(int(screen.Fd())); err == nil && width > 0 {
		_ = t.SetSize(width, height) // without the size, long lines look odd, no more
	}
	if !a.quiet {
		fmt.Fprintf(t, "anypipe: connected to %s; each line is sent; Ctrl-D ends\n", printable(r.conn.RemoteAddr().String()))
	}
	r.emit = screenEmitter(t)
	if hexDump {
		r.emit = hexEmitter(t)
	}
	r.stopAtEnd = true
	// The goroutine behind typed stays in its read of the terminal if the pipe ends first; the program ends then.
	r.in = typed(ctx, r.framing, t.ReadLine)
	if err := r.run(ctx); err != nil {
		return err
	}
	if !a.quiet && peerGone(r.conn) {
		fmt.Fprintln(t, "anypipe: the other end closed the pipe")
	}
	return nil
}

// screenEmitter shows each piece on lines of its own, with the peer's control characters made harmless.
func screenEmitter(w io.Writer) func(p []byte) error {
	return func(p []byte) error {
		text := printableText(bytes.TrimSuffix(p, []byte("\n"))) + "\n"
		_, err := io.WriteString(w, text)
		return err
	}
}
