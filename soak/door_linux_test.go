package soak

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe"
	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/wire"
)

// agentFlood NAME ROUNDS: a client that sends the door everything but a proper request.
func agentFlood(args []string, _ *bufio.Scanner) error {
	n, _ := strconv.Atoi(args[1])
	random := rand.New(rand.NewPCG(5, 5))
	sent := 0
	for range n {
		for _, f := range floods {
			conn, err := knock(args[0])
			if errors.Is(err, unix.EAGAIN) {
				continue // the door's queue is full: so much the better
			}
			if err != nil {
				return err
			}
			f(conn, random)
			conn.Close()
			sent++
		}
	}
	say("done %d", sent)
	return nil
}

// floods are what may come to a door. The server may hang up at any moment, so errors mean nothing.
var floods = []func(conn *net.UnixConn, random *rand.Rand){
	func(*net.UnixConn, *rand.Rand) {}, // nothing
	func(conn *net.UnixConn, random *rand.Rand) { // garbage
		b := make([]byte, random.IntN(10000))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		conn.Write(b)
	},
	func(conn *net.UnixConn, _ *rand.Rand) { // each frame cut at each byte
		for _, m := range []wire.Message{&wire.Open{Access: npfs.GenericRead}, &wire.Wait{Timeout: 1}, &wire.Query{}} {
			frame := wire.Append(nil, m)
			for n := 1; n < len(frame); n++ {
				cut, err := net.DialUnix("unix", nil, conn.RemoteAddr().(*net.UnixAddr))
				if err == nil {
					cut.Write(frame[:n])
					cut.Close()
				}
			}
		}
	},
	func(conn *net.UnixConn, random *rand.Rand) { // the right header, other bytes behind it
		frame := wire.Append(nil, &wire.Open{Access: npfs.GenericRead})
		for i := 3; i < len(frame); i++ {
			if random.IntN(3) == 0 {
				frame[i] = byte(random.Uint32())
			}
		}
		conn.Write(frame)
	},
	func(conn *net.UnixConn, random *rand.Rand) { // descriptors, one or as many as the kernel takes
		fds := make([]int, 1+random.IntN(253))
		for i := range fds {
			fds[i] = int(os.Stdin.Fd())
		}
		conn.WriteMsgUnix(openFrame[:1+random.IntN(len(openFrame))], unix.UnixRights(fds...), nil)
	},
	func(conn *net.UnixConn, _ *rand.Rand) { conn.Write(openFrame) }, // open and vanish
	func(conn *net.UnixConn, _ *rand.Rand) { // an answer
		wire.Write(conn, &wire.Opened{Text: "thank you"})
		wire.Write(conn, &wire.Nudge{})
	},
	func(conn *net.UnixConn, _ *rand.Rand) { // two requests, and no ear for the answer
		conn.CloseRead()
		conn.Write(append(wire.Append(nil, &wire.Query{}), openFrame...))
	},
}

