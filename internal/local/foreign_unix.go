//go:build linux || darwin || freebsd

package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// A foreign door serves programs that know only Unix sockets: .NET's NamedPipeClientStream(".", NAME) looks for the socket
// CoreFxPipe_NAME in the temporary directory, and Node, Python or socat are given its path. They exchange raw bytes.
//
// Connect succeeds for them as soon as the kernel queues them; they are accepted, and their bytes read, when an instance
// is LISTENING. One process per name has the foreign door; another takes it over when it creates an instance after that one
// has left.
type foreignDoor struct {
	door   *net.UnixListener
	path   string
	access npfs.Access // what a foreign client is taken to ask for: reading and writing, as far as the direction goes
}

// foreignSocketPath returns the path where such programs look, exactly as spelled; the error says why there is none.
func foreignSocketPath(pipe string) (string, error) {
	if strings.ContainsAny(pipe, `\/`) {
		return "", fmt.Errorf("%q holds a separator, a socket's file name can't: %w", pipe, winerr.InvalidName)
	}
	dir := os.Getenv("TMPDIR")
	if dir == "" {
		dir = "/tmp"
	}
	path := filepath.Join(dir, "CoreFxPipe_"+pipe)
	if len(path) > maxSocketPath {
		return "", fmt.Errorf("%s is longer than a socket's path may be (%d bytes): %w", path, maxSocketPath, winerr.FilenameTooLong)
	}
	return path, nil
}

// openForeign opens the foreign door if this instance wants it and there is none. Without it the pipe works as well, only not
// for such programs, and the pipe's description shows no path; so failures end here.
func (s *server) openForeign(cfg *npfs.CreateConfig) {
	if !cfg.Foreign || s.pipe.Type != npfs.Byte || s.foreignPath() != "" {
		return
	}
	path, err := foreignSocketPath(s.pipe.Name)
	if err != nil {
		return
	}
	listener, err := listenForeign(path, s.descriptor.OpenToOthers(s.descriptor.Owner))
	if err != nil {
		return
	}
	f := &foreignDoor{door: listener, path: path, access: foreignAccess(s.pipe.Direction)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.foreign != nil {
		f.close()
		return
	}
	s.foreign = f
	s.workers.Go(func() { s.acceptForeign(f) })
}

// foreignAccess returns what a client end that reads and writes needs.
func foreignAccess(d npfs.Direction) npfs.Access {
	switch d {
	case npfs.Inbound:
		return npfs.GenericWrite
	case npfs.Outbound:
		return npfs.GenericRead
	}
	return npfs.GenericRead | npfs.GenericWrite
}

// listenForeign listens at the path. A socket of this user that nobody listens at is replaced.
func listenForeign(path string, openToOthers bool) (*net.UnixListener, error) {
	address := &net.UnixAddr{Name: path, Net: "unix"}
	l, err := net.ListenUnix("unix", address)
	if errors.Is(err, unix.EADDRINUSE) {
		if err := removeStale(path); err != nil {
			return nil, err
		}
		l, err = net.ListenUnix("unix", address)
	}
	if err != nil {
		return nil, err
	}
	mode := fs.FileMode(0o600)
	if openToOthers {
		mode = 0o666
	}
	if err := os.Chmod(path, mode); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// removeStale removes a dead socket of this user.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket || ownerOf(info) != os.Geteuid() {
		return fmt.Errorf("%s is not ours: %w", path, winerr.AccessDenied)
	}
	if answers(path) {
		return fmt.Errorf("another program listens at %s: %w", path, winerr.AccessDenied)
	}
	return os.Remove(path)
}

// foreignPath returns the path of the foreign door; empty if there is none.
func (s *server) foreignPath() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.foreign == nil {
		return ""
	}
	return s.foreign.path
}

// closeForeign removes the foreign door; its goroutine ends.
func (s *server) closeForeign() error {
	s.mu.Lock()
	f := s.foreign
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	return f.close()
}

func (f *foreignDoor) close() error { return f.door.Close() } // which unlinks the socket first

