package local

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
	"github.com/anypipe/anypipe/internal/wire"
)

func lineOf(c *Client) *line {
	l := c.connection.(*link)
	return &line{sock: l.bell.sock, mem: l.mem}
}

// heldLinesOf counts the lines on which an instance's door waits.
func heldLinesOf(in *Instance) int {
	heldLines.mu.Lock()
	defer heldLines.mu.Unlock()
	n := 0
	for _, s := range heldLines.lines {
		if s == in.server {
			n++
		}
	}
	return n
}

func awaitHeldLines(t *testing.T, in *Instance, n int) {
	t.Helper()
	for heldLinesOf(in) != n {
		if err := t.Context().Err(); err != nil {
			t.Fatalf("%d lines are held, not %d: %v", heldLinesOf(in), n, err)
		}
		runtime.Gosched()
	}
}

func freeLinesNow() int {
	freeLines.mu.Lock()
	defer freeLines.mu.Unlock()
	return len(freeLines.lines)
}

// use has two ends exchange a message each way and leave one unread each way.
func use(t *testing.T, in *Instance, client *Client) {
	t.Helper()
	type end interface {
		io.ReadWriter
		Peek([]byte) (npfs.Peeked, error)
	}
	for _, e := range []end{in, client} {
		if p, err := e.Peek(nil); err != nil || p.Available != 0 {
			t.Errorf("a connection begins with %d bytes, %v", p.Available, err)
		}
	}
	got := make([]byte, 8)
	for _, way := range []struct{ from, to end }{{client, in}, {in, client}} {
		for range 2 {
			_, err := way.from.Write([]byte("old news"))
			ok(t, "write", err)
		}
		n, err := way.to.Read(got)
		if string(got[:n]) != "old news" || err != nil {
			t.Errorf("read %q, %v", got[:n], err)
		}
	}
}

// The next connection of the same two processes runs over the same line and sees nothing of what the first left unread, whoever closes
// first, and however the first ended.
func TestLineIsUsedAgain(t *testing.T) {
	useDir(t)
	letGoOfLines()
	mustCreate(t, "x", config()) // keeps the name
	ends := map[string]func(in *Instance, client *Client) error{
		"client first": func(in *Instance, client *Client) error { client.Close(); return in.Close() },
		"server first": func(in *Instance, client *Client) error { in.Close(); return client.Close() },
		"disconnect":   func(in *Instance, client *Client) error { in.Disconnect(); client.Close(); return in.Close() },
	}
	mustCreate(t, "x", config())
	for what, end := range ends {
		letGoOfLines()
		var first *line
		for i := range 3 {
			client := open(t, "x")
			in := ofClient(t, client)
			use(t, in, client)
			if l := lineOf(client); i == 0 {
				first = l
			} else if l.sock != first.sock || unsafe.SliceData(l.mem) != unsafe.SliceData(first.mem) {
				t.Errorf("%s: connection %d has a line of its own", what, i)
			}
			ok(t, what, end(in, client))
			mustCreate(t, "x", config())
		}
	}
}

// ofClient finds the instance at the other end of a client of this process. There must be one client only. The client may know of
// the connection a moment earlier.
func ofClient(t *testing.T, client *Client) *Instance {
	t.Helper()
	for t.Context().Err() == nil {
		process.mu.Lock()
		s := process.servers[client.claim.path]
		process.mu.Unlock()
		s.mu.Lock()
		for in := range s.instances {
			if conn := in.live.Load(); conn != nil && (*conn).Status().State == npfs.Connected {
				s.mu.Unlock()
				return in
			}
		}
		s.mu.Unlock()
		runtime.Gosched()
	}
	t.Fatal("no instance has a client")
	return nil
}

