package soak

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe"
	"github.com/anypipe/anypipe/internal/wire"
)

// sharedNamespace is a directory of pipes for all users, as /run/anypipe is.
func sharedNamespace(t *testing.T) string {
	t.Helper()
	needRoot(t)
	dir := useNamespace(t)
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return dir
}

func public() *anypipe.ListenConfig {
	lc := messages()
	lc.Security = anypipe.EveryoneAccess()
	return lc
}

// agentSpy says what the system and the library let this user do; each line of input is one attempt, answered with "no" and the
// reason or "yes".
func agentSpy(_ []string, in *bufio.Scanner) error {
	say("ready")
	for in.Scan() {
		words := strings.Fields(in.Text())
		got, err := spy(words[0], words[1:])
		if err != nil {
			say("no %v", err)
			continue
		}
		defer runtime.KeepAlive(got) // so that nothing is closed
		say("yes")
	}
	return nil
}

func spy(what string, args []string) (any, error) {
	switch what {
	case "dial":
		once := anypipe.Dialer{NoBusyWait: true}
		return once.Dial(background, args[0])
	case "echo":
		c, err := dialFor(background, args[0], "echo")
		if err != nil {
			return nil, err
		}
		defer c.Close()
		return nil, pingPong(c, 1, 0, 20, func() {})
	case "listen":
		return public().Listen(background, args[0])
	case "knock": // without the library
		return openRaw(args[0])
	case "silence": // N half-open handshakes
		n, _ := strconv.Atoi(args[1])
		return silence(args[0], n)
	case "wait": // N waits that were taken on
		n, _ := strconv.Atoi(args[1])
		return waits(args[0], n)
	case "hoard": // until refused
		var held []*anypipe.Conn
		for {
			once := anypipe.Dialer{NoBusyWait: true}
			c, err := once.Dial(background, args[0])
			if errors.Is(err, anypipe.ErrPipeBusy) {
				continue // the server has not made the next instance yet
			}
			if err != nil {
				return nil, fmt.Errorf("%d %w", len(held), err)
			}
			held = append(held, c)
		}
	case "remove":
		return nil, os.RemoveAll(args[0])
	case "rename":
		return nil, os.Rename(args[0], args[0]+"-mine")
	case "lock":
		f, err := os.OpenFile(args[0], os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		return f, unix.Flock(int(f.Fd()), unix.LOCK_EX)
	case "write":
		return nil, os.WriteFile(args[0], nil, 0o600)
	case "list":
		return os.ReadDir(args[0])
	case "open":
		return os.OpenFile(args[0], os.O_RDWR, 0)
	case "attach":
		pid, _ := strconv.Atoi(args[0])
		return nil, unix.PtraceAttach(pid)
	case "memory": // PID ADDRESS
		pid, _ := strconv.Atoi(args[0])
		at, _ := strconv.ParseUint(args[1], 16, 64)
		b := make([]byte, 16)
		_, err := unix.ProcessVMReadv(pid, []unix.Iovec{{Base: &b[0], Len: 16}}, []unix.RemoteIovec{{Base: uintptr(at), Len: 16}}, 0)
		return nil, err
	case "steal": // a descriptor of another process
		pid, _ := strconv.Atoi(args[0])
		pidfd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			return nil, err
		}
		defer unix.Close(pidfd)
		fd, _ := strconv.Atoi(args[1])
		return unix.PidfdGetfd(pidfd, fd, 0)
	}
	return nil, fmt.Errorf("unknown attempt %q", what)
}

func silence(name string, n int) ([]*net.UnixConn, error) {
	var held []*net.UnixConn
	for len(held) < n {
		conn, err := knock(name)
		if errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil {
			return nil, err
		}
		conn.Write(openFrame[:len(held)%len(openFrame)])
		held = append(held, conn)
	}
	return held, nil
}

func waits(name string, n int) ([]*net.UnixConn, error) {
	var held []*net.UnixConn
	for range n {
		conn, err := knock(name)
		if err != nil {
			return nil, err
		}
		if err := wire.Write(conn, &wire.Wait{Timeout: wire.WaitForever}); err != nil {
			return nil, err
		}
		m, err := wire.Read(conn)
		if _, taken := m.(*wire.Waiting); !taken {
			return held, fmt.Errorf("%d taken on, then %+v, %v", len(held), m, err)
		}
		held = append(held, conn)
	}
	return held, nil
}

// refused fails the test unless the attempt does, for the reason.
func (a *agent) refused(attempt, reason string) string {
	a.t.Helper()
	a.tell("%s", attempt)
	line := a.line()
	if !strings.HasPrefix(line, "no ") || !strings.Contains(line, reason) {
		a.t.Errorf("%s: %s, want %s", attempt, line, reason)
	}
	return line
}

const (
	denied       = "ERROR_ACCESS_DENIED"
	noPermission = "permission denied"
	notPermitted = "operation not permitted"
)

