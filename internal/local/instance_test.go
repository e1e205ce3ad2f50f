//go:build linux || darwin || freebsd

package local

import (
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
)

// Table 2.1, LISTENING and DISCONNECTED.
func TestServerEndWithoutClient(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	check := func(state npfs.State, io, other *winerr.Error) {
		t.Helper()
		_, err := in.Read(make([]byte, 10))
		wants(t, "read", err, io)
		_, err = in.Read(nil)
		wants(t, "read 0", err, io)
		_, err = in.ReadMessage(nil, 0)
		wants(t, "read message", err, io)
		_, err = in.Write([]byte("a"))
		wants(t, "write", err, io)
		_, err = in.Write(nil)
		wants(t, "write 0", err, io)
		_, err = in.Peek(nil)
		wants(t, "peek", err, other)
		_, err = in.Transact([]byte("a"), nil, 0)
		wants(t, "transact", err, other)
		wants(t, "close write", in.CloseWrite(), io)
		ok(t, "write deadline", in.SetWriteDeadline(time.Time{}))
		ok(t, "flush", in.Flush())
		ok(t, "set modes", in.SetModes(npfs.Modes{}))
		wants(t, "message-read mode", in.SetModes(npfs.Modes{Read: npfs.Message}), winerr.InvalidParameter)
		_, err = in.Peer()
		wants(t, "peer", err, winerr.NotFound)
		wants(t, "impersonate", in.RunAsClient(func() error { return nil }), winerr.CannotImpersonate)
		info, err := in.Info()
		if err != nil || info.State != state || info.Readable != 0 || info.Instances != 1 || !info.Server {
			t.Errorf("info = %+v, %v", info, err)
		}
	}
	check(npfs.Listening, winerr.PipeListening, winerr.BadPipe)
	pending := background(func() error { return connect(t, in) })
	awaitBlocked(t, "(*Instance).Connect", 1)
	ok(t, "disconnect while LISTENING", in.Disconnect()) // 80
	wants(t, "pending connect", <-pending, winerr.PipeNotConnected)
	check(npfs.Disconnected, winerr.PipeNotConnected, winerr.BadPipe)
	_, err := tryOpen(t, "x", both)
	wants(t, "open", err, winerr.PipeNotAvailable)
	if err := in.Connect(canceled()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	c := open(t, "X") // compared without case
	ok(t, "disconnect", in.Disconnect())
	check(npfs.Disconnected, winerr.PipeNotConnected, winerr.BadPipe)
	wants(t, "second disconnect", in.Disconnect(), winerr.PipeNotConnected)
	_, err = c.Peer()
	wants(t, "client's peer", err, winerr.PipeNotConnected)
	_, err = c.Info()
	wants(t, "client's info", err, winerr.PipeNotConnected)
	_, err = c.Read(make([]byte, 1))
	wants(t, "client's read", err, winerr.PipeNotConnected)
}

// Cases 67 to 82.
func TestConnect(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	pending := []<-chan error{}
	for range 3 {
		pending = append(pending, background(func() error { return connect(t, in) }))
	}
	awaitBlocked(t, "(*Instance).Connect", 3)
	c := open(t, "x")
	for _, p := range pending { // 78: one client completes all
		ok(t, "pending connect", <-p)
	}
	wants(t, "connect while connected", connect(t, in), winerr.PipeConnected)
	if _, err := c.Write([]byte("left behind")); err != nil {
		t.Fatal(err)
	}
	c.Close()
	wants(t, "connect after the client went", connect(t, in), winerr.NoData)
	b := make([]byte, 100)
	n, err := in.Read(b) // 70
	if err != nil || string(b[:n]) != "left behind" {
		t.Errorf("read %q, %v", b[:n], err)
	}
	if _, err = in.Read(b); err != io.EOF {
		t.Errorf("read after the end: %v", err)
	}
	session, err := unix.Getsid(0) // 0 where a container's leader is outside its pid namespace
	if err != nil {
		t.Fatal(err)
	}
	peer, err := in.Peer()
	if err != nil || peer.PID != os.Getpid() || peer.UID != os.Geteuid() || peer.Session != session {
		t.Errorf("peer after it closed = %+v, %v", peer, err)
	}
	_, err = tryOpen(t, "x", both)
	wants(t, "open while CLOSING", err, winerr.PipeNotAvailable)
	ok(t, "disconnect", in.Disconnect())
	_, err = tryOpen(t, "x", both)
	wants(t, "open while DISCONNECTED", err, winerr.PipeNotAvailable)
	if err := in.Connect(canceled()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled connect: %v", err)
	}
	open(t, "x") // 76: it has stayed LISTENING
	if err := in.Connect(canceled()); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("connect with a client there and ctx done: %v", err)
	}
}

