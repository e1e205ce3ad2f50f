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

// dial connects to a socket and tells who listens there. A full queue is waited for until ctx is done.
func dial(ctx context.Context, socket string) (*net.UnixConn, *identity, error) {
	pause := newPause()
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
			if err := pause.wait(ctx); err != nil {
				return nil, nil, err
			}
		case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.ENOENT):
			return nil, nil, errDead
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
	shake, cancel := handshakeContext(ctx)
	defer cancel()
	claims, err := lookUp(pipe)
	if err != nil {
		return nil, err
	}
	for _, c := range claims {
		client, err := c.open(shake, cfg)
		if !errors.Is(err, winerr.FileNotFound) {
			return client, err
		}
	}
	return openForeign(shake, pipe, cfg)
}

// checkServer refuses other machines.
func checkServer(server string) error {
	if server != "." {
		return fmt.Errorf("%s is another machine; its pipes need the SMB transport: %w", server, winerr.NotSupported)
	}
	return nil
}

// handshakeContext bounds the talk with a server process, which answers at once unless it is stopped. A free pipe is
// opened even if ctx is done: only a ctx that is done later ends the talk.
func handshakeContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	return context.WithTimeout(ctx, handshakeTimeout)
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

// openDoor asks one process for an instance.
func (c *claim) openDoor(ctx context.Context, d doorFile, cfg *npfs.OpenConfig) (*Client, error) {
	conn, server, err := c.knock(ctx, d)
	if err != nil {
		return nil, err
	}
	client, err := c.ask(ctx, conn, server, cfg)
	if err == nil {
		return client, nil
	}
	conn.Close()
	if err == errDead && answers(d.path) { // a process that leaves closes its door before it hangs up
		err = fmt.Errorf("server process %d hung up without an answer: %w", server.pid, io.ErrUnexpectedEOF)
	}
	return nil, err
}

// ask exchanges Open and Opened over conn, which the client owns if there is no error.
func (c *claim) ask(ctx context.Context, conn *net.UnixConn, server *identity, cfg *npfs.OpenConfig) (*Client, error) {
	if err := expectOwner(server, cfg.ExpectOwner); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	opened, region, err := exchangeOpen(conn, cfg.Access)
	if region != nil {
		defer region.Close()
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("server process %d does not answer: %w", server.pid, ctx.Err())
	case err != nil:
		return nil, err
	case opened.Status != 0:
		return nil, refusal(opened)
	case region == nil:
		return nil, fmt.Errorf("%w: it lacks the region's descriptor", wire.ErrMalformed)
	}
	if !stop() { // the deadline was set, or is about to be
		return nil, fmt.Errorf("server process %d answered too late: %w", server.pid, ctx.Err())
	}
	return newClient(c, conn, region, server, opened, cfg.NoPolling)
}

// exchangeOpen sends Open and reads the answer. A hang-up instead of an answer is a server process at its end.
func exchangeOpen(conn *net.UnixConn, access npfs.Access) (*wire.Opened, *os.File, error) {
	err := wire.Write(conn, &wire.Open{Access: access})
	if err != nil && !errors.Is(err, unix.EPIPE) { // who turned us away unheard has answered before hanging up
		return nil, nil, deadIfGone(err)
	}
	lookForAnswer(conn)
	r := &frameReader{conn: conn}
	opened, err := wire.ReadAs[*wire.Opened](r)
	return opened, r.file, deadIfGone(err)
}

// lookForAnswer polls the socket for a moment: a server process that is not busy answers within less time than it takes to be
// woken. Like all polling it is left out while others want the CPU.
func lookForAnswer(conn *net.UnixConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { // an error means that it is closed, which reading tells
		pollBriefly(spinLimit, func() bool {
			var b [1]byte
			_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			return err != unix.EAGAIN
		})
	})
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

// frameReader reads a socket byte by byte as asked, never further, and keeps the first descriptor that comes along. More
// descriptors than one are closed, and an error.
type frameReader struct {
	conn *net.UnixConn
	file *os.File
}

func (r *frameReader) Read(p []byte) (int, error) {
	control := make([]byte, unix.CmsgSpace(8*4)) // room for more than we take: what does not fit the kernel closes
	n, controlLen, flags, _, err := r.conn.ReadMsgUnix(p, control)
	if err != nil {
		return n, err
	}
	if err := r.keep(control[:controlLen]); err != nil {
		return 0, err // with the count io.ReadFull would take the bytes and forget the error
	}
	switch {
	case flags&unix.MSG_CTRUNC == 0:
	case r.file == nil: // there was one, and no room in our table
		return 0, fmt.Errorf("receiving the region's descriptor: %w", unix.EMFILE)
	default:
		return 0, fmt.Errorf("%w: it carries too many descriptors", wire.ErrMalformed)
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
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