// acceptForeign is the foreign door's goroutine: one client after the other gets an instance. It ends with the server.
func (s *server) acceptForeign(f *foreignDoor) {
	pause := newPause()
	for s.awaitListening() {
		conn, err := f.door.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			if !s.rest(pause) {
				return
			}
			continue
		}
		pause = newPause()
		if !s.track(conn) {
			conn.Close()
			return
		}
		if err := s.serveForeign(f, conn); err != nil {
			conn.Close() // there is no way to tell the client more
		}
		s.untrack(conn)
	}
}

// awaitListening waits until an instance is LISTENING. It reports false if the server is closed first.
func (s *server) awaitListening() bool {
	for {
		s.mu.Lock()
		ready, changed, closed := len(s.listening) > 0, s.changed, s.closed
		s.mu.Unlock()
		if closed || ready {
			return !closed
		}
		select {
		case <-changed:
		case <-s.done:
			return false
		}
	}
}

// serveForeign gives the client the next instance, as soon as there is one.
func (s *server) serveForeign(f *foreignDoor, conn *net.UnixConn) error {
	client, err := peerIdentity(conn)
	if err != nil {
		return err
	}
	if _, err := s.admit(client, f.access); err != nil {
		return err
	}
	for s.awaitListening() {
		in, err := s.takeFor(conn)
		if errors.Is(err, winerr.PipeNotAvailable) {
			continue // somebody was faster
		}
		if err != nil {
			return err
		}
		switch err := in.serveStream(conn, client); err {
		case nil:
			in.arrived()
			return nil
		case errNotListening:
		default:
			return err
		}
	}
	return net.ErrClosed
}

// serveStream connects a foreign client.
func (in *Instance) serveStream(conn *net.UnixConn, client *identity) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.state != listening {
		return errNotListening
	}
	held, err := in.held(client, 0, func() (connection, error) {
		s := newStream(conn, in.access, in.config.OutQuota)
		s.noWait.Store(in.modes.NoWait)
		return s, nil
	})
	if err != nil {
		in.server.giveBack(in)
		return err
	}
	return in.attach(held, client)
}

// openForeign opens the socket of a program that knows only Unix sockets: a .NET server of exactly this name.
func openForeign(ctx context.Context, pipe string, cfg *npfs.OpenConfig) (*Client, error) {
	path, err := foreignSocketPath(pipe)
	if err != nil {
		return nil, winerr.FileNotFound // no such program can have this name
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().Type() != fs.ModeSocket {
		return nil, winerr.FileNotFound
	}
	if err != nil {
		return nil, err
	}
	conn, server, err := dial(ctx, path)
	if err == errDead {
		return nil, winerr.FileNotFound
	}
	if err != nil {
		return nil, err
	}
	if server.uid != ownerOf(info) {
		err = fmt.Errorf("%s belongs to user %s but user %s listens there: %w", path, userName(ownerOf(info)), server.userName(), winerr.AccessDenied)
	}
	if err := errors.Join(err, expectOwner(server, cfg.ExpectOwner)); err != nil {
		conn.Close()
		return nil, err
	}
	access := cfg.Access.Specific() | npfs.Synchronize | npfs.ReadAttributes
	return foreignClient(newStream(conn, access, 0), access, server), nil
}

// foreignClient wraps a stream as a client end.
func foreignClient(s *stream, access npfs.Access, server *identity) *Client {
	return &Client{
		connection: s, access: access, server: server,
		info: npfs.Info{Type: npfs.Byte, Direction: npfs.Duplex, MaxInstances: npfs.UnlimitedInstances, Instances: 1},
	}
}

// waitForeign is Wait when no server of ours has the name. A foreign server can't be asked whether it is free: if it is there, it
// is time to open.
func waitForeign(pipe string) error {
	path, err := foreignSocketPath(pipe)
	if err != nil || !answersAsSocket(path) {
		return winerr.FileNotFound
	}
	return nil
}

func answersAsSocket(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().Type() == fs.ModeSocket && answers(path)
}
