//go:build linux || darwin || freebsd

package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/wire"
)

// A line is what two processes need for a connection: a socket and a region. It is kept for a moment after the connection, so that the
// next one of the two processes saves most of what connecting costs. Whoever holds a line alone may use its fields.
type line struct {
	sock *net.UnixConn
	peer *identity // who is at the other end, as the kernel said when the socket was connected

	// mem is the region of the last connection, as an end begins with, which both ends left; nil if there is none.
	mem               []byte
	inQuota, outQuota int
}

const (
	// maxKeptLines bounds the lines that a process keeps on each side, as they hold a descriptor.
	maxKeptLines = 32
	// keepLines is how long a line is kept.
	keepLines = time.Second
	// maxKeptMemory bounds what a connection may have touched of the region of a line that is kept.
	maxKeptMemory = 256 << 10
	// linesAreKept: a region that can shrink would have to be guarded while nobody uses it.
	linesAreKept = !regionMayShrink
)

// end lets go of the line.
func (l *line) end() {
	_ = l.sock.Close()
	l.forgetRegion()
}

func (l *line) forgetRegion() {
	if l.mem != nil {
		unmapRegion(l.mem)
		l.mem = nil
	}
}

// region returns the line's region, prepared for a new connection with these quotas; nil if it has none that fits.
func (l *line) region(inQuota, outQuota int) *region {
	if l.inQuota != inQuota || l.outQuota != outQuota {
		l.forgetRegion()
	}
	if l.mem == nil {
		return nil
	}
	r := &region{mem: l.mem, inQuota: inQuota, outQuota: outQuota}
	l.mem = nil
	npfs.ResetRegion(r.mem)
	return r
}

// memory returns the region that the server answered with, mapped; file is the descriptor that came along, if one did.
func (l *line) memory(m *wire.Opened, file *os.File) ([]byte, error) {
	inQuota, outQuota := int(m.InQuota), int(m.OutQuota)
	size := npfs.RegionSize(inQuota, outQuota)
	switch {
	case uint64(size) != m.RegionSize:
		return nil, fmt.Errorf("%w: a region of %d bytes is announced where its quotas need %d", wire.ErrMalformed, m.RegionSize, size)
	case m.Reused == (file != nil):
		return nil, fmt.Errorf("%w: reused is %t, and a region's descriptor came: %t", wire.ErrMalformed, m.Reused, file != nil)
	case !m.Reused:
		l.forgetRegion()
		return mapRegion(file, size)
	case l.mem == nil || l.inQuota != inQuota || l.outQuota != outQuota:
		return nil, fmt.Errorf("%w: the region to be used again is not this line's", wire.ErrMalformed)
	}
	mem := l.mem
	l.mem = nil
	return mem, nil
}

// heldLines are the lines on which this process' doors wait for another Open. They are package state because their bound is the process'.
var heldLines = struct {
	mu    sync.Mutex
	lines map[*line]*server
}{lines: map[*line]*server{}}

// keep has the door wait for the next Open on a line. It reports false, and the line stays the caller's, if it can't.
func (s *server) keep(l *line) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	heldLines.mu.Lock()
	defer heldLines.mu.Unlock()
	if s.closed || len(heldLines.lines) >= maxKeptLines {
		return false
	}
	heldLines.lines[l] = s
	s.workers.Go(func() { s.serveAgain(l) })
	return true
}

// serveAgain serves the next Open on a kept line, or lets go of it after a while.
func (s *server) serveAgain(l *line) {
	_ = l.sock.SetReadDeadline(time.Now().Add(keepLines)) // an error means that it is closed, which reading tells
	request, err := nextOpen(l.sock)
	heldLines.mu.Lock()
	delete(heldLines.lines, l)
	heldLines.mu.Unlock()
	if err == nil {
		err = l.sock.SetReadDeadline(time.Time{})
	}
	if err != nil || !s.track(l.sock) {
		l.end()
		return
	}
	defer s.untrack(l.sock)
	if !s.open(l, request) {
		l.end()
	}
}

// hangUp closes the lines on which the door of a server waits, or those of all servers if s is nil. Their goroutines let go of them.
func hangUp(s *server) {
	heldLines.mu.Lock()
	defer heldLines.mu.Unlock()
	for l, holder := range heldLines.lines {
		if s == nil || holder == s {
			_ = l.sock.Close()
		}
	}
}

// letGoOfLines gives back what all kept lines hold, as descriptors or memory are scarce.
func letGoOfLines() {
	hangUp(nil)
	freeLines.mu.Lock()
	defer freeLines.mu.Unlock()
	dropLines(func(*freeLine) bool { return true })
}

