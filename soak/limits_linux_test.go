package soak

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe"
)

// agentFew serve NAME LIMIT INSTANCES BACKLOG, or dial NAME LIMIT: a server or client that may have LIMIT open files only.
func agentFew(args []string, in *bufio.Scanner) error {
	limit, _ := strconv.ParseUint(args[2], 10, 64)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	if args[0] == "dial" {
		return fewDials(args[1], in)
	}
	lc := messages()
	lc.MaxInstances, _ = strconv.Atoi(args[3])
	lc.Backlog, _ = strconv.Atoi(args[4])
	s, err := newServer(args[1], lc, nil)
	if err != nil {
		return err
	}
	say("ready")
	in.Scan()
	failures := s.close()
	say("closed %v %v", failures, s.refusals)
	return nil
}

// fewDials opens the pipe until that fails, and again after each line.
func fewDials(name string, in *bufio.Scanner) error {
	for {
		var held []*anypipe.Conn
		c, err := dialFor(background, name, "echo")
		for seq := uint64(0); err == nil; seq++ {
			held = append(held, c)
			if err := pingPong(c, seq, 0, 2, func() {}); err != nil {
				return err
			}
			c, err = dialFor(background, name, "echo")
		}
		say("%d %s", len(held), err)
		for seq, c := range held {
			if err := pingPong(c, uint64(seq), 2, 2, func() {}); err != nil {
				return err
			}
			c.Close()
		}
		if !in.Scan() {
			return nil
		}
	}
}

const noDescriptors = "too many open files"

// A client runs out of descriptors: it is told so, what it has open goes on, and when some are free it can open again.
func TestClientOutOfDescriptors(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	startServer(t, "few", messages(), nil)
	for limit := 20; limit < 24; limit++ { // so that the last one is missing at each step of opening
		a := startAgent(t, "few", "dial", "few", limit)
		first := a.line()
		if again := a.ask("again", ""); again != first || !strings.Contains(first, noDescriptors) {
			t.Errorf("%q, and then %q", first, again)
		}
	}
}

// A server runs out of descriptors: clients are told, connections that are there go on, and when some are free the server goes
// on serving. Where the number of instances is limited, making one takes descriptors too.
func TestServerOutOfDescriptors(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	for i := range 6 { // so that the last one is missing at each step
		limit, instances, backlog := 30+i, []int{anypipe.UnlimitedInstances, 200}[i%2], 1+i%3
		s := startAgent(t, "few", "serve", "few", limit, instances, backlog)
		s.expect("ready")
		held, told := openUntilTold(t)
		t.Logf("%d descriptors, %d instances, %d ahead: %d connections, then %q", limit, instances, backlog, len(held), told)
		exchange(t, held, 0)
		for _, c := range held[5:] {
			c.Close()
		}
		for range 5 {
			c := openAgain(t)
			exchange(t, []*anypipe.Conn{c}, 0)
			c.Close()
		}
		exchange(t, held[:5], 3)
		for _, c := range held[:5] {
			c.Close()
		}
		s.in.Close()
		t.Log("failures of connections, errors of Accept:", s.expect("closed []"))
		s.kill()
	}
}

// openUntilTold opens connections until the server has said several times that it can't, and returns what it said.
func openUntilTold(t *testing.T) (held []*anypipe.Conn, told []string) {
	t.Helper()
	once := anypipe.Dialer{NoBusyWait: true}
	for busy := 0; len(told) < 3 && busy < 1000; {
		c, err := once.Dial(t.Context(), "few")
		if err == nil {
			_, err = c.Write([]byte("echo"))
		}
		switch {
		case err == nil:
			held = append(held, c)
		case errors.Is(err, anypipe.ErrPipeBusy): // no instance ahead at the moment, or none can be made any more
			busy++
		case strings.Contains(err.Error(), noDescriptors):
			told = append(told, err.Error())
		default:
			t.Fatalf("open with a server without descriptors: %v", err)
		}
	}
	if len(held) < 10 {
		t.Fatalf("only %d opened", len(held))
	}
	return held, told
}

// openAgain opens the pipe when the server has closed the ends whose clients have gone and so has descriptors again.
func openAgain(t *testing.T) *anypipe.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), tooLong)
	defer cancel()
	for range polls(t, "the server to have descriptors") {
		c, err := dialFor(ctx, "few", "echo")
		if err == nil {
			return c
		}
		if !strings.Contains(err.Error(), noDescriptors) {
			t.Fatalf("after descriptors became free: %v", err)
		}
	}
	t.FailNow()
	return nil
}

// exchange sends three messages over each connection, from number seq on.
func exchange(t *testing.T, conns []*anypipe.Conn, seq uint64) {
	t.Helper()
	for i, c := range conns {
		if err := pingPong(c, uint64(i), seq, 3, func() {}); err != nil {
			t.Error(err)
		}
	}
}

