//go:build linux || darwin || freebsd

package local

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

func foreignConfig() *npfs.CreateConfig {
	cfg := config()
	cfg.Foreign = true
	return cfg
}

func dialForeign(t *testing.T, dir, pipe string) *net.UnixConn {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: filepath.Join(dir, "CoreFxPipe_"+pipe), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func readAll(t *testing.T, what string, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Errorf("%s: read %q, %v; want %q", what, got, err, want)
	}
}

func TestForeignClient(t *testing.T) {
	dir := useDir(t)
	in := mustCreate(t, "x", foreignConfig())
	pipes, err := List(t.Context())
	if err != nil || len(pipes) != 1 || pipes[0].Path != filepath.Join(dir, "CoreFxPipe_x") {
		t.Fatalf("%+v, %v", pipes, err)
	}
	a, b := dialForeign(t, dir, "x"), dialForeign(t, dir, "x")
	for _, c := range []*net.UnixConn{a, b} { // both are in the kernel's queue, the second with data and gone
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	b.Close()
	if err := connect(t, in); err != nil && !errors.Is(err, winerr.PipeConnected) {
		t.Fatal(err)
	}
	readAll(t, "server", in, "hello")
	if _, err := in.Write([]byte("world")); err != nil {
		t.Fatal(err)
	}
	readAll(t, "client", a, "world")
	peer, err := in.Peer()
	if err != nil || peer.PID != os.Getpid() {
		t.Errorf("peer %+v, %v", peer, err)
	}
	_, err = tryOpen(t, "x", both)
	wants(t, "open while a foreign client has the instance", err, winerr.PipeNotAvailable)
	_, err = in.ReadMessage(nil, 0)
	wants(t, "read message", err, winerr.BadPipe)
	ok(t, "disconnect", in.Disconnect())
	if _, err := a.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("client after disconnect: %v", err)
	}
	// Case 70 for the second one: it is gone, what it left is not.
	if err := connect(t, in); err != nil {
		t.Error(err)
	}
	readAll(t, "server", in, "hello")
	if _, err := in.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read after the end: %v", err)
	}
	wants(t, "connect", connect(t, in), winerr.NoData)
	ok(t, "close", in.Close())
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left in the directory: %v, %v", left, err)
	}
}

// A foreign client that connected and went without a word does not use up an instance.
func TestForeignClientGone(t *testing.T) {
	dir := useDir(t)
	in := mustCreate(t, "x", foreignConfig())
	open(t, "x")
	dialForeign(t, dir, "x").Close()
	ok(t, "disconnect", in.Disconnect())
	c := dialForeign(t, dir, "x")
	if _, err := c.Write([]byte("me")); err != nil {
		t.Fatal(err)
	}
	if err := connect(t, in); err != nil {
		t.Error(err)
	}
	readAll(t, "server", in, "me")
}

// Closing the last instance ends the foreign door in every state it may be in.
func TestCloseWithForeignClientWaiting(t *testing.T) {
	dir := useDir(t)
	in := mustCreate(t, "x", foreignConfig())
	open(t, "x")
	c := dialForeign(t, dir, "x")
	ok(t, "close", in.Close())
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the server still talks")
	}
}

func TestForeignDoorsWhere(t *testing.T) {
	dir := useDir(t)
	message, off := foreignConfig(), foreignConfig()
	message.Type, off.Foreign = npfs.Message, false
	for what, pipe := range map[string]struct {
		name string
		cfg  *npfs.CreateConfig
	}{
		"message type": {"a", message}, "switched off": {"b", off}, "separator": {`c\d`, foreignConfig()}, "long": {strings.Repeat("e", 100), foreignConfig()},
	} {
		in := mustCreate(t, pipe.name, pipe.cfg)
		if in.server.foreignPath() != "" {
			t.Errorf("%s: foreign door %s", what, in.server.foreignPath())
		}
	}
	// A live server of another program is not disturbed, a dead one's socket is replaced.
	path := filepath.Join(dir, "CoreFxPipe_x")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	in := mustCreate(t, "x", foreignConfig())
	if in.server.foreignPath() != "" {
		t.Error("took another program's path")
	}
	l.Close()
	mustCreate(t, "x", foreignConfig()) // the next instance tries again
	if in.server.foreignPath() != path {
		t.Errorf("foreign door %q", in.server.foreignPath())
	}
	dialForeign(t, dir, "x")
}

// Open falls back to a server that knows only Unix sockets.
func TestOpenForeignServer(t *testing.T) {
	dir := useDir(t)
	wants(t, "wait", wait(t, "Net", forever), winerr.FileNotFound)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "CoreFxPipe_Net"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	ok(t, "wait", wait(t, "Net", forever))
	_, err = tryOpen(t, "net", both)
	wants(t, "other spelling", err, winerr.FileNotFound)
	_, err = Open(t.Context(), ".", "Net", &npfs.OpenConfig{Access: both, ExpectOwner: "S-1-22-1-4242"})
	wants(t, "other owner", err, winerr.AccessDenied)
	c := open(t, "Net")
	if probe, err := l.AcceptUnix(); err != nil { // Wait's
		t.Fatal(err)
	} else {
		probe.Close()
	}
	var server *net.UnixConn
	for {
		if server, err = l.AcceptUnix(); err != nil {
			t.Fatal(err)
		}
		server.Write([]byte("hello"))
		peeked, err := c.Peek(make([]byte, 5))
		if err == nil && peeked.Read == 5 {
			break
		}
	}
	if peer, err := c.Peer(); err != nil || peer.PID != os.Getpid() {
		t.Errorf("peer %+v, %v", peer, err)
	}
	if info, err := c.Info(); err != nil || info.Type != npfs.Byte || info.Readable != 5 || info.State != npfs.Connected {
		t.Errorf("info %+v, %v", info, err)
	}
	readAll(t, "client", c, "hello")
	l.Close()
	_, err = tryOpen(t, "Net", both)
	wants(t, "after the server", err, winerr.FileNotFound)
	reader, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "CoreFxPipe_Net"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	c, err = tryOpen(t, "Net", npfs.GenericRead)
	ok(t, "open for reading", err)
	_, err = c.Write([]byte("a"))
	wants(t, "write", err, winerr.AccessDenied)
}

// The descriptor counts for foreign clients too.
func TestForeignClientOfOtherUser(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the child of another user is started by root on Linux only")
	}
	dir := useDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	other := startNobody(t, dirEnv+"=", "XDG_RUNTIME_DIR=") // finds no pipe of ours but the foreign door
	cfg := foreignConfig()
	mustCreate(t, "x", cfg)
	other.fails("open x rw", winerr.AccessDenied) // the socket's mode
	cfg.SDDL = "D:(A;;GR;;;WD)(A;;GA;;;BA)"       // lets others in, but not for writing, which such a client may do
	in := mustCreate(t, "y", cfg)
	other.must("open y rw")
	open(t, "y")
	ok(t, "disconnect", in.Disconnect())
	cfg.SDDL = "D:(A;;GRGW;;;WD)"
	in = mustCreate(t, "z", cfg)
	other.must("open z rw")
	if err := connect(t, in); err != nil && !errors.Is(err, winerr.PipeConnected) {
		t.Error(err)
	}
	if peer, err := in.Peer(); err != nil || peer.UID != nobody {
		t.Errorf("peer %+v, %v", peer, err)
	}
}
