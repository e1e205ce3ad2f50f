// Package tutorial runs the programs of examples/tutorial as its README tells a reader to.
//
// With ANYPIPE_WINE set to a wine64 whose prefix is ready, the same sources are built for Windows and run there. ANYPIPE_PREFIX says
// where libanypipe is installed; without it, it is built first.
package tutorial

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// hang is when a program counts as hanging and is killed.
const hang = 2 * time.Minute

// programs is the folder with the built programs.
var programs string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (code int, err error) {
	if programs, err = os.MkdirTemp("", "tutorial"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(programs)
	system, prefix := "linux", os.Getenv("ANYPIPE_PREFIX")
	if os.Getenv("ANYPIPE_WINE") != "" {
		system = "windows"
	} else if prefix == "" {
		prefix = filepath.Join(programs, "prefix")
		if err := build("../../capi/build", "--out", prefix); err != nil {
			return 1, err
		}
	}
	if err := build("../../examples/tutorial/build", system, programs, prefix); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func build(script string, args ...string) error {
	if out, err := exec.Command(script, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", script, args, err, out)
	}
	return nil
}

// program is a program that runs beside the test.
type program struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
}

// start starts a program, which is killed at the test's end if it still runs.
func start(t *testing.T, name string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	t.Cleanup(cancel)
	p := &program{t: t, name: name, cmd: exec.CommandContext(ctx, filepath.Join(programs, name), args...)}
	p.cmd.Stderr = os.Stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin, p.stdout = stdin, bufio.NewReader(stdout)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	return p
}

// line returns the next line that the program prints.
func (p *program) line() string {
	line, _ := p.stdout.ReadString('\n')
	return strings.TrimRight(line, "\r\n")
}

func (p *program) wants(lines ...string) {
	p.t.Helper()
	for _, want := range lines {
		if got := p.line(); got != want {
			p.t.Fatalf("%s printed %q, want %q", p.name, got, want)
		}
	}
}

// tell types a line.
func (p *program) tell(line string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.stdin, line); err != nil {
		p.t.Fatal(err)
	}
}

// end closes the program's standard input and waits until it has ended well.
func (p *program) end() {
	p.t.Helper()
	p.stdin.Close()
	rest, _ := io.ReadAll(p.stdout)
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("%s: %v, after %q", p.name, err, rest)
	}
}

// serve starts the server with a pipe of its own.
func serve(t *testing.T, kind, instances string) (server *program, pipe string) {
	t.Helper()
	pipe = fmt.Sprintf(`\\.\pipe\Tutorial-%s-%d`, strings.ReplaceAll(t.Name(), "/", "-"), os.Getpid())
	server = start(t, "server", pipe, kind, instances)
	server.wants("created " + pipe)
	return server, pipe
}

var kinds = []string{"byte", "message"}

func TestWriter(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			server, pipe := serve(t, kind, "1")
			writer := start(t, "writer", pipe, "[test data, from client]", "and more")
			writer.wants("wrote 24 bytes", "wrote 8 bytes")
			writer.end()
			server.wants("connected", "received: [test data, from client]", "received: and more", "the client has left")
			server.end()
		})
	}
}

func TestReceivers(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			server, pipe := serve(t, kind, "2")
			args := []string{pipe}
			if kind == "message" {
				args = append(args, kind)
			}
			receivers := []*program{start(t, "receiver", args...), start(t, "receiver", args...)}
			for _, r := range receivers {
				r.wants("connected")
			}
			server.wants("connected", "connected")
			for _, text := range []string{"hello", "to all of you"} {
				server.tell(text)
				for _, r := range receivers {
					r.wants("received: " + text)
				}
			}
			server.end()
			for _, r := range receivers {
				r.wants("the server has left: error 233")
				r.end()
			}
		})
	}
}

// Many clients want the few instances of one name; each gets its turn.
func TestManyWriters(t *testing.T) {
	const clients = 20
	server, pipe := serve(t, "message", "3")
	var writing sync.WaitGroup
	for i := range clients {
		writing.Go(func() {
			out, err := exec.Command(filepath.Join(programs, "writer"), pipe, fmt.Sprintf("client %02d", i)).CombinedOutput()
			if err != nil {
				t.Errorf("writer %d: %v\n%s", i, err, out)
			}
		})
	}
	writing.Wait()
	var received []string
	for left := 0; left < clients; {
		switch line := server.line(); {
		case line == "the client has left":
			left++
		case line != "connected":
			received = append(received, line)
		}
	}
	slices.Sort(received)
	for i, line := range received {
		if want := fmt.Sprintf("received: client %02d", i); line != want {
			t.Errorf("line %d is %q, want %q", i, line, want)
		}
	}
	if len(received) != clients {
		t.Errorf("%d lines, want %d", len(received), clients)
	}
	server.end()
}

func TestAnonymousPipes(t *testing.T) {
	parent := start(t, "anonymous", "hello", "child")
	parent.wants("HELLO", "CHILD")
	parent.end()
}