// A waiting read, and one with a deadline that passes, leave nothing behind that disturbs the next connection.
func TestLineAfterWaits(t *testing.T) {
	useDir(t)
	letGoOfLines()
	mustCreate(t, "x", config())
	for range 200 {
		mustCreate(t, "x", config())
		client := open(t, "x")
		in := ofClient(t, client)
		ok(t, "deadline", client.SetReadDeadline(time.Now().Add(time.Millisecond)))
		_, err := client.Read(make([]byte, 1))
		if !os.IsTimeout(err) {
			t.Fatalf("read: %v", err)
		}
		reads := background(func() error { _, err := in.Read(make([]byte, 1)); return err })
		ok(t, "close", client.Close())
		if err := <-reads; err != io.EOF {
			t.Fatalf("the server's read: %v", err)
		}
		ok(t, "close", in.Close())
	}
}

// A line is not used while the server's end lasts, to another door, or by somebody else than who connected it.
func TestLineIsLeftAlone(t *testing.T) {
	useDir(t)
	letGoOfLines()
	mustCreate(t, "x", config())
	mustCreate(t, "x", config())
	client := open(t, "x")
	in := ofClient(t, client)
	door := in.server.claim.doorPath(in.server.id)
	self, err := ownCredentials()
	ok(t, "credentials", err)
	ok(t, "close", client.Close())
	if takeLine(door, &self) != nil {
		t.Error("the server's end lasts, and its line was taken")
	}
	ok(t, "close", in.Close())
	others := []credentials{self, self, self}
	others[0].uid++
	others[1].gid++
	others[2].groups = append([]int{4711}, self.groups...)
	for _, other := range others {
		if takeLine(door, &other) != nil {
			t.Errorf("%+v took a line of %+v", other, self)
		}
	}
	if takeLine(door+"x", &self) != nil {
		t.Error("a line leads to another door")
	}
	l := takeLine(door, &self)
	if l == nil {
		t.Fatal("nobody gets it, so this proves little")
	}
	l.end()
}

// An instance with other quotas sends another region over the same line.
func TestLineWithOtherQuotas(t *testing.T) {
	useDir(t)
	letGoOfLines()
	in := mustCreate(t, "x", config())
	wide := config()
	wide.InQuota = 90_000
	other := mustCreate(t, "x", wide)
	first := open(t, "x")
	sock, before := lineOf(first).sock, len(mappings(t))
	use(t, in, first)
	ok(t, "close", first.Close())
	ok(t, "close", in.Close())
	second := open(t, "x")
	if lineOf(second).sock != sock {
		t.Error("the line was not used")
	}
	use(t, other, second)
	if info, err := second.Info(); err != nil || info.InQuota != 90_000 {
		t.Errorf("quota %d, %v", info.InQuota, err)
	}
	if after := len(mappings(t)); after != before {
		t.Errorf("%d mappings before, %d after", before, after)
	}
}

// A server that is gone closed its lines, which says nothing about who has the name now; a new one of the same process has its own.
func TestLineToServerThatLeft(t *testing.T) {
	useDir(t)
	letGoOfLines()
	for range 3 {
		in := mustCreate(t, "x", config())
		client := open(t, "x")
		use(t, in, client)
		ok(t, "close", client.Close())
		ok(t, "close", in.Close())
		if _, err := tryOpen(t, "x", both); err == nil {
			t.Fatal("opened what is not there")
		} else {
			wants(t, "open", err, winerr.FileNotFound)
		}
	}
	// The server lets go of a line while it stays: the client connects anew.
	mustCreate(t, "x", config())
	for range 20 {
		mustCreate(t, "x", config())
		client := open(t, "x")
		in := ofClient(t, client)
		ok(t, "close", client.Close())
		ok(t, "close", in.Close())
		hangUp(in.server)
	}
}

