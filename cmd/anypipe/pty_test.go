//go:build linux || darwin || freebsd

package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/anypipe/anypipe"
)

// console is a program on a terminal, and what it showed.
type console struct {
	t      *testing.T
	master *os.File
	shown  bytes.Buffer
}

// expect reads until the text appears behind what was expected before.
func (c *console) expect(text string) {
	c.t.Helper()
	buf := make([]byte, 4096)
	for {
		if _, rest, found := strings.Cut(c.shown.String(), text); found {
			c.shown.Reset()
			c.shown.WriteString(rest)
			return
		}
		n, err := c.master.Read(buf)
		if err != nil {
			c.t.Fatalf("waiting for %q: %v; shown: %q", text, err, c.shown.String())
		}
		c.shown.Write(buf[:n])
	}
}

func (c *console) keys(s string) {
	c.t.Helper()
	if _, err := c.master.WriteString(s); err != nil {
		c.t.Fatal(err)
	}
}

// answering is a server of messages that answers "got" and the message, for one client.
func answering(t *testing.T, name string) {
	t.Helper()
	config := anypipe.ListenConfig{Type: anypipe.Message}
	l, err := config.Listen(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	go func() {
		defer close(done)
		c, err := l.AcceptPipe(t.Context())
		if err != nil {
			return
		}
		defer c.Close()
		for msg, err := range c.Messages() {
			if err != nil || string(msg) == "bye" {
				return
			}
			if _, err := c.Write(append([]byte("got \x1b"), msg...)); err != nil {
				return
			}
		}
	}()
}

func startConsole(t *testing.T, args ...string) (*console, *exec.Cmd) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "anypipe", args...)
	cmd.Env = append(os.Environ(), "TERM=xterm", "GORACE=atexit_sleep_ms=0")
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	return &console{t: t, master: master}, cmd
}

const (
	keyLeft      = "\x1b[D"
	keyUp        = "\x1b[A"
	keyBackspace = "\x7f"
	keyEnter     = "\r"
	keyCtrlD     = "\x04"
)

// On a terminal lines are edited and remembered, and a reply is shown with its control characters escaped.
func TestConnectOnTerminal(t *testing.T) {
	t.Setenv("ANYPIPE_DIR", t.TempDir())
	answering(t, "talk")
	c, cmd := startConsole(t, "connect", "talk")
	c.expect("Ctrl-D ends")
	c.keys("hxllo" + keyLeft + keyLeft + keyLeft + keyBackspace + "e" + keyEnter)
	c.expect(`got \x1bhello`)
	c.keys(keyUp + "!" + keyEnter)
	c.expect(`got \x1bhello!`)
	c.keys(keyCtrlD)
	if err := cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-D: %v", err)
	}
}

// When the server closes, the program says so and ends without another key.
func TestConnectOnTerminalServerCloses(t *testing.T) {
	t.Setenv("ANYPIPE_DIR", t.TempDir())
	answering(t, "talk")
	c, cmd := startConsole(t, "connect", "talk", "--timeout", time.Minute.String())
	c.expect("Ctrl-D ends")
	c.keys("bye" + keyEnter)
	c.expect("the other end closed the pipe")
	if err := cmd.Wait(); err != nil {
		t.Errorf("after the end of the pipe: %v", err)
	}
}