// Another user reaches no pipe that does not let it in, by the library or around it, and none of the files behind any.
func TestOtherUserIsKeptOut(t *testing.T) {
	guardHoldings(t)
	dir := sharedNamespace(t)
	servers := []*server{startServer(t, "closed", messages(), nil), startServer(t, "open", public(), nil)}
	reading := public()
	reading.Security = anypipe.EveryoneRead()
	startServer(t, "reading", reading, nil)
	a := startNobody(t, "spy")
	a.expect("ready")
	a.refused("dial closed", denied)
	a.refused("knock closed", "doors []")
	a.refused("dial reading", denied)
	a.refused("knock reading", refused(0xC0000022).Error())
	a.refused("dial absent", "ERROR_FILE_NOT_FOUND")
	a.ask("echo open", "yes")
	// A socket that lets it in by mistake does not: the server checks everybody.
	door, err := filepath.Glob(filepath.Join(claimDir("closed"), "*.door"))
	if err != nil || len(door) != 1 {
		t.Fatal(door, err)
	}
	if err := errors.Join(os.Chmod(claimDir("closed"), 0o755), os.Chmod(door[0], 0o666)); err != nil {
		t.Fatal(err)
	}
	a.refused("knock closed", refused(0xC0000022).Error())
	for _, name := range []string{"closed", "open"} {
		a.refused("listen "+name, denied)
		a.refused("remove "+claimDir(name), "") // at its first entry or at itself, with either error
		a.refused("rename "+claimDir(name), notPermitted)
		a.refused("lock "+filepath.Join(claimDir(name), "lock"), noPermission)
		a.refused("write "+filepath.Join(claimDir(name), "bbbbbbbb.door"), noPermission)
		a.refused("write "+filepath.Join(claimDir(name), "pipe.json"), noPermission)
	}
	a.ask("echo open", "yes")
	a.kill()
	for _, s := range servers {
		for _, err := range s.close() {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// Another user can't read what two processes say to each other: not the region, not the memory, not the descriptors.
func TestOtherUserLearnsNothing(t *testing.T) {
	guardHoldings(t)
	sharedNamespace(t)
	startServer(t, "open", public(), nil)
	client := startBystander(t, "open")
	a := startNobody(t, "spy")
	a.expect("ready")
	a.ask("echo open", "yes")
	for _, pid := range []int{os.Getpid(), client.pid()} {
		proc := fmt.Sprintf("/proc/%d", pid)
		maps, err := os.ReadFile(proc + "/maps")
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(maps, []byte("/memfd:anypipe"))
		if at < 0 {
			t.Fatal("no region is mapped")
		}
		line := maps[bytes.LastIndexByte(maps[:at], '\n')+1 : at]
		from, _, _ := strings.Cut(string(line), "-")
		span, _, _ := strings.Cut(string(line), " ")
		a.refused("list "+proc+"/fd", noPermission)
		a.refused("open "+proc+"/fd/0", noPermission)
		a.refused("open "+proc+"/mem", noPermission)
		a.refused("open "+proc+"/map_files/"+strings.TrimLeft(span, "0"), noPermission)
		a.refused("list "+proc+"/map_files", noPermission)
		a.refused("open "+proc+"/maps", noPermission)
		a.refused("memory "+fmt.Sprint(pid)+" "+from, notPermitted)
		a.refused("attach "+fmt.Sprint(pid), notPermitted)
		a.refused("steal "+fmt.Sprint(pid)+" 3", notPermitted)
	}
	client.untouched()
}

// Another user takes all it can of a door: half-open handshakes, waits, connections. Others are served meanwhile, and it gets its own
// share back when it stops.
func TestOtherUserCanNotStarveOthers(t *testing.T) {
	guardHoldings(t)
	sharedNamespace(t)
	startServer(t, "open", public(), nil)
	busy := public()
	busy.MaxInstances = 1
	in, err := busy.Create(t.Context(), "taken")
	if err != nil {
		t.Fatal(err)
	}
	taker, err := anypipe.Dial(t.Context(), "taken")
	if err != nil {
		t.Fatal(err)
	}
	client := startBystander(t, "open")
	a := startNobody(t, "spy")
	a.expect("ready")

	t.Log(a.refused("wait taken 1000", "64 taken on"))
	waiting := make(chan error)
	go func() { waiting <- anypipe.Wait(background, "taken", anypipe.WaitForever) }()
	t.Log(a.refused("hoard open", "connections with"))
	served(t, "open")
	a.ask("silence open 300", "yes")
	served(t, "open")
	client.untouched()
	if err := errors.Join(in.Disconnect(), taker.Close()); err != nil {
		t.Error(err)
	}
	in.Connect(canceledContext())
	if err := <-waiting; err != nil {
		t.Errorf("wait of another user: %v", err)
	}
	a.kill()
	b := startNobody(t, "spy")
	b.expect("ready")
	for range polls(t, "the user's share to be free again") {
		b.tell("echo open")
		if b.line() == "yes" {
			break
		}
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
}

// served checks that new clients of this user are served.
func served(t *testing.T, name string) {
	t.Helper()
	for range 20 {
		c, err := dialFor(t.Context(), name, "echo")
		if err != nil {
			t.Fatal(err)
		}
		if err := pingPong(c, 1, 0, 5, func() {}); err != nil {
			t.Error(err)
		}
		c.Close()
	}
}

// A user who opens in bursts, as a proxy does, is not taken for an attacker.
func TestOtherUserInBursts(t *testing.T) {
	guardHoldings(t)
	sharedNamespace(t)
	startServer(t, "open", public(), nil)
	a := startNobody(t, "busy", "open", 200, 5)
	a.expect("intact")
}

// Names that another user made and whose server was killed can be taken by root at once, and not the other way round.
func TestOtherUsersDeadName(t *testing.T) {
	guardHoldings(t)
	sharedNamespace(t)
	s := startNobody(t, "serve", "theirs", 2, "public")
	s.expect("ready")
	if _, err := public().Listen(t.Context(), "theirs"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("listen: %v", err)
	}
	expecting := anypipe.Dialer{ExpectOwner: "root"}
	if _, err := expecting.Dial(t.Context(), "theirs"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("dial expecting root: %v", err)
	}
	s.kill()
	l, err := public().Listen(t.Context(), "theirs")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