// keptRaw opens by hand, closes in order, and returns the line that the door waits on.
func keptRaw(t *testing.T, in *Instance) (conn *net.UnixConn, mem []byte) {
	t.Helper()
	conn = knockRaw(t, in)
	ok(t, "open", wire.Write(conn, &wire.Open{Access: both}))
	r := &frameReader{conn: conn}
	opened, err := wire.ReadAs[*wire.Opened](r)
	ok(t, "opened", err)
	if r.file == nil || !opened.Keeps || opened.Reused {
		t.Fatalf("answered %+v", opened)
	}
	defer r.file.Close()
	mem, err = mapFile(r.file, int(opened.RegionSize))
	ok(t, "map", err)
	t.Cleanup(func() { unmapRegion(mem) })
	npfs.NewEnd(mem, npfs.EndConfig{InQuota: 4096, OutQuota: 4096, Bell: func() {}, Wake: func() {}}).Close(net.ErrClosed)
	ok(t, "close", in.Close())
	return conn, mem
}

// What comes over a kept line instead of an Open in one piece ends the line; rings of the old connection do not.
func TestHostileLines(t *testing.T) {
	useDir(t)
	letGoOfLines()
	opening := wire.Append(nil, &wire.Open{Access: both})
	rings := bytes.Repeat(stroke, 30)
	for what, sent := range map[string][]byte{
		"garbage": []byte("GET / HTTP/1.1\r\n\r\n"), "cut": opening[:len(opening)-1], "more": append(bytes.Clone(opening), 0),
		"another request": wire.Append(nil, &wire.Query{}), "an answer": wire.Append(nil, &wire.Woken{}),
		"an unknown flag": append(bytes.Clone(opening[:len(opening)-4]), 1, 0, 0, 0), "rings and garbage": append(bytes.Clone(rings), 7),
	} {
		next, in := mustCreate(t, "x", config()), mustCreate(t, "x", config())
		conn, _ := keptRaw(t, next)
		awaitHeldLines(t, in, 1)
		_, err := conn.Write(sent)
		ok(t, "write", err)
		if got, err := io.ReadAll(conn); len(got) > 0 || err != nil && !isReset(err) {
			t.Errorf("%s: answered %q, %v", what, got, err)
		}
		if s := state(t, in); s != npfs.Listening {
			t.Errorf("%s: state %v", what, s)
		}
		awaitHeldLines(t, in, 0)
		ok(t, "close", in.Close())
	}
	for what, sent := range map[string][][]byte{
		"rings": {rings, opening}, "rings and open": {append(bytes.Clone(rings), opening...)}, "open": {opening},
	} {
		first, next := mustCreate(t, "x", config()), mustCreate(t, "x", config())
		conn, _ := keptRaw(t, first)
		for _, b := range sent {
			_, err := conn.Write(b)
			ok(t, "write", err)
		}
		opened, err := wire.ReadAs[*wire.Opened](conn)
		if err != nil || opened.Status != 0 || !opened.Reused {
			t.Errorf("%s: answered %+v, %v", what, opened, err)
		}
		ok(t, "close", next.Close())
	}
}

// fill rings until the socket takes no more.
func fill(t *testing.T, conn *net.UnixConn) {
	t.Helper()
	rings := 0
	raw, err := conn.SyscallConn()
	ok(t, "socket", err)
	ok(t, "socket", raw.Control(func(fd uintptr) {
		for ; err == nil; rings++ {
			err = unix.Send(int(fd), stroke, unix.MSG_DONTWAIT)
		}
	}))
	if err != unix.EAGAIN || rings < 100 {
		t.Fatalf("%d rings fit, %v", rings, err)
	}
}

// However many rings of the last connection are unheard, an Open behind them is heard, and so is its answer.
func TestOpenBehindManyRings(t *testing.T) {
	useDir(t)
	letGoOfLines()
	for _, rings := range []int{56, 63, 64, 65, 127, 250} {
		in, next := mustCreate(t, "x", config()), mustCreate(t, "x", config())
		client := open(t, "x")
		ok(t, "close", in.Close())
		for range rings {
			client.connection.(*link).bell.ring()
		}
		sock := lineOf(client).sock
		ok(t, "close", client.Close())
		awaitHeldLines(t, next, 1)
		again := open(t, "x")
		if lineOf(again).sock != sock {
			t.Errorf("the line with %d rings was not used", rings)
		}
		use(t, next, again)
		ok(t, "close", again.Close())
		ok(t, "close", next.Close())
	}
}