func TestConnectNoWait(t *testing.T) {
	useDir(t)
	cfg := config()
	cfg.Modes.NoWait = true
	in := mustCreate(t, "x", cfg)
	wants(t, "no client", connect(t, in), winerr.PipeListening)
	open(t, "x")
	wants(t, "client there", connect(t, in), winerr.PipeConnected)
	ok(t, "disconnect", in.Disconnect())
	wants(t, "after disconnect", connect(t, in), winerr.PipeListening)
	open(t, "x")
	ok(t, "modes", in.SetModes(npfs.Modes{}))
}

func TestCloseWhileConnectPends(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	pending := background(func() error { return connect(t, in) })
	awaitBlocked(t, "(*Instance).Connect", 1)
	ok(t, "close", in.Close())
	if err := <-pending; err != net.ErrClosed {
		t.Errorf("pending connect: %v", err)
	}
	for what, err := range map[string]error{"connect": connect(t, in), "disconnect": in.Disconnect(), "close": in.Close(),
		"flush": in.Flush(), "deadline": in.SetReadDeadline(time.Time{}), "modes": in.SetModes(npfs.Modes{})} {
		if err != net.ErrClosed {
			t.Errorf("%s after close: %v", what, err)
		}
	}
	_, err := tryOpen(t, "x", both)
	wants(t, "open", err, winerr.FileNotFound)
}