// send sends a frame, with a descriptor if file is not nil. It waits for nobody: a line that has no room for the frame, as a new one always
// has, is full of rings that the other end leaves unheard, and the error is EAGAIN.
func (l *line) send(m wire.Message, file *os.File) error {
	frame := wire.Append(nil, m)
	if file == nil {
		return l.sendFrame(frame, nil)
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var sendErr error
	err = raw.Control(func(fd uintptr) { sendErr = l.sendFrame(frame, unix.UnixRights(int(fd))) })
	return errors.Join(err, sendErr)
}

func (l *line) sendFrame(frame, rights []byte) error {
	raw, err := l.sock.SyscallConn()
	if err != nil {
		return err
	}
	var sendErr error
	err = raw.Write(func(fd uintptr) bool {
		n, err := unix.SendmsgN(int(fd), frame, rights, nil, unix.MSG_DONTWAIT|sendNoSignal)
		if err == nil && n < len(frame) {
			err = io.ErrShortWrite
		}
		sendErr = err
		return true
	})
	return errors.Join(err, sendErr)
}

// maxRings is more rings than a socket holds unheard: their sender drops those for which there is no room, and each takes the kernel much
// more memory than its byte.
const maxRings = 64 << 10

// nextOpen waits for an Open behind the rings of the last connection. It must come in one piece, as nobody waits for the rest.
func nextOpen(sock *net.UnixConn) (*wire.Open, error) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return nil, err
	}
	var o opening
	err = raw.Read(o.hear)
	if err = errors.Join(err, o.err); err != nil {
		return nil, err
	}
	rest := bytes.NewReader(o.frame)
	m, err := wire.ReadAs[*wire.Open](rest)
	if err == nil && rest.Len() > 0 {
		err = fmt.Errorf("%w: %d surplus bytes behind it", wire.ErrMalformed, rest.Len())
	}
	return m, err
}

// opening is what came over a line since its last connection.
type opening struct {
	frame []byte // what followed the rings
	rings int
	err   error
}

// hear takes all that is there off the socket. It reports false if that is nothing but rings, so that there is more to wait for.
func (o *opening) hear(fd uintptr) bool {
	for len(o.frame) < wire.OpenSize && o.rings <= maxRings {
		var b [64]byte
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_DONTWAIT)
		switch {
		case err == unix.EAGAIN:
			return len(o.frame) > 0
		case err == unix.EINTR:
			continue
		case err != nil || n == 0:
			o.err = err
			return true
		}
		got := b[:n]
		if len(o.frame) == 0 {
			got = withoutRings(got)
			o.rings += n - len(got)
		}
		o.frame = append(o.frame, got...)
	}
	if len(o.frame) == 0 {
		o.err = fmt.Errorf("%w: more than %d rings", wire.ErrMalformed, maxRings)
	}
	return true
}

// withoutRings returns what is behind the rings of a doorbell; see stroke.
func withoutRings(b []byte) []byte {
	i := slices.IndexFunc(b, func(c byte) bool { return c != stroke[0] })
	if i < 0 {
		return nil
	}
	return b[i:]
}

// A freeLine is one that a client may use again if it still is who it was.
type freeLine struct {
	*line
	door  string // path of the server process's door
	self  credentials
	until time.Duration // uptime
}

// credentials are what a server judges a client by, as far as they change within a process, and from thread to thread.
type credentials struct {
	uid, gid int
	groups   []int
}

// ownCredentials returns those of the calling thread.
func ownCredentials() (credentials, error) {
	groups, err := unix.Getgroups()
	return credentials{unix.Geteuid(), unix.Getegid(), groups}, err
}

func (c *credentials) equal(d *credentials) bool {
	return c.uid == d.uid && c.gid == d.gid && slices.Equal(c.groups, d.groups)
}

// freeLines are the lines of this process' former client ends. They are package state because their bound is the process'.
var freeLines struct {
	mu    sync.Mutex
	lines []*freeLine // oldest first
	timer *time.Timer // calls expireLines; nil while there are none
}

// shelve keeps a line for the next opening.
func shelve(l *freeLine) {
	l.until = uptime() + keepLines
	_ = l.sock.SetReadDeadline(time.Time{}) // a stir may have left one
	freeLines.mu.Lock()
	defer freeLines.mu.Unlock()
	if len(freeLines.lines) == maxKeptLines {
		freeLines.lines[0].end()
		freeLines.lines = slices.Delete(freeLines.lines, 0, 1)
	}
	freeLines.lines = append(freeLines.lines, l)
	if freeLines.timer == nil {
		freeLines.timer = time.AfterFunc(keepLines, expireLines)
	}
}

// takeLine returns a line to a door that the server's end has left, or nil.
func takeLine(door string, self *credentials) *line {
	freeLines.mu.Lock()
	defer freeLines.mu.Unlock()
	i := slices.IndexFunc(freeLines.lines, func(l *freeLine) bool {
		return l.door == door && npfs.ServerLeft(l.mem) && l.self.equal(self)
	})
	if i < 0 {
		return nil
	}
	l := freeLines.lines[i]
	freeLines.lines = slices.Delete(freeLines.lines, i, i+1)
	return l.line
}

// expireLines is the timer's function.
func expireLines() {
	now := uptime()
	freeLines.mu.Lock()
	defer freeLines.mu.Unlock()
	freeLines.timer = nil
	dropLines(func(l *freeLine) bool { return l.until <= now })
	if len(freeLines.lines) > 0 {
		freeLines.timer = time.AfterFunc(keepLines/2, expireLines)
	}
}

// dropLines lets go of free lines. freeLines.mu must be held.
func dropLines(match func(*freeLine) bool) {
	freeLines.lines = slices.DeleteFunc(freeLines.lines, func(l *freeLine) bool {
		if match(l) {
			l.end()
			return true
		}
		return false
	})
}
