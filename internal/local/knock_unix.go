//go:build linux || darwin || freebsd

package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
	"github.com/anypipe/anypipe/internal/wire"
)

// lookUp returns the claims of the name, this user's directory first. There may be none.
func lookUp(pipe string) ([]*claim, error) {
	dirs, err := searchDirs()
	if err != nil {
		return nil, err
	}
	var claims []*claim
	for _, dir := range dirs {
		c, err := statClaim(claimPath(dir, pipe))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		claims = append(claims, c)
	}
	return claims, nil
}

// sortedDoors returns the doors in the order in which a client tries them: the oldest LISTENING instance first, those that
// have none last. A claim that is gone has none.
func (c *claim) sortedDoors() ([]doorFile, error) {
	doors, err := c.doors()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the pipe belongs to user %s and lets nobody else in: %w", userName(c.owner), winerr.AccessDenied)
	}
	slices.SortStableFunc(doors, func(a, b doorFile) int {
		switch ta, tb := a.live.ticket-1, b.live.ticket-1; { // 0 becomes the largest
		case ta < tb:
			return -1
		case ta > tb:
			return 1
		}
		return 0
	})
	return doors, err
}

// errDead says that no process is behind a door.
var errDead = errors.New("nobody listens at the socket")

// dial connects to a socket and tells who listens there. A full queue is waited for until ctx is done, and as long as a handshake may
// last.
func dial(ctx context.Context, socket string) (*net.UnixConn, *identity, error) {
	pause, waiting, relieved := newPause(), false, false
	for {
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
		switch {
		case err == nil:
			id, err := peerIdentity(conn)
			if err != nil {
				conn.Close()
				return nil, nil, err
			}
			return conn, id, nil
		case errors.Is(err, unix.EAGAIN):
			if !waiting {
				waiting = true
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, handshakeTimeout)
				defer cancel()
			}
			if err := pause.wait(ctx); err != nil {
				return nil, nil, err
			}
		case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.ENOENT):
			return nil, nil, errDead
		case errors.Is(err, unix.EMFILE) && !relieved:
			relieved = true
			letGoOfLines()
		case errors.Is(err, fs.ErrPermission):
			return nil, nil, fmt.Errorf("the socket %s does not let this user in: %w", socket, winerr.AccessDenied)
		default:
			return nil, nil, err
		}
	}
}

// knock connects to a door of the claim and checks that the claim's owner is behind it.
func (c *claim) knock(ctx context.Context, d doorFile) (*net.UnixConn, *identity, error) {
	conn, id, err := dial(ctx, d.path)
	if err != nil {
		return nil, nil, err
	}
	if id.uid != c.owner {
		conn.Close()
		return nil, nil, fmt.Errorf("%s belongs to user %s but user %s listens there: %w", c.path, userName(c.owner), userName(id.uid), winerr.AccessDenied)
	}
	return conn, id, nil
}

// Open opens the pipe as its client: the instance that has been LISTENING longest, over all server processes.
func Open(ctx context.Context, server, pipe string, cfg *npfs.OpenConfig) (*Client, error) {
	if err := checkServer(server); err != nil {
		return nil, err
	}
	if ctx.Err() != nil { // a free pipe is opened even then: only a ctx that is done later ends the talk
		ctx = context.WithoutCancel(ctx)
	}
	claims, err := lookUp(pipe)
	if err != nil {
		return nil, err
	}
	for _, c := range claims {
		client, err := c.open(ctx, cfg)
		if !errors.Is(err, winerr.FileNotFound) {
			return client, err
		}
	}
	return openForeign(ctx, pipe, cfg)
}

// checkServer refuses other machines.
func checkServer(server string) error {
	if server != "." {
		return fmt.Errorf("%s is another machine; its pipes need the SMB transport: %w", server, winerr.NotSupported)
	}
	return nil
}

// open tries the claim's doors, a remembered one first. The error is FileNotFound if no process lives behind any.
func (c *claim) open(ctx context.Context, cfg *npfs.OpenConfig) (*Client, error) {
	if known, ok := c.recall(); ok {
		client, err := c.openDoor(ctx, known, cfg)
		if err != errDead {
			return client, err
		}
		c.forget()
	}
	doors, err := c.sortedDoors()
	if err != nil {
		return nil, err
	}
	c.remember(doors)
	result, dead := error(winerr.FileNotFound), false
	for _, d := range doors {
		client, err := c.openDoor(ctx, d, cfg)
		switch {
		case err == errDead:
			dead = true
		case errors.Is(err, winerr.PipeNotAvailable):
			result = err
		default:
			return client, err
		}
	}
	if dead {
		if err := c.tidy(); err != nil {
			return nil, err
		}
	}
	return nil, result
}

// openDoor asks one process for an instance, over the line of a former connection if there is one. A line that the process has let
// go of is no sign that it is gone.
func (c *claim) openDoor(ctx context.Context, d doorFile, cfg *npfs.OpenConfig) (*Client, error) {
	self, err := ownCredentials()
	if err != nil {
		return nil, err
	}
	for known := takeLine(d.path, &self); known != nil; known = takeLine(d.path, &self) {
		client, err := c.ask(ctx, &freeLine{line: known, door: d.path, self: self}, cfg)
		if err != errDead && !errors.Is(err, unix.EAGAIN) { // full of rings that the process leaves unheard
			return client, err
		}
	}
	conn, server, err := c.knock(ctx, d)
	if err != nil {
		return nil, err
	}
	client, err := c.ask(ctx, &freeLine{line: &line{sock: conn, peer: server}, door: d.path, self: self}, cfg)
	if err == errDead && answers(d.path) { // a process that leaves closes its door before it hangs up
		err = fmt.Errorf("server process %d hung up without an answer: %w", server.pid, io.ErrUnexpectedEOF)
	}
	return client, err
}