// A flood of rings is not listened to for ever.
func TestFloodOfRings(t *testing.T) {
	ours, theirs, err := socketPair()
	ok(t, "sockets", err)
	flood := background(func() error {
		_, err := theirs.Write(bytes.Repeat(stroke, 4*maxRings))
		return err
	})
	if _, err := nextOpen(ours); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("after a flood of rings: %v", err)
	}
	ours.Close()
	if err := <-flood; err == nil {
		t.Error("all of it was heard")
	}
	theirs.Close()
}

// A line whose other end hears nothing holds nobody up: not the client that opens over it, and not the server that answers.
func TestFullLines(t *testing.T) {
	useDir(t)
	letGoOfLines()
	in := mustCreate(t, "x", config())
	ours, theirs, err := socketPair()
	ok(t, "sockets", err)
	defer theirs.Close()
	fill(t, ours)
	l := &freeLine{line: &line{sock: ours, peer: self()}}
	if _, err := in.server.claim.ask(context.Background(), l, &npfs.OpenConfig{Access: both}); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("opening over a full line: %v", err)
	}
	next := mustCreate(t, "x", config())
	conn, _ := keptRaw(t, in)
	awaitHeldLines(t, next, 1)
	fill(t, theirEnd(t, next))
	ok(t, "open", wire.Write(conn, &wire.Open{Access: both}))
	awaitHeldLines(t, next, 0)
	client := open(t, "x")
	use(t, next, client)
}

// theirEnd returns the server's socket of the line that its door waits on.
func theirEnd(t *testing.T, in *Instance) *net.UnixConn {
	t.Helper()
	heldLines.mu.Lock()
	defer heldLines.mu.Unlock()
	for l, s := range heldLines.lines {
		if s == in.server {
			return l.sock
		}
	}
	t.Fatal("no line is held")
	return nil
}

func isReset(err error) bool { return strings.Contains(err.Error(), unix.ECONNRESET.Error()) }

// A client that goes on writing into the region of its old connection, which its next one uses, harms itself alone.
func TestScribblingOverKeptRegion(t *testing.T) {
	useDir(t)
	letGoOfLines()
	in, next, third := mustCreate(t, "x", config()), mustCreate(t, "x", config()), mustCreate(t, "x", config())
	conn, mem := keptRaw(t, in)
	ok(t, "open", wire.Write(conn, &wire.Open{Access: both}))
	if opened, err := wire.ReadAs[*wire.Opened](conn); err != nil || !opened.Reused {
		t.Fatalf("answered %+v, %v", opened, err)
	}
	bystander := open(t, "x")
	r := rand.New(rand.NewPCG(1, 2))
	const controlSize, positionIn, positionOut = 704, 256, 512 // docs/protocol.md; a forged claim in a position stalls: TestStallingClients
	for range 2000 {
		for range 20 {
			if at := r.IntN(controlSize); at&^7 != positionIn && at&^7 != positionOut {
				mem[at] = byte(r.Uint32())
			}
		}
		_, _ = next.Peek(nil) // whatever it says
		_, _ = next.Info()
	}
	_, err := bystander.Write([]byte("fine"))
	ok(t, "bystander's write", err)
	b := make([]byte, 4)
	n, err := third.Read(b)
	if string(b[:n]) != "fine" || err != nil {
		t.Errorf("the bystander's server read %q, %v", b[:n], err)
	}
	ok(t, "close", next.Close())
}