// The door is flooded, and half-open handshakes stay. Meanwhile clients are served, and afterwards nothing is left.
func TestFloodedDoor(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	startServer(t, "attacked", messages(), nil)
	b := startBystander(t, "attacked")
	for range 40 { // silent ones, as many as one user may have and still be served
		conn, err := knock("attacked")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	for range rounds(1) {
		agents := []*agent{startAgent(t, "flood", "attacked", 15), startAgent(t, "flood", "attacked", 15)}
		for range 10 {
			c, err := dialFor(t.Context(), "attacked", "echo")
			if err != nil {
				t.Fatal(err)
			}
			if err := pingPong(c, 5, 0, 10, func() {}); err != nil {
				t.Error(err)
			}
			c.Close()
		}
		b.untouched()
		for _, a := range agents {
			a.expect("done")
		}
	}
	b.untouched()
}

// agentVictim GOOD: a client of a good server that also opens what it is told, and says what came of it.
func agentVictim(args []string, in *bufio.Scanner) error {
	good, err := dialFor(background, args[0], "echo")
	if err != nil {
		return err
	}
	defer good.Close()
	say("ready")
	for seq := uint64(0); in.Scan(); seq += 10 {
		if err := pingPong(good, 3, seq, 10, func() {}); err != nil {
			return fmt.Errorf("the good connection: %w", err)
		}
		once := anypipe.Dialer{NoBusyWait: true}
		c, err := once.Dial(background, in.Text())
		if err != nil {
			say("refused %s", err)
			continue
		}
		poke(c)
		say("opened")
	}
	return nil
}

// A hostileServer answers each client at a claim of its own with what answer does, and then hangs up.
type hostileServer struct {
	door   *net.UnixListener
	answer func(conn *net.UnixConn) error
	done   chan error
}

func startHostileServer(t *testing.T, name string, answer func(conn *net.UnixConn) error) {
	t.Helper()
	dir := claimDir(name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	door, err := net.ListenUnix("unix", &net.UnixAddr{Name: dir + "/aaaaaaaa.door", Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	h := &hostileServer{door: door, answer: answer, done: make(chan error, 1)}
	go func() { h.done <- h.serve() }()
	t.Cleanup(func() {
		door.Close()
		if err := <-h.done; err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
}

func (h *hostileServer) serve() error {
	for {
		conn, err := h.door.AcceptUnix()
		if err != nil {
			return nil
		}
		if _, err = wire.Read(conn); err == nil { // else it is somebody who asks whether we live
			err = h.answer(conn)
		} else {
			err = nil
		}
		conn.Close()
		if err != nil {
			return err
		}
	}
}

// sealed makes a memfd.
func sealed(size, seals int) (int, error) {
	fd, err := unix.MemfdCreate("anypipe", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return -1, err
	}
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return -1, err
	}
	_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	return fd, err
}

const properSeals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// A server hands a client anything but a proper region. The client gets an error that says so and keeps its other connections.
func TestHostileRegions(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	startServer(t, "good", messages(), nil)
	victim := startAgent(t, "victim", "good")
	victim.expect("ready")
	const quota = 4096
	size := npfs.RegionSize(quota, quota)
	file := func(path string, flags int) func() (int, error) {
		return func() (int, error) { return unix.Open(path, flags|unix.O_CLOEXEC, 0o600) }
	}
	memory := func(size, seals int) func() (int, error) { return func() (int, error) { return sealed(size, seals) } }
	before := holdingsOf(t, victim.pid())
	for i, attack := range []struct {
		what   string
		make   func() (int, error)
		copies int
		change func(*wire.Opened)
	}{
		{"no descriptor", nil, 0, nil},
		{"regular file", func() (int, error) {
			fd, err := file(t.TempDir()+"/region", unix.O_RDWR|unix.O_CREAT)()
			return fd, errors.Join(err, unix.Ftruncate(fd, int64(size)))
		}, 1, nil},
		{"pipe", func() (int, error) {
			var p [2]int
			err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK)
			unix.Close(p[1])
			return p[0], err
		}, 1, nil},
		{"directory", file("/", unix.O_RDONLY|unix.O_DIRECTORY), 1, nil},
		{"/dev/zero", file("/dev/zero", unix.O_RDWR), 1, nil},
		{"/dev/zero, announced empty", file("/dev/zero", unix.O_RDWR), 1, func(m *wire.Opened) { m.RegionSize = 0 }},
		{"unsealed", memory(size, 0), 1, nil},
		{"not sealed against growth", memory(size, unix.F_SEAL_SHRINK|unix.F_SEAL_SEAL), 1, nil},
		{"sealed against writing", memory(size, properSeals|unix.F_SEAL_WRITE), 1, nil},
		{"sealed against future writing", memory(size, properSeals|unix.F_SEAL_FUTURE_WRITE), 1, nil},
		{"too small", memory(4096, properSeals), 1, nil},
		{"too small and says so", memory(4096, properSeals), 1, func(m *wire.Opened) { m.RegionSize = 4096 }},
		{"too large", memory(2*size, properSeals), 1, func(m *wire.Opened) { m.RegionSize = uint64(2 * size) }},
		{"larger quotas than the region", memory(size, properSeals), 1, func(m *wire.Opened) { m.InQuota = npfs.MaxQuota }},
		{"impossible quotas", memory(size, properSeals), 1, func(m *wire.Opened) { m.OutQuota = 1<<32 - 1 }},
		{"twice", memory(size, properSeals), 2, nil},
		{"many", memory(size, properSeals), 200, nil},
	} {
		m := &wire.Opened{Access: (npfs.GenericRead | npfs.GenericWrite).Specific(), Type: npfs.Message, MaxInstances: 1, InQuota: quota, OutQuota: quota, RegionSize: uint64(size)}
		if attack.change != nil {
			attack.change(m)
		}
		name := fmt.Sprintf("bad%d", i)
		startHostileServer(t, name, func(conn *net.UnixConn) error { return hand(conn, m, attack.make, attack.copies) })
		t.Logf("%s: %s", attack.what, victim.ask(name, "refused"))
	}
	if after := holdingsOf(t, victim.pid()); after.descriptors > before.descriptors || after.regions > before.regions {
		t.Errorf("the client had %+v before and %+v after", before, after)
	}
}

// hand answers with copies of a descriptor.
func hand(conn *net.UnixConn, m *wire.Opened, makeOne func() (int, error), copies int) error {
	var rights []byte
	if copies > 0 {
		fd, err := makeOne()
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		fds := make([]int, copies)
		for i := range fds {
			fds[i] = fd
		}
		rights = unix.UnixRights(fds...)
	}
	_, _, err := conn.WriteMsgUnix(wire.Append(nil, m), rights, nil)
	return err
}

// A server with a proper region scribbles over it while the client uses the connection.
func TestScribblingServers(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	startServer(t, "good", messages(), nil)
	victim := startAgent(t, "victim", "good")
	victim.expect("ready")
	const quota = 4096
	size := npfs.RegionSize(quota, quota)
	random := rand.New(rand.NewPCG(9, 9))
	startHostileServer(t, "bad", func(conn *net.UnixConn) error {
		fd, err := sealed(size, properSeals)
		if err != nil {
			return err
		}
		r := &raw{sock: conn, fd: fd}
		defer r.close()
		if r.mem, err = unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
			return err
		}
		m := &wire.Opened{Access: (npfs.GenericRead | npfs.GenericWrite).Specific(), Type: npfs.Message, MaxInstances: 1, InQuota: quota, OutQuota: quota, RegionSize: uint64(size)}
		r.opened = m
		if _, _, err := conn.WriteMsgUnix(wire.Append(nil, m), unix.UnixRights(fd), nil); err != nil {
			return err
		}
		for range 2000 {
			r.scribble(random)
		}
		return nil
	})
	for range rounds(20) {
		victim.ask("bad", "opened")
	}
}
