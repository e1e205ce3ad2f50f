//go:build linux

package wine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// console is a program in Wine on a pseudo-terminal, of which Wine makes a console.
type console struct {
	t      *testing.T
	master *os.File
	shown  []byte
	cmd    *exec.Cmd
}

// startConsole starts a program; when the test ends, so does the program.
func startConsole(t *testing.T, name string, args ...string) *console {
	t.Helper()
	c := &console{t: t, cmd: exec.CommandContext(t.Context(), name, args...)}
	var err error
	if c.master, err = pty.StartWithSize(c.cmd, &pty.Winsize{Rows: 24, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.master.Close() })
	return c
}

// escapes are what Wine draws its screen with; what is between them is text, one character at a time.
var escapes = regexp.MustCompile(`\x1b\[[?0-9;]*[A-Za-z]`)

// expect reads until the text is shown, behind what was expected before. A blank may be drawn as a move of the cursor.
func (c *console) expect(text string) {
	c.t.Helper()
	text = strings.ReplaceAll(text, " ", "")
	buf := make([]byte, 4096)
	for {
		plain := strings.ReplaceAll(string(escapes.ReplaceAll(c.shown, nil)), " ", "")
		if _, rest, found := strings.Cut(plain, text); found {
			c.shown = []byte(rest)
			return
		}
		n, err := c.master.Read(buf)
		if err != nil {
			c.t.Fatalf("waiting for %q: %v; shown: %q", text, err, c.shown)
		}
		c.shown = append(c.shown, buf[:n]...)
	}
}

func (c *console) keys(s string) {
	c.t.Helper()
	if _, err := c.master.WriteString(s); err != nil {
		c.t.Fatal(err)
	}
}

// ended returns what else was shown and how the program ended.
func (c *console) ended() (string, error) {
	c.t.Helper()
	rest, err := io.ReadAll(c.master)
	if err != nil && !errors.Is(err, syscall.EIO) { // which is how Linux says that no program has the terminal any more
		c.t.Error(err)
	}
	return string(escapes.ReplaceAll(append(c.shown, rest...), nil)), c.cmd.Wait()
}

// A person types lines into connect, corrects one, sees what comes back, and ends it by Ctrl-D. The first key may take Wine ten
// seconds: for it, Wine starts its desktop.
func TestConnectAtConsole(t *testing.T) {
	b := newBridge(t)
	name := fmt.Sprintf("typed-%d", os.Getpid())
	start(t, "listening", b.wine, b.inWine("anypipe.exe", "listen", name, "--echo", "--mode", "message")...)
	c := startConsole(t, b.wine, b.inWine("anypipe.exe", "connect", name)...)
	c.expect("Ctrl-D ends")
	c.keys("hello\r")
	c.expect("hello") // as it is typed
	c.expect("hello") // as it comes back
	const backspace = "\x7f"
	c.keys("wrong" + strings.Repeat(backspace, 4) + "ord\r")
	c.expect("wrong")
	c.expect("word") // typed in two pieces, so this one came back
	c.keys("\x04")
	if rest, err := c.ended(); err != nil {
		t.Errorf("after Ctrl-D: %v; shown: %q", err, rest)
	}
}

// When the server ends, the program says so and ends without another key.
func TestServerEndsAtConsole(t *testing.T) {
	b := newBridge(t)
	name := fmt.Sprintf("ended-%d", os.Getpid())
	server := exec.CommandContext(t.Context(), b.wine, b.inWine("anypipe.exe", "listen", name, "--once")...)
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	b.awaitPipe(t, name)
	c := startConsole(t, b.wine, b.inWine("anypipe.exe", "connect", name)...)
	c.expect("Ctrl-D ends")
	if _, err := io.WriteString(in, "last words\n"); err != nil {
		t.Fatal(err)
	}
	c.expect("last words")
	in.Close()
	c.expect("the other end closed the pipe")
	if rest, err := c.ended(); err != nil {
		t.Errorf("%v; shown: %q", err, rest)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("the server: %v", err)
	}
}

// What the command does to a console's mode is tested from inside, by the command's own test, which needs a console.
func TestConsoleMode(t *testing.T) {
	b := newBridge(t)
	c := startConsole(t, b.wine, b.inWine("command.exe", "-test.run=TestUnderstandEscapes", "-test.v")...)
	c.expect("--- PASS: TestUnderstandEscapes")
	c.ended() // testscript, which this binary ends with, fails to clean up in Wine
}
