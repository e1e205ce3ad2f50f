//go:build linux || darwin || freebsd

package local

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
	"github.com/anypipe/anypipe/internal/wire"
)

// knockRaw connects to the instance's door without knowing the protocol.
func knockRaw(t *testing.T, in *Instance) *net.UnixConn {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: in.server.claim.doorPath(in.server.id), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func state(t *testing.T, in *Instance) npfs.State {
	t.Helper()
	info, err := in.Info()
	ok(t, "info", err)
	return info.State
}

// Whatever comes to the door, the server hangs up, the instance stays LISTENING and the next client is served.
func TestHostileClients(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	opening := wire.Append(nil, &wire.Open{Access: both})
	for what, sent := range map[string][]byte{
		"nothing": nil, "garbage": []byte("GET / HTTP/1.1\r\n\r\n"), "huge": []byte("AP\x03\x01\xff\xff\xff\xff"), "cut": opening[:len(opening)-1],
		"an answer": wire.Append(nil, &wire.Woken{}),
	} {
		conn := knockRaw(t, in)
		if _, err := conn.Write(sent); err != nil {
			t.Fatal(err)
		}
		conn.CloseWrite()
		if got, err := io.ReadAll(conn); len(got) > 0 || err != nil && !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("%s: answered %q, %v", what, got, err)
		}
	}
	if s := state(t, in); s != npfs.Listening {
		t.Errorf("state %v", s)
	}
	open(t, "x")
}

// A client of another version learns which one the server speaks.
func TestOtherVersion(t *testing.T) {
	useDir(t)
	conn := knockRaw(t, mustCreate(t, "x", config()))
	frame := wire.Append(nil, &wire.Query{})
	frame[2]++
	if _, err := conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	m, err := wire.ReadAs[*wire.Opened](conn)
	if err != nil || m.Status != winerr.NotSupported.Status || m.Text == "" {
		t.Errorf("answer %+v, %v", m, err)
	}
}