// mount mounts a file system for the test.
func mount(t *testing.T, source, target, kind string, flags uintptr, data string) {
	t.Helper()
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		t.Fatalf("mounting %s: %v; the test needs root in a mount name space where it may mount", target, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(target, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// fill takes all room of a file system and returns how to give it back.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	name := filepath.Join(dir, "full")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// On a full disk no new name can be made, with an error that says why; names that are there work on.
func TestFullDisk(t *testing.T) {
	needRoot(t)
	guardHoldings(t)
	dir := useNamespace(t)
	t.Setenv("TMPDIR", t.TempDir()) // the socket for foreign programs would need room too
	for what, options := range map[string]string{"room": "size=32k", "files": "size=1m,nr_inodes=12"} {
		mount(t, "tmpfs", dir, "tmpfs", 0, options)
		s := startServer(t, "old", messages(), nil)
		var full func()
		if what == "room" {
			full = fill(t, dir)
		} else {
			full = fillFiles(t, dir)
		}
		if l, err := anypipe.Listen("new"); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("no %s: listen: %v", what, err)
			if err == nil {
				l.Close()
			}
		} else {
			t.Logf("no %s: %v", what, err)
		}
		for seq := range uint64(20) {
			c, err := dialFor(t.Context(), "old", "echo")
			if err != nil {
				t.Fatal(err)
			}
			if err := pingPong(c, seq, 0, 3, func() {}); err != nil {
				t.Error(err)
			}
			c.Close()
		}
		full()
		l, err := anypipe.Listen("new")
		if err != nil {
			t.Fatalf("%s again: %v", what, err)
		}
		l.Close()
		for _, err := range s.close() {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("no %s: left %v, %v", what, left, err)
		}
	}
}

// fillFiles takes all inodes but one, so that a name is half made when they run out.
func fillFiles(t *testing.T, dir string) (empty func()) {
	t.Helper()
	var err error
	n := 0
	name := func(i int) string { return filepath.Join(dir, fmt.Sprint("file", i)) }
	for ; err == nil; n++ {
		err = os.WriteFile(name(n), nil, 0o600)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	if err := os.Remove(name(0)); err != nil {
		t.Fatal(err)
	}
	return func() {
		for i := 1; i < n-1; i++ {
			os.Remove(name(i))
		}
	}
}

// In a read-only directory names can't be made, and those that are there can be opened.
func TestReadOnlyNamespace(t *testing.T) {
	needRoot(t)
	guardHoldings(t)
	dir := useNamespace(t)
	s := startAgent(t, "serve", "old", 2)
	s.expect("ready")
	view := t.TempDir()
	mount(t, dir, view, "", unix.MS_BIND, "")
	if err := unix.Mount("", view, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ANYPIPE_DIR", shortPath(t, view))
	for _, name := range []string{"new", "old"} {
		l, err := anypipe.Listen(name)
		if !errors.Is(err, unix.EROFS) {
			t.Errorf("listen: %v", err)
		}
		if err == nil {
			l.Close()
		}
	}
	c, err := dialFor(t.Context(), "old", "echo")
	if err != nil {
		t.Fatal(err)
	}
	if err := pingPong(c, 1, 0, 10, func() {}); err != nil {
		t.Error(err)
	}
	c.Close()
	s.in.Close()
	s.expect("closed")
	s.expect("gone")
	// A client that meets a dead server can't tidy up here, and need not.
	dead := startInDir(t, dir, "serve", "dead", 2)
	dead.expect("ready")
	dead.kill()
	if _, err := anypipe.Dial(t.Context(), "dead"); !errors.Is(err, anypipe.ErrNotExist) {
		t.Errorf("open with a dead server: %v", err)
	}
	t.Setenv("ANYPIPE_DIR", dir)
	if _, err := anypipe.Dial(t.Context(), "dead"); !errors.Is(err, anypipe.ErrNotExist) {
		t.Errorf("the same where it can: %v", err)
	}
}

// startInDir starts an agent that uses another directory of pipes than the test does.
func startInDir(t *testing.T, dir, role string, args ...any) *agent {
	t.Helper()
	here := os.Getenv("ANYPIPE_DIR")
	defer os.Setenv("ANYPIPE_DIR", here) // t.Setenv restores what was before the test
	os.Setenv("ANYPIPE_DIR", dir)
	return startAgent(t, role, args...)
}

// shortPath checks that sockets' paths fit below dir.
func shortPath(t *testing.T, dir string) string {
	t.Helper()
	if len(dir) < 60 {
		return dir
	}
	link, err := os.MkdirTemp("/tmp", "aps")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(link) })
	mount(t, dir, link, "", unix.MS_BIND, "")
	return link
}

// The directory of names is deleted under a server. What is connected goes on; the name is gone for others; whoever creates it
// again serves it, and the old server's end does not take it away.
func TestDeletedNamespace(t *testing.T) {
	guardHoldings(t)
	dir := useNamespace(t)
	s := startAgent(t, "serve", "deleted", 3)
	s.expect("ready")
	old, err := dialFor(t.Context(), "deleted", "echo")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := anypipe.Dial(t.Context(), "deleted"); !errors.Is(err, anypipe.ErrNotExist) {
		t.Errorf("open: %v", err)
	}
	if err := pingPong(old, 1, 0, 100, func() {}); err != nil {
		t.Errorf("the connection that was there: %v", err)
	}
	l, err := messages().Listen(t.Context(), "deleted")
	if err != nil {
		t.Fatalf("listen again: %v", err)
	}
	s.in.Close()
	s.expect("closed")
	c, err := anypipe.Dial(t.Context(), "deleted")
	if err != nil {
		t.Fatalf("open the new one: %v", err)
	}
	if peer, err := c.Peer(); err != nil || peer.PID != os.Getpid() {
		t.Errorf("served by %+v, %v", peer, err)
	}
	c.Close()
	old.Close()
	s.expect("gone")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v", err)
	}
}