// Few lines are kept, none for long, none longer than their server or their client, and none when descriptors are scarce.
func TestLinesAreBounded(t *testing.T) {
	useDir(t)
	letGoOfLines()
	in := mustCreate(t, "x", config())
	for range 2 * maxKeptLines {
		mustCreate(t, "x", config())
	}
	var clients []*Client
	for range 2 * maxKeptLines {
		clients = append(clients, open(t, "x"))
	}
	for range clients {
		ok(t, "close", ofClient(t, clients[0]).Close())
	}
	for _, c := range clients {
		ok(t, "close", c.Close())
	}
	if n := freeLinesNow(); n != maxKeptLines {
		t.Errorf("a client keeps %d lines", n)
	}
	if n := heldLinesOf(in); n > maxKeptLines || n == 0 {
		t.Errorf("a server keeps %d lines", n)
	}
	freeLines.mu.Lock()
	for i, l := range freeLines.lines {
		l.until = time.Duration(i%2) * (uptime() + time.Hour)
	}
	freeLines.mu.Unlock()
	expireLines()
	if n := freeLinesNow(); n != maxKeptLines/2 {
		t.Errorf("%d lines are left when half were too old", n)
	}
	before := openDescriptors(t)
	letGoOfLines()
	awaitHeldLines(t, in, 0)
	if n, after := freeLinesNow(), openDescriptors(t); n != 0 || after > before-maxKeptLines/2 {
		t.Errorf("letting go left %d lines; %d descriptors before, %d after", n, before, after)
	}
}

// A client that was killed leaves no line at the server.
func TestLineOfKilledClient(t *testing.T) {
	useDir(t)
	letGoOfLines()
	other := startChild(t)
	mustCreate(t, "x", config())
	next := mustCreate(t, "x", config())
	other.must("open x rw")
	self, err := ownCredentials()
	ok(t, "credentials", err)
	in := ofClient(t, &Client{claim: next.server.claim})
	ok(t, "close", in.Close()) // while the client's end lasts
	if heldLinesOf(next) != 1 {
		t.Fatal("the line is not kept, so this proves little")
	}
	other.kill()
	awaitHeldLines(t, next, 0)
	if takeLine(next.server.claim.doorPath(next.server.id), &self) != nil {
		t.Error("another process' line was taken")
	}
	open(t, "x")
}

// Of users other than the owner and root no line is kept, as what they have of the process is counted.
func TestNoLineOfOtherUsers(t *testing.T) {
	publicDir(t)
	letGoOfLines()
	cfg := config()
	cfg.SDDL = "D:(A;;GRGW;;;WD)"
	in, next := mustCreate(t, "x", cfg), mustCreate(t, "x", cfg)
	other := startNobody(t)
	other.must("open x rw")
	ok(t, "close", in.Close())
	if heldLinesOf(next) != 0 {
		t.Error("a line is kept")
	}
	other.must("open x rw")
}

// A server that answers with a region that it was not offered, or with two, gets nowhere; one that hangs up on a line is asked anew.
func TestHostileAnswersOverLines(t *testing.T) {
	size := uint64(npfs.RegionSize(4096, 4096))
	good := wire.Opened{Access: both.Specific(), MaxInstances: 1, InQuota: 4096, OutQuota: 4096, RegionSize: size, Reused: true}
	wide := good
	wide.OutQuota, wide.RegionSize = 90_000, uint64(npfs.RegionSize(4096, 90_000))
	fresh := good
	fresh.Reused = false
	for what, c := range map[string]struct {
		has    bool // the line has a region
		answer wire.Opened
	}{"no region": {false, good}, "other quotas": {true, wide}, "no descriptor": {true, fresh}} {
		ours, theirs, err := socketPair()
		ok(t, "sockets", err)
		l := &freeLine{line: &line{sock: ours, peer: self(), inQuota: 4096, outQuota: 4096}}
		if c.has {
			r, err := newRegion(4096, 4096)
			ok(t, "region", err)
			r.file.Close()
			l.mem = r.mem
		}
		before := len(mappings(t))
		answer := wire.Append(bytes.Repeat(stroke, 3), &c.answer)
		_, err = theirs.Write(answer)
		ok(t, "write", err)
		if _, err := (&claim{}).ask(context.Background(), l, &npfs.OpenConfig{Access: both}); err == nil {
			t.Errorf("%s: opened", what)
		}
		want := before
		if c.has {
			want--
		}
		if got := len(mappings(t)); got != want {
			t.Errorf("%s: %d regions are mapped, not %d", what, got, want)
		}
		theirs.Close()
	}
}