// A client that has gone before its turn is not given the instance.
func TestDeadClientTakesNothing(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	for range 20 {
		conn := knockRaw(t, in)
		if err := wire.Write(conn, &wire.Open{Access: both}); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	// Each of them may have got the instance only if it was still there when its turn came; then it is CLOSING. Disconnect
	// and Connect until all have been dealt with.
	for {
		in.server.mu.Lock()
		left := len(in.server.conns)
		in.server.mu.Unlock()
		if state(t, in) == npfs.Closing {
			ok(t, "disconnect", in.Disconnect())
			in.Connect(canceled())
		}
		if left == 0 {
			break
		}
	}
	c, err := tryOpen(t, "x", both)
	for errors.Is(err, winerr.PipeNotAvailable) { // the last of them had it
		if state(t, in) == npfs.Closing {
			ok(t, "disconnect", in.Disconnect())
			in.Connect(canceled())
		}
		c, err = tryOpen(t, "x", both)
	}
	if err != nil || c == nil {
		t.Fatal(err)
	}
}

// Half-open handshakes fill their places but do not keep the process from leaving; and Close joins everything.
func TestHalfOpenHandshakes(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	var conns []*net.UnixConn
	for range maxHandshakes + 5 {
		conns = append(conns, knockRaw(t, in))
	}
	for len(in.server.slots) < maxHandshakes {
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range conns[:10] { // make room
		c.Close()
	}
	open(t, "x")
	ok(t, "close", in.Close())
	for _, c := range conns[10:] {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("the server still talks")
		}
	}
}

// The door's own view of timeouts, for clients that leave them to it.
func TestDoorWait(t *testing.T) {
	useDir(t)
	cfg := config()
	cfg.DefaultTimeout = 2 * time.Millisecond
	in := mustCreate(t, "x", cfg)
	ask := func(timeout uint32) *net.UnixConn {
		conn := knockRaw(t, in)
		if err := wire.Write(conn, &wire.Wait{Timeout: timeout}); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	expect := func(conn *net.UnixConn, want ...wire.Message) {
		t.Helper()
		var frames []byte
		for _, m := range want {
			frames = wire.Append(frames, m)
		}
		if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, frames) {
			t.Errorf("got %q, %v, want %q", got, err, frames)
		}
	}
	expect(ask(wire.WaitForever), &wire.Woken{})
	open(t, "x")
	timeout := &wire.Woken{Status: winerr.SemTimeout.Status}
	expect(ask(wire.WaitDefault), &wire.Waiting{}, timeout)
	expect(ask(1), &wire.Waiting{}, timeout)
	waiting := ask(wire.WaitForever)
	awaitWaiters(t, in, 1)
	nudge := knockRaw(t, in)
	if err := wire.Write(nudge, &wire.Nudge{}); err != nil {
		t.Fatal(err)
	}
	expect(waiting, &wire.Waiting{}, &wire.Changed{})
	waiting = ask(wire.WaitForever)
	awaitWaiters(t, in, 1)
	if _, err := waiting.Write([]byte("impatient")); err != nil { // nothing is to come now: the server gives up
		t.Fatal(err)
	}
	if got, err := io.ReadAll(waiting); err == nil && len(got) != wire.HeaderSize {
		t.Errorf("got %q", got)
	}
}

// Users other than the owner and root can wait, but not without bound.
func TestForeignWaitsAreBounded(t *testing.T) {
	useDir(t)
	s := mustCreate(t, "x", config()).server
	open(t, "x")
	for i := range maxForeignWaits + 1 {
		w := &waiter{foreign: true, uid: i / maxUserWaits}
		if registered := s.register(w); registered != (i < maxForeignWaits) {
			t.Fatalf("waiter %d: registered %v, %+v", i, registered, w.verdict)
		}
		if i < maxForeignWaits {
			defer s.settle(w, false)
		}
	}
	own := &waiter{}
	if !s.register(own) {
		t.Error("the owner can't wait beside them")
	}
	s.settle(own, true)
	if m, ok := own.verdict.(*wire.Woken); !ok || m.Status != winerr.SemTimeout.Status {
		t.Errorf("verdict %+v", own.verdict)
	}
}

// A server process that is stopped answers nobody, and holds up nobody for good.
func TestStoppedServer(t *testing.T) {
	useDir(t)
	c := startChild(t)
	c.must("create x")
	if err := c.cmd.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(c.cmd.Process.Pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("the child is not stopped: %v, %v", status, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	opening := background(func() error { _, err := Open(ctx, ".", "x", &npfs.OpenConfig{}); return err })
	awaitBlocked(t, "(*frameReader).Read", 1)
	cancel()
	if err := <-opening; !errors.Is(err, context.Canceled) {
		t.Errorf("open: %v", err)
	}
	wants(t, "wait", wait(t, "x", time.Millisecond), winerr.SemTimeout)
	in := mustCreate(t, "x", config()) // another process joins it
	if err := c.cmd.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if info, err := in.Info(); err != nil || info.Instances != 2 {
		t.Errorf("info %+v, %v", info, err)
	}
	open(t, "x")
	open(t, "x")
}

// fakeServer answers one client at a claim of its own, with whatever answer does.
func fakeServer(t *testing.T, dir string, answer func(conn *net.UnixConn)) {
	t.Helper()
	c, err := makeClaim(claimPath(dir, "x"))
	if err != nil {
		t.Fatal(err)
	}
	id := newID()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: c.doorPath(id), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.AcceptUnix()
		if err != nil {
			return
		}
		defer conn.Close()
		if _, err := wire.Read(conn); err == nil {
			answer(conn)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
}

// Whatever a server answers, the client gets an error, and no descriptor stays open.
func TestHostileServers(t *testing.T) {
	send := func(m *wire.Opened, files ...*os.File) func(*net.UnixConn) {
		return func(conn *net.UnixConn) {
			var fds []int
			for _, f := range files {
				fds = append(fds, int(f.Fd()))
			}
			var rights []byte
			if len(fds) > 0 {
				rights = unix.UnixRights(fds...)
			}
			conn.WriteMsgUnix(wire.Append(nil, m), rights, nil)
		}
	}
	region, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { region.Close() })
	var many []*os.File
	for range 30 {
		many = append(many, region)
	}
	good := &wire.Opened{Access: both.Specific(), MaxInstances: 1, InQuota: 4096, OutQuota: 4096}
	for what, answer := range map[string]func(*net.UnixConn){
		"hang-up":         func(*net.UnixConn) {},
		"garbage":         func(c *net.UnixConn) { c.Write([]byte("HTTP/1.1 400 Bad Request\r\n")) },
		"cut":             func(c *net.UnixConn) { c.Write(wire.Append(nil, good)[:20]) },
		"other frame":     func(c *net.UnixConn) { wire.Write(c, &wire.Woken{}) },
		"no region":       send(good),
		"empty region":    send(good, region),
		"wrong size":      send(&wire.Opened{RegionSize: 5}, region),
		"two descriptors": send(good, region, region),
		"many":            send(good, many...),
		"unknown status":  send(&wire.Opened{Status: 0xC0FFEE00, Text: "\x1b[2J"}),
	} {
		dir := useDir(t)
		before := openDescriptors(t)
		fakeServer(t, dir, answer)
		if _, err := tryOpen(t, "x", both); err == nil {
			t.Errorf("%s: opened", what)
		} else if bytes.ContainsRune([]byte(err.Error()), 0x1b) {
			t.Errorf("%s: the server's control characters pass: %q", what, err)
		}
		// The fake's own: its listener, and perhaps the connection that it has not closed yet.
		if after := openDescriptors(t); after > before+2 {
			t.Errorf("%s: %d descriptors before, %d after", what, before, after)
		}
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