// ask exchanges Open and Opened over a line, which it owns.
func (c *claim) ask(ctx context.Context, l *freeLine, cfg *npfs.OpenConfig) (*Client, error) {
	opened, file, err := l.exchangeOpen(ctx, cfg)
	if file != nil {
		defer file.Close()
	}
	if err != nil {
		l.end()
		return nil, err
	}
	mem, err := l.memory(opened, file)
	if err == nil {
		var client *Client
		if client, err = newClient(c, l, mem, opened, cfg.NoPolling); err == nil {
			return client, nil
		}
	}
	l.end()
	return nil, err
}

// exchangeOpen sends Open and reads the answer, which is a yes if there is no error. A hang-up instead of an answer is errDead: a server
// process at its end, or one that has let go of the line.
func (l *freeLine) exchangeOpen(ctx context.Context, cfg *npfs.OpenConfig) (*wire.Opened, *os.File, error) {
	if err := expectOwner(l.peer, cfg.ExpectOwner); err != nil {
		return nil, nil, err
	}
	err := l.send(&wire.Open{Access: cfg.Access}, nil)
	if err != nil && !errors.Is(err, unix.EPIPE) { // who turned us away unheard has answered before hanging up
		return nil, nil, deadIfGone(err)
	}
	stop := func() bool { return true }
	if !answered(l.sock) { // only now is a timer worth its price: setting one wakes a thread
		shake, cancel := context.WithTimeout(ctx, handshakeTimeout)
		defer cancel()
		ctx = shake
		stop = context.AfterFunc(ctx, func() { l.sock.SetDeadline(time.Unix(1, 0)) })
	}
	r := &frameReader{conn: l.sock}
	opened, err := wire.ReadAs[*wire.Opened](r)
	switch {
	case !stop(): // the deadline was set, or is about to be
		err = fmt.Errorf("server process %d does not answer: %w", l.peer.pid, ctx.Err())
	case err != nil:
		err = deadIfGone(err)
	case opened.Status != 0:
		err = refusal(opened)
	}
	return opened, r.file, err
}

// answered reports whether a whole frame is there, so that reading it waits for nothing. It polls the socket for a moment: a server
// process that is not busy answers within less time than it takes to be woken. Like all polling it is left out while others want the CPU.
func answered(conn *net.UnixConn) (whole bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) { // an error means that it is closed, which reading tells
		pollBriefly(spinLimit, func() bool {
			var b [answerSize]byte
			n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			whole = err == nil && wire.Whole(withoutRings(b[:max(n, 0)]))
			return whole || err != unix.EAGAIN && (err != nil || n == 0)
		})
	})
	return whole
}

// deadIfGone turns a hang-up into errDead.
func deadIfGone(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		return errDead
	}
	return err
}

// refusal returns the error for an Opened frame that says no. The words are the server's, so they are quoted.
func refusal(m *wire.Opened) error {
	e := winerr.FromStatus(m.Status)
	switch {
	case e == nil:
		return fmt.Errorf("the server can't serve the client (NTSTATUS %#x): %q", m.Status, m.Text)
	case m.Text == "":
		return e
	}
	return fmt.Errorf("the server says %q: %w", m.Text, e)
}

// answerSize is more than an Opened frame has that says yes.
const answerSize = 512

// frameReader reads one frame off a socket, behind the rings of the last connection if there was one, and keeps the first descriptor that
// comes along. More descriptors than one are closed, and an error. It may take rings of the new connection too, which nobody sleeps for yet.
type frameReader struct {
	conn   *net.UnixConn
	file   *os.File
	buffer [answerSize]byte
	unread []byte // of buffer
	begun  bool   // the frame has begun
}

func (r *frameReader) Read(p []byte) (int, error) {
	for len(r.unread) == 0 && len(p) > 0 {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.unread)
	r.unread = r.unread[n:]
	return n, nil
}

// fill waits for bytes.
func (r *frameReader) fill() error {
	control := make([]byte, unix.CmsgSpace(8*4)) // room for more than we take: what does not fit the kernel closes
	n, controlLen, flags, _, err := r.conn.ReadMsgUnix(r.buffer[:], control)
	if err != nil {
		return err
	}
	if err := r.keep(control[:controlLen]); err != nil {
		return err
	}
	switch {
	case flags&unix.MSG_CTRUNC == 0:
	case r.file == nil: // there was one, and no room in our table
		return fmt.Errorf("receiving the region's descriptor: %w", unix.EMFILE)
	default:
		return fmt.Errorf("%w: it carries too many descriptors", wire.ErrMalformed)
	}
	if n == 0 {
		return io.EOF
	}
	r.unread = r.buffer[:n]
	if !r.begun {
		r.unread = withoutRings(r.unread)
		r.begun = len(r.unread) > 0
	}
	return nil
}

// keep takes over the descriptors in a control message.
func (r *frameReader) keep(control []byte) error {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return err
	}
	var surplus bool
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue // credentials or the like
		}
		for _, fd := range fds {
			if r.file == nil {
				r.file = os.NewFile(uintptr(fd), "region")
				continue
			}
			unix.Close(fd)
			surplus = true
		}
	}
	if surplus {
		return fmt.Errorf("%w: it carries more than one descriptor", wire.ErrMalformed)
	}
	return nil
}
