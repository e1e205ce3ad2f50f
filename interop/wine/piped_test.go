//go:build linux

package wine

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// awaitPipe returns when a program in Wine has made the pipe.
func (b *bridge) awaitPipe(t *testing.T, name string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), b.wine, b.inWine("anypipe.exe", "wait", name, "--exist", "--timeout", "60s")...).CombinedOutput()
	if err != nil {
		t.Fatalf("no pipe %s: %v: %s", name, err, out)
	}
}

// everyByte is a MiB with every value next to every other, among them what text modes change: CR, LF, Ctrl-Z and zero.
func everyByte(first byte) []byte {
	p := make([]byte, 1<<20)
	for i := range p {
		p[i] = first + byte(i*(i>>8|1))
	}
	return p
}

// piped starts a program in Wine with streams as ssh gives them to a ProxyCommand: two pipes, no console.
func (b *bridge) piped(t *testing.T, args ...string) (cmd *exec.Cmd, in io.WriteCloser, out io.Reader) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), b.wine, b.inWine("anypipe.exe", args...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if out, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, in, out
}

// What connect gets it carries unchanged, both ways at once; after the end of its stdin the rest still comes, and then it ends.
func TestPipedEcho(t *testing.T) {
	b := newBridge(t)
	name := fmt.Sprintf("echoed-%d", os.Getpid())
	start(t, "listening", b.wine, b.inWine("anypipe.exe", "listen", name, "--echo")...)
	want := everyByte(0)
	cmd, in, out := b.piped(t, "connect", name)
	sent := make(chan error, 1)
	go func() {
		_, err := in.Write(want)
		in.Close()
		sent <- err
	}()
	got, err := io.ReadAll(out)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes back, %v; want the %d that were sent", len(got), err, len(want))
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// listen and connect carry different data in both directions at the same time, and end by themselves when both inputs end.
func TestPipedBothWays(t *testing.T) {
	b := newBridge(t)
	name := fmt.Sprintf("both-%d", os.Getpid())
	toClient, toServer := everyByte(1), everyByte(2)
	server, serverIn, serverOut := b.piped(t, "listen", name, "--once")
	b.awaitPipe(t, name)
	client, clientIn, clientOut := b.piped(t, "connect", name)
	results := make(chan error, 4)
	write := func(w io.WriteCloser, p []byte) { _, err := w.Write(p); w.Close(); results <- err }
	read := func(who string, r io.Reader, want []byte) {
		got, err := io.ReadAll(r)
		if err == nil && !bytes.Equal(got, want) {
			err = fmt.Errorf("the %s got %d bytes, not the %d that were sent", who, len(got), len(want))
		}
		results <- err
	}
	go write(serverIn, toClient)
	go write(clientIn, toServer)
	go read("server", serverOut, toServer)
	go read("client", clientOut, toClient)
	for range cap(results) {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	for who, cmd := range map[string]*exec.Cmd{"server": server, "client": client} {
		if err := cmd.Wait(); err != nil {
			t.Errorf("the %s: %v", who, err)
		}
	}
}

// connect ends when the server does, though its own stdin stays open.
func TestPipedServerEnds(t *testing.T) {
	b := newBridge(t)
	name := fmt.Sprintf("gone-%d", os.Getpid())
	server, serverIn, _ := b.piped(t, "listen", name, "--once")
	b.awaitPipe(t, name)
	client, clientIn, clientOut := b.piped(t, "connect", name)
	defer clientIn.Close()
	if _, err := io.WriteString(serverIn, "bye"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 3)
	if _, err := io.ReadFull(clientOut, got); err != nil {
		t.Fatal(err)
	}
	server.Process.Kill()
	if rest, err := io.ReadAll(clientOut); err != nil || len(rest) > 0 {
		t.Errorf("then %q, %v", rest, err)
	}
	if err := client.Wait(); err != nil {
		t.Error(err)
	}
	server.Wait() // the error says that it was killed
}

// bench runs in Wine and has a figure for each kind of carrier.
func TestBenchRuns(t *testing.T) {
	b := newBridge(t)
	out, err := exec.Command(b.wine, b.inWine("anypipe.exe", "bench", "--time", "20ms")...).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	t.Logf("%s", out)
}
