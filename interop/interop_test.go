package interop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/anypipe/anypipe"
)

// requestSize is several times the pipe's default buffer, so that both sides must wait for each other on the way.
const requestSize = 5*anypipe.DefaultBuffer + 4321

// request returns bytes that no peer would make up.
func request() []byte {
	p := make([]byte, requestSize)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range p {
		p[i] = byte(random.Uint32())
	}
	return p
}

// program returns the path of a peer. A missing peer is a failure: interop that did not run proves nothing.
func program(t *testing.T, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing (%v); install it with: apt-get install %s", name, err, debianPackage)
	}
	return path
}

// pipeName returns a name that no other test and no other run uses.
func pipeName(what string) string { return fmt.Sprintf("interop-%s-%d", what, os.Getpid()) }

// echo serves a byte-type pipe that sends everything back, until the test ends, and returns where programs that know only
// Unix sockets find it.
func echo(t *testing.T, name string) (path string) {
	t.Helper()
	listener, err := new(anypipe.ListenConfig).Listen(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed by the cleanup
			}
			serving.Go(func() {
				defer conn.Close()
				if _, err := io.Copy(conn, conn); err != nil {
					t.Errorf("echo: %v", err)
				}
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		serving.Wait()
	})
	return foreignPath(t, name)
}

// foreignPath asks the listing for the path of a pipe's door for foreign programs.
func foreignPath(t *testing.T, name string) string {
	t.Helper()
	pipes, err := anypipe.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pipes {
		if p.Name == name {
			return p.Path
		}
	}
	t.Fatalf("%s is not in the list of pipes: %v", name, pipes)
	return ""
}

// exchange runs a peer with the request as its stdin and checks that the same comes out of its stdout.
func exchange(t *testing.T, peer string, args ...string) {
	t.Helper()
	want := request()
	cmd := exec.CommandContext(t.Context(), peer, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(want), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
	}
	if !bytes.Equal(stdout.Bytes(), want) {
		t.Fatalf("%s: sent %d bytes, got %d back, equal up to %d\n%s", cmd, len(want), stdout.Len(), common(want, stdout.Bytes()), &stderr)
	}
}

// common returns how many leading bytes are equal.
func common(a, b []byte) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func TestPython(t *testing.T) {
	peer := program(t, "python3", "python3")
	exchange(t, peer, "testdata/echo.py", echo(t, pipeName("python")))
}

func TestNode(t *testing.T) {
	peer := program(t, "node", "nodejs")
	exchange(t, peer, "testdata/echo.js", echo(t, pipeName("node")))
}

func TestSocat(t *testing.T) {
	peer := program(t, "socat", "socat")
	// -t: how long socat waits for the answer's end after its own input ended.
	exchange(t, peer, "-t", "60", "-", "UNIX-CONNECT:"+echo(t, pipeName("socat")))
}

func TestNetcat(t *testing.T) {
	peer := program(t, "nc", "netcat-openbsd")
	// -N: shut the sending side down at the end of the input.
	exchange(t, peer, "-N", "-U", echo(t, pipeName("nc")))
}

// compile makes a .NET program of one source file.
func compile(t *testing.T, source string) (exe string) {
	t.Helper()
	exe = filepath.Join(t.TempDir(), source+".exe")
	compiler := program(t, "mcs", "mono-mcs libmono-system-core4.0-cil")
	out, err := exec.CommandContext(t.Context(), compiler, "-out:"+exe, "-r:System.Core", filepath.Join("testdata", source)).CombinedOutput()
	if err != nil {
		t.Fatalf("mcs: %v\n%s", err, out)
	}
	return exe
}

// A C# program reaches our pipe by its name alone.
func TestDotNetClient(t *testing.T) {
	mono := program(t, "mono", "mono-runtime")
	client := compile(t, "client.cs")
	name := pipeName("cs")
	echo(t, name)
	exchange(t, mono, client, name)
}

// Several foreign clients are served at once, each by an instance of its own.
func TestClientsSideBySide(t *testing.T) {
	python, node := program(t, "python3", "python3"), program(t, "node", "nodejs")
	path := echo(t, pipeName("many"))
	for range 3 {
		t.Run("python", func(t *testing.T) { t.Parallel(); exchange(t, python, "testdata/echo.py", path) })
		t.Run("node", func(t *testing.T) { t.Parallel(); exchange(t, node, "testdata/echo.js", path) })
	}
}

// A Go program reaches the pipe of a C# server by its name.
func TestDotNetServer(t *testing.T) {
	mono := program(t, "mono", "mono-runtime")
	name := pipeName("server")
	cmd := exec.CommandContext(t.Context(), mono, compile(t, "server.cs"), name)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("the server said %q instead of ready: %v", lines.Text(), lines.Err())
	}
	roundTrip(t, name)
	if !lines.Scan() || lines.Text() != "done" {
		t.Errorf("the server said %q instead of done: %v", lines.Text(), lines.Err())
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// roundTrip dials an echoing server, and checks what comes back.
func roundTrip(t *testing.T, name string) {
	t.Helper()
	conn, err := anypipe.Dial(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	want := request()
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(want)
		sent <- err
	}()
	got := make([]byte, len(want))
	n, err := io.ReadFull(conn, got)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d of %d bytes came back, equal up to %d: %v", n, len(want), common(want, got[:n]), err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

// Messages can't be had from a Unix socket, so a message-type pipe has no door for foreign programs.
func TestMessagePipeHasNoForeignDoor(t *testing.T) {
	name := pipeName("message")
	listener, err := (&anypipe.ListenConfig{Type: anypipe.Message}).Listen(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if path := foreignPath(t, name); path != "" {
		t.Errorf("a message-type pipe offers foreign programs %s", path)
	}
}