// Cases 61 and 62: the order is that of entering LISTENING.
func TestClientsGetTheOldestListening(t *testing.T) {
	useDir(t)
	var all []*Instance
	for range 4 {
		all = append(all, mustCreate(t, "x", config()))
	}
	pending := background(func() error { return connect(t, all[2]) })
	awaitBlocked(t, "(*Instance).Connect", 1)
	next := func(want int) {
		t.Helper()
		c := open(t, "x")
		if _, err := c.Write([]byte("me")); err != nil {
			t.Fatal(err)
		}
		for i, in := range all {
			info, err := in.Info()
			if err != nil || (info.Readable == 2) != (i == want) {
				t.Errorf("instance %d: %+v, %v; want the client at %d", i, info, err, want)
			}
		}
		if _, err := all[want].Read(make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
	}
	next(0)
	next(1)
	next(2)
	ok(t, "connect", <-pending)
	for _, i := range []int{0, 2} {
		ok(t, "disconnect", all[i].Disconnect())
	}
	for _, i := range []int{2, 0} {
		if err := all[i].Connect(canceled()); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	next(3)
	next(2)
	next(0)
	_, err := tryOpen(t, "x", both)
	wants(t, "no instance left", err, winerr.PipeNotAvailable)
}

// Cases 42 and 43: the name is free when the last instance is closed, though a client is there.
func TestNameIsFreeAfterLastClose(t *testing.T) {
	dir := useDir(t)
	in := mustCreate(t, "x", config())
	c := open(t, "x")
	if _, err := in.Write([]byte("farewell")); err != nil {
		t.Fatal(err)
	}
	ok(t, "close", in.Close())
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left in the namespace: %v, %v", left, err)
	}
	if info, err := c.Info(); err != nil || info.Instances != 0 || info.State != npfs.Closing {
		t.Errorf("client's info = %+v, %v", info, err)
	}
	other := config()
	other.Type, other.Direction, other.First = npfs.Message, npfs.Outbound, true
	mustCreate(t, "x", other)
	if info, err := c.Info(); err != nil || info.Instances != 0 || info.Type != npfs.Byte {
		t.Errorf("client's info beside the new pipe = %+v, %v", info, err)
	}
	b := make([]byte, 100)
	if n, err := c.Read(b); err != nil || string(b[:n]) != "farewell" {
		t.Errorf("read %q, %v", b[:n], err)
	}
}

// Modes and deadlines belong to the instance and hold for every client.
func TestSettingsOutliveClients(t *testing.T) {
	useDir(t)
	cfg := config()
	cfg.Type = npfs.Message
	in := mustCreate(t, "x", cfg)
	ok(t, "modes", in.SetModes(npfs.Modes{Read: npfs.Message}))
	ok(t, "deadline", in.SetReadDeadline(time.Unix(1, 0)))
	for range 2 {
		c := open(t, "x")
		if info, err := in.Info(); err != nil || info.Modes.Read != npfs.Message {
			t.Errorf("info = %+v, %v", info, err)
		}
		if info, err := c.Info(); err != nil || info.Modes.Read != npfs.Byte || info.Type != npfs.Message { // 64
			t.Errorf("client's info = %+v, %v", info, err)
		}
		if _, err := in.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read after the deadline: %v", err)
		}
		ok(t, "disconnect", in.Disconnect())
		if err := in.Connect(canceled()); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// Cases 57 to 60.
func TestDirectionAndAccess(t *testing.T) {
	useDir(t)
	for _, x := range []struct {
		d       npfs.Direction
		access  npfs.Access
		allowed bool
	}{
		{npfs.Inbound, npfs.GenericRead, false}, {npfs.Inbound, npfs.GenericWrite, true}, {npfs.Inbound, both, false}, {npfs.Inbound, 0, true},
		{npfs.Outbound, npfs.GenericWrite, false}, {npfs.Outbound, npfs.GenericRead, true}, {npfs.Outbound, both, false}, {npfs.Outbound, 0, true},
		{npfs.Duplex, npfs.GenericRead, true}, {npfs.Duplex, npfs.GenericWrite, true}, {npfs.Duplex, npfs.GenericAll, true}, {npfs.Duplex, 0, true},
	} {
		cfg := config()
		cfg.Direction = x.d
		in := mustCreate(t, "x", cfg)
		c, err := tryOpen(t, "x", x.access)
		if !x.allowed {
			wants(t, x.d.String(), err, winerr.AccessDenied)
			in.Close()
			continue
		}
		if err != nil {
			t.Fatal(x, err)
		}
		_, err = tryOpen(t, "x", 0)
		wants(t, "second open", err, winerr.PipeNotAvailable) // 60
		if x.access == 0 {
			_, err = c.Write([]byte("a"))
			wants(t, "write without right", err, winerr.AccessDenied)
		}
		_, err = c.Info()
		ok(t, "client's info", err)
		if x.d == npfs.Outbound {
			_, err = in.Info()
			wants(t, "outbound server's info", err, winerr.AccessDenied)
			_, err = in.Read(make([]byte, 1))
			wants(t, "outbound server's read", err, winerr.AccessDenied)
		}
		if x.d == npfs.Inbound { // 209
			wants(t, "inbound server's modes", in.SetModes(npfs.Modes{}), winerr.AccessDenied)
		}
		in.Close()
	}
}

func TestExpectOwner(t *testing.T) {
	useDir(t)
	me := self()
	for expected, want := range map[string]bool{
		me.peer().SID: true, me.userName(): true, "S-1-22-1-4242": false, "no such user": false, "S-1-1-0": false,
	} {
		in := mustCreate(t, "x", config())
		c, err := Open(t.Context(), ".", "x", &npfs.OpenConfig{Access: both, ExpectOwner: expected})
		if want {
			ok(t, expected, err)
		} else {
			wants(t, expected, err, winerr.AccessDenied)
			if s, _ := in.Info(); s.State != npfs.Listening {
				t.Errorf("a client that does not want the server took the instance: %v", s.State)
			}
		}
		if err == nil {
			c.Close()
		}
		in.Close()
	}
	_, err := Open(t.Context(), "elsewhere", "x", &npfs.OpenConfig{})
	wants(t, "other machine", err, winerr.NotSupported)
}
