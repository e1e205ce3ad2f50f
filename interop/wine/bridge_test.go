//go:build linux

package wine

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// bridge is what the script run gives the tests of relay, which need Wine and this system at the same time.
type bridge struct {
	wine, bin, native string // the program wine64, the folder with what runs in it, and anypipe for this system
	dir               string
}

func newBridge(t *testing.T) *bridge {
	t.Helper()
	b := &bridge{wine: os.Getenv("ANYPIPE_WINE"), bin: os.Getenv("ANYPIPE_WINE_BIN"), dir: t.TempDir()}
	if b.wine == "" || b.bin == "" {
		t.Skip("needs a Wine prefix: interop/wine/run makes it and runs this")
	}
	b.native = filepath.Join(b.bin, "anypipe")
	return b
}

// z is how Wine names a file of this system.
func z(path string) string { return "Z:" + path }

// start runs a server and returns when it says that it serves; it is killed at the end of the test.
func start(t *testing.T, sign string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	talk, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	seen := make(chan struct{})
	var once sync.Once
	for _, stream := range []io.Reader{talk, out} {
		reading.Go(func() {
			for lines := bufio.NewScanner(stream); lines.Scan(); {
				t.Logf("%s: %s", filepath.Base(name), lines.Text())
				if strings.Contains(lines.Text(), sign) {
					once.Do(func() { close(seen) })
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() { reading.Wait(); close(ended) }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
		cmd.Wait() // the error says that it was killed
	})
	select {
	case <-seen:
	case <-ended:
		t.Fatalf("%s %v ended before it said %q", name, args, sign)
	}
}

// echoSocket serves a Unix socket that gives everything back and then its end.
func echoSocket(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				io.Copy(c, c)
				c.CloseWrite()
			})
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
}

func (b *bridge) inWine(program string, args ...string) []string {
	return append([]string{filepath.Join(b.bin, program)}, args...)
}

// A Win32 program in Wine talks to a native server behind a Unix socket, twenty clients at once.
func TestFromWineToSocket(t *testing.T) {
	b := newBridge(t)
	socket, file := filepath.Join(b.dir, "s"), filepath.Join(b.dir, "bridge")
	name := fmt.Sprintf(`\\.\pipe\out-%d`, os.Getpid())
	echoSocket(t, socket)
	start(t, "relaying", b.native, "relay", "loopback:"+file, "unix:"+socket)
	start(t, "relaying", b.wine, b.inWine("anypipe.exe", "relay", name, "loopback:"+z(file))...)
	out, err := exec.Command(b.wine, b.inWine("peer.exe", "call", name, "byte", "20")...).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// Native programs talk to a Win32 server in Wine through a Unix socket, and the end of a connection arrives.
func TestFromSocketToWine(t *testing.T) {
	b := newBridge(t)
	socket, file := filepath.Join(b.dir, "s"), filepath.Join(b.dir, "bridge")
	name := fmt.Sprintf(`\\.\pipe\in-%d`, os.Getpid())
	const clients = 5
	start(t, "ready", b.wine, b.inWine("peer.exe", "serve", name, "byte", fmt.Sprint(clients))...)
	start(t, "relaying", b.wine, b.inWine("anypipe.exe", "relay", "loopback:"+z(file), name)...)
	start(t, "relaying", b.native, "relay", "unix:"+socket, "loopback:"+file)
	var calling sync.WaitGroup
	for i := range clients {
		calling.Go(func() {
			if err := callSocket(socket, strings.Repeat(fmt.Sprint("client", i), 50_000)); err != nil {
				t.Error(err)
			}
		})
	}
	calling.Wait()
}

// callSocket sends the text, ends its direction, and reads the text back up to the end.
func callSocket(path, text string) error {
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	defer c.Close()
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(c, text)
		sent <- errors.Join(err, c.CloseWrite())
	}()
	got, err := io.ReadAll(c)
	if err == nil && string(got) != text {
		err = fmt.Errorf("got %d bytes back, want %d", len(got), len(text))
	}
	return errors.Join(err, <-sent)
}

// Messages keep their boundaries all the way from a Win32 program in Wine to a native pipe and back.
func TestMessagesThroughTheBridge(t *testing.T) {
	b := newBridge(t)
	file, native := filepath.Join(b.dir, "bridge"), fmt.Sprintf("bridge-%d", os.Getpid())
	name := fmt.Sprintf(`\\.\pipe\messages-%d`, os.Getpid())
	t.Setenv("ANYPIPE_DIR", b.dir)
	start(t, "listening", b.native, "listen", native, "--echo", "--mode", "message")
	start(t, "relaying", b.native, "relay", "loopback:"+file, native)
	start(t, "relaying", b.wine, b.inWine("anypipe.exe", "relay", "--mode", "message", name, "loopback:"+z(file))...)
	out, err := exec.Command(b.wine, b.inWine("peer.exe", "call", name, "message", "10")...).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// The native half may end and start again: the next connection finds it.
func TestBridgeReconnects(t *testing.T) {
	b := newBridge(t)
	socket, file := filepath.Join(b.dir, "s"), filepath.Join(b.dir, "bridge")
	name := fmt.Sprintf(`\\.\pipe\again-%d`, os.Getpid())
	echoSocket(t, socket)
	start(t, "relaying", b.wine, b.inWine("anypipe.exe", "relay", name, "loopback:"+z(file))...)
	for round := range 2 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			start(t, "relaying", b.native, "relay", "loopback:"+file, "unix:"+socket)
			out, err := exec.Command(b.wine, b.inWine("peer.exe", "call", name, "byte", "1")...).CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// What Wine, as Windows, tells only to who opens a pipe, info --open tells in words.
func TestInfoOpens(t *testing.T) {
	b := newBridge(t)
	name := fmt.Sprintf("info-%d", os.Getpid())
	start(t, "listening", b.wine, b.inWine("anypipe.exe", "listen", name, "--echo", "--mode", "message", "--acl", "everyone")...)
	out, err := exec.Command(b.wine, b.inWine("anypipe.exe", "info", name, "--open")...).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	for _, want := range []string{"takes one of its instances", "message", "duplex (both ways)", "of unlimited", "Everyone may read and write", "in 65536 B"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("info does not say %q: %s", want, out)
		}
	}
}

// localhost is this machine. Any other server goes to the system's redirector, which Wine 8 lacks, and that is said.
func TestServersInNames(t *testing.T) {
	b := newBridge(t)
	name := fmt.Sprintf("server-%d", os.Getpid())
	start(t, "listening", b.wine, b.inWine("anypipe.exe", "listen", name, "--echo")...)
	for server, want := range map[string]string{"localhost": "hello", "127.0.0.1": "path not found"} {
		cmd := exec.Command(b.wine, b.inWine("anypipe.exe", "connect", "//"+server+"/pipe/"+name)...)
		cmd.Stdin = strings.NewReader("hello")
		out, err := cmd.CombinedOutput()
		if !strings.Contains(strings.ToLower(string(out)), want) || (err == nil) != (server == "localhost") {
			t.Errorf("%s: %v: %s; want %q", server, err, out, want)
		}
	}
}
