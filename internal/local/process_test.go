//go:build linux || darwin || freebsd

package local

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// A killed server leaves files that block nobody.
func TestKilledServer(t *testing.T) {
	dir := useDir(t)
	c := startChild(t)
	c.must("create x d 1")
	wants(t, "create while it lives", tryCreate(t, "x", config()), winerr.InstanceLimit)
	c.kill()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Fatalf("a killed server can't clean up, but left %v, %v", left, err)
	}
	_, err := tryOpen(t, "x", both)
	wants(t, "open", err, winerr.FileNotFound)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("after a client met the dead server: %v, %v", left, err)
	}
	for range 2 {
		c = startChild(t)
		c.must("create x i 1")
		c.kill()
		wants(t, "wait", wait(t, "x", forever), winerr.FileNotFound)
		first := config()
		first.First = true
		in := mustCreate(t, "x", first) // at once, and with another direction
		open(t, "x")
		in.Close()
	}
}

// A killed client is a closed one.
func TestKilledClient(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	c := startChild(t)
	c.must("open x rw")
	c.must("write 0 farewell")
	c.kill()
	for state(t, in) != npfs.Closing { // the kernel tells a moment later
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, "connect", connect(t, in), winerr.NoData)
	readAll(t, "server", in, "farewell")
	if _, err := in.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read after the end: %v", err)
	}
}

// Two processes serve one name. The client gets the oldest LISTENING instance of both.
func TestTwoServers(t *testing.T) {
	useDir(t)
	a, b := startChild(t), startChild(t)
	a.must("create x d 3")
	b.must("create x d 3")
	a.must("create x d 3")
	b.fails("create x d 3", winerr.InstanceLimit)
	var clients []*Client
	for _, want := range []*child{a, b, a} {
		c := open(t, "x")
		clients = append(clients, c)
		peer, err := c.Peer()
		if err != nil || peer.PID != want.cmd.Process.Pid {
			t.Errorf("served by %+v, %v; want process %d", peer, err, want.cmd.Process.Pid)
		}
		if info, err := c.Info(); err != nil || info.Instances != 3 {
			t.Errorf("info = %+v, %v", info, err)
		}
	}
	_, err := tryOpen(t, "x", both)
	wants(t, "all taken", err, winerr.PipeNotAvailable)
	me := fmt.Sprint(os.Getpid(), os.Geteuid())
	if got := a.must("peer 1"); got != me {
		t.Errorf("the server sees %s, want %s", got, me)
	}
	a.must("disconnect 0")
	a.begin("connect 0")
	ok(t, "wait", wait(t, "x", forever))
	c := open(t, "x")
	if got := a.result(); got != "ok" {
		t.Errorf("pending connect in the other process: %s", got)
	}
	a.kill() // one of two: the other one still serves
	if info, err := clients[1].Info(); err != nil || info.Instances != 1 || info.State != npfs.Connected {
		t.Errorf("info of the survivor's client = %+v, %v", info, err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the client of a killed server still reads")
	}
	b.must("disconnect 0")
	b.begin("connect 0")
	ok(t, "wait", wait(t, "x", forever))
	open(t, "x")
	if got := b.result(); got != "ok" {
		t.Errorf("connect: %s", got)
	}
	b.must("close 0")
	_, err = tryOpen(t, "x", both)
	wants(t, "after the last close", err, winerr.FileNotFound)
}

// A server process can be replaced by another without a moment in which the name does not exist.
func TestRollingRestart(t *testing.T) {
	dir := useDir(t)
	c := startChild(t)
	c.must("create x")
	for range 3 {
		next := startChild(t)
		next.must("create x")
		c.must("close 0")
		open(t, "x")
		next.must("disconnect 0")
		next.begin("connect 0")
		ok(t, "wait", wait(t, "x", forever))
		open(t, "x")
		next.result()
		next.must("create x")
		next.must("close 0")
		next.must("create x")
		next.must("close 1")
		c.kill()
		c = startChild(t)
		c.must("create x")
		next.must("close 2")
		next.kill()
	}
	c.must("close 0")
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left in the namespace: %v, %v", left, err)
	}
}

func TestList(t *testing.T) {
	useDir(t)
	cfg := config()
	cfg.Type, cfg.Direction, cfg.MaxInstances = npfs.Message, npfs.Outbound, 7
	mustCreate(t, "Zebra", cfg)
	other := startChild(t)
	other.must(`create dir\Ape`)
	mustCreate(t, `DIR\APE`, config())
	startChild(t).must("create bee")
	dead := startChild(t)
	dead.must("create mouse")
	dead.kill()
	pipes, err := List(t.Context())
	if err != nil || len(pipes) != 3 {
		t.Fatalf("%+v, %v", pipes, err)
	}
	ape, zebra := pipes[1], pipes[2]
	if !slices.IsSortedFunc(pipes, func(a, b npfs.PipeInfo) int { return strings.Compare(npfs.FoldName(a.Name), npfs.FoldName(b.Name)) }) {
		t.Errorf("not sorted: %v", pipes)
	}
	servers := []int{os.Getpid(), other.cmd.Process.Pid}
	slices.Sort(servers)
	if ape.Name != `dir\Ape` || ape.Instances != 2 || !slices.Equal(ape.Servers, servers) || ape.OwnerUID != os.Geteuid() {
		t.Errorf("%+v", ape)
	}
	if zebra.Type != npfs.Message || zebra.Direction != npfs.Outbound || zebra.MaxInstances != 7 || zebra.SDDL == "" ||
		zebra.DefaultTimeout != npfs.DefaultWait || zebra.Path != "" {
		t.Errorf("%+v", zebra)
	}
}

// What a killed process was just doing does not matter: half-made claims are taken over.
func TestHalfMadeClaims(t *testing.T) {
	dir := useDir(t)
	path := claimPath(dir, "x")
	prepare := map[string]func() error{
		"directory only":  func() error { return os.Mkdir(path, 0o700) },
		"lock":            func() error { return os.WriteFile(filepath.Join(path, "lock"), nil, 0o600) },
		"pipe.json.new":   func() error { return os.WriteFile(filepath.Join(path, "pipe.json.new"), []byte("{"), 0o600) },
		"broken json":     func() error { return os.WriteFile(filepath.Join(path, "pipe.json"), []byte("{"), 0o600) },
		"live, no door":   func() error { return os.WriteFile(filepath.Join(path, "aaaaaaaa.live"), []byte("x"), 0o600) },
		"door, no socket": func() error { return os.WriteFile(filepath.Join(path, "aaaaaaab.door"), []byte("x"), 0o600) },
	}
	for what, make := range prepare {
		if what != "directory only" {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := make(); err != nil {
			t.Fatal(err)
		}
		_, err := tryOpen(t, "x", both)
		wants(t, what+": open", err, winerr.FileNotFound)
		if _, err := List(t.Context()); err != nil {
			t.Errorf("%s: list: %v", what, err)
		}
		wants(t, what+": wait", wait(t, "x", forever), winerr.FileNotFound)
		in := mustCreate(t, "x", config())
		open(t, "x")
		in.Close()
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: left in the namespace: %v, %v", what, left, err)
		}
	}
}
