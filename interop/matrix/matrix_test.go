// Package matrix runs every language's peer against every other's; README.md says what the peers do. A cell that fails fails the test.
//
// Run it as `go test -count=1 -v .`; with ANYPIPE_WINE set to a wine64 whose prefix is ready, the peers are built for Windows and
// run there. ANYPIPE_PREFIX says where libanypipe is installed; without it, it is built first.
package matrix

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// hang is when a peer counts as hanging and is killed, so that its cell fails and the others still run.
const hang = 2 * time.Minute

// languages are the peers of each system, in the order of the table.
var languages = map[string][]string{
	"linux":   {"go", "c", "cpp", "win32", "csharp", "pascal", "python"},
	"windows": {"go", "win32", "csharp", "pascal"},
}

// system is where the peers run: "linux", or "windows", which is Wine here.
func system() string {
	if os.Getenv("ANYPIPE_WINE") != "" {
		return "windows"
	}
	return "linux"
}

// want are the lines of a successful client.
const want = "echo ok\nflood ok\nerror 233\ndone\n"

func TestMatrix(t *testing.T) {
	peers := build(t)
	for _, kind := range []string{"byte", "message"} {
		tab := newTable(languages[system()])
		for _, server := range tab.languages {
			t.Run(kind+"/"+server, func(t *testing.T) {
				exchangeWithAll(t, peers, server, kind, tab)
				failBeforeAll(t, peers, server, kind, tab)
			})
		}
		t.Logf("%s type on %s: a row is a server, a column a client\n%s", kind, system(), tab)
	}
}

// build makes all peers and returns the folder with a program for each.
func build(t *testing.T) string {
	prefix, bin := os.Getenv("ANYPIPE_PREFIX"), t.TempDir()
	if prefix == "" && system() == "linux" {
		prefix = filepath.Join(bin, "prefix")
		shell(t, "../../capi/build", "--out", prefix)
	}
	for _, language := range languages[system()] {
		shell(t, filepath.Join("peers", language, "build"), system(), bin, prefix)
	}
	t.Setenv("LD_LIBRARY_PATH", filepath.Join(prefix, "lib"))
	return bin
}

func shell(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// exchangeWithAll lets each client talk to one server, which stays the same for all.
func exchangeWithAll(t *testing.T, peers, server, kind string, tab *table) {
	name := pipeName(server, kind, "x")
	s := serve(t, peers, server, name, kind, 2)
	for _, client := range tab.languages {
		out, err := run(t, peers, client, "client", name, kind)
		if err != nil || out != want {
			tab.fail(t, server, client, "exchange: %v, %q", err, out)
		}
	}
	s.end(t)
}

// failBeforeAll fills a server's instances with one client of each language, looks at what a further one gets, and kills the server.
func failBeforeAll(t *testing.T, peers, server, kind string, tab *table) {
	name := pipeName(server, kind, "k")
	s := serve(t, peers, server, name, kind, len(tab.languages))
	held := map[string]*process{}
	for _, client := range tab.languages {
		held[client] = start(t, peers, client, "hold", name, kind)
		if line := held[client].line(); line != "connected" {
			tab.fail(t, server, client, "hold: %q%s", line, held[client].stderr.String())
		}
	}
	for _, client := range tab.languages {
		expect(t, peers, tab, server, client, "error 231\n", "open", name)
		expect(t, peers, tab, server, client, "error 121\n", "wait", name, "100")
	}
	s.kill()
	for _, client := range tab.languages {
		if line := held[client].line(); line != "error 109" {
			tab.fail(t, server, client, "killed server: %q%s", line, held[client].stderr.String())
		}
		held[client].kill()
		expect(t, peers, tab, server, client, "error 2\n", "open", name)
		expect(t, peers, tab, server, client, "error 2\n", "wait", name, "100")
	}
}

// expect runs a client that prints one line.
func expect(t *testing.T, peers string, tab *table, server, client, want string, args ...string) {
	out, err := run(t, peers, client, args...)
	if out != want || err != nil {
		tab.fail(t, server, client, "%v: %v, %q, want %q", args, err, out, want)
	}
}

func pipeName(server, kind, use string) string {
	return fmt.Sprintf("matrix-%s-%s-%s-%d", server, kind, use, os.Getpid())
}

// process is a peer that runs beside the test.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout *bufio.Reader
	stderr *safeBuffer
}

// start starts a peer, which is killed at the test's end if it still runs.
func start(t *testing.T, peers, language string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	t.Cleanup(cancel)
	p := &process{cmd: exec.CommandContext(ctx, filepath.Join(peers, language), args...), stderr: new(safeBuffer)}
	stdin, err1 := p.cmd.StdinPipe()
	stdout, err2 := p.cmd.StdoutPipe()
	p.cmd.Stderr = p.stderr
	if err := errors.Join(err1, err2, p.cmd.Start()); err != nil {
		t.Fatalf("%s %v: %v", language, args, err)
	}
	p.stdin, p.stdout = stdin, bufio.NewReader(stdout)
	t.Cleanup(p.kill)
	return p
}

// serve starts a server and waits until clients can come.
func serve(t *testing.T, peers, language, name, kind string, instances int) *process {
	t.Helper()
	p := start(t, peers, language, "serve", name, kind, fmt.Sprint(instances))
	if line := p.line(); line != "ready" {
		t.Fatalf("%s serve: %q%s", language, line, p.stderr.String())
	}
	return p
}

// line returns the next line that the peer prints, or what there was before its output ended.
func (p *process) line() string {
	line, _ := p.stdout.ReadString('\n')
	return strings.TrimRight(line, "\r\n")
}

// end closes a server's standard input, upon which it must end well.
func (p *process) end(t *testing.T) {
	t.Helper()
	p.stdin.Close()
	_, _ = io.Copy(io.Discard, p.stdout)
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%s: %v%s", p.cmd, err, p.stderr.String())
	}
}

// kill is kill -9. A second one, and one after end, do nothing.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// run runs a client to its end and returns what it printed.
func run(t *testing.T, peers, language string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(peers, language), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%w%s", err, &stderr)
	}
	return strings.ReplaceAll(stdout.String(), "\r\n", "\n"), err
}

// safeBuffer is a buffer that a process writes to while the test reads it.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns what was written, on a line of its own.
func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf.Len() == 0 {
		return ""
	}
	return "\n" + b.buf.String()
}

// table is the matrix of one type.
type table struct {
	languages []string
	failed    map[[2]string]bool
}

func newTable(languages []string) *table {
	return &table{languages: languages, failed: map[[2]string]bool{}}
}

// fail marks a cell and fails the test.
func (tab *table) fail(t *testing.T, server, client, format string, args ...any) {
	t.Helper()
	tab.failed[[2]string{server, client}] = true
	t.Errorf("server %s, client %s: %s", server, client, fmt.Sprintf(format, args...))
}

// String returns the table as it stands in the README.
func (tab *table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| | %s |\n|---|%s\n", strings.Join(tab.languages, " | "), strings.Repeat("---|", len(tab.languages)))
	for _, server := range tab.languages {
		fmt.Fprintf(&b, "| %s |", server)
		for _, client := range tab.languages {
			cell := "ok"
			if tab.failed[[2]string{server, client}] {
				cell = "FAIL"
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
