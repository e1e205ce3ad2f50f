//go:build linux || darwin || freebsd

package local

import (
	"fmt"
	"net"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/winerr"
	"github.com/anypipe/anypipe/internal/wire"
)

// What one user who is neither a pipe's owner nor root can have of a server process, so that others get what they need.
const (
	// maxUserHandshakes bounds the requests that a user has begun and not sent. An honest client sends its request right
	// after connecting, so it has none worth counting.
	maxUserHandshakes = 16
	// maxUserWaits bounds the waits at one door.
	maxUserWaits = 64
	// maxUserConnections bounds the connections; a quarter of the process' descriptors if that is less.
	maxUserConnections = 1024
	// maxUserMemory bounds the regions' sizes together. The region that goes beyond it is the last one.
	maxUserMemory = 1 << 30
)

// share is what one user has of this process.
type share struct {
	handshakes, connections, memory int
}

// shares holds the share of each foreign user who has any. It is package state because descriptors and memory are the
// process'.
var shares = struct {
	mu    sync.Mutex
	users map[int]share
}{users: map[int]share{}}

// changeShare adds to a user's share, if allowed says so.
func changeShare(uid int, by share, allowed func(share) bool) bool {
	shares.mu.Lock()
	defer shares.mu.Unlock()
	has := shares.users[uid]
	if allowed != nil && !allowed(has) {
		return false
	}
	has.handshakes += by.handshakes
	has.connections += by.connections
	has.memory += by.memory
	shares.users[uid] = has
	if has == (share{}) {
		delete(shares.users, uid)
	}
	return true
}

// foreigner reports whether a client is neither the pipe's owner nor root.
func (s *server) foreigner(client *identity) bool {
	return client.uid != s.claim.owner && client.uid != 0
}

// hear reads a client's request. A user with too many unfinished ones is turned away unheard.
func (s *server) hear(conn *net.UnixConn, client *identity) (wire.Message, error) {
	if s.foreigner(client) {
		few := func(has share) bool { return has.handshakes < maxUserHandshakes }
		if !changeShare(client.uid, share{handshakes: 1}, few) {
			// By number, as looking up a name takes longer than all the rest.
			err := fmt.Errorf("user %d has %d unfinished requests: %w", client.uid, maxUserHandshakes, winerr.PipeNotAvailable)
			wire.Write(conn, &wire.Opened{Status: status(err), Text: refusalText(err)}) // an error means that the client is gone
			return nil, err
		}
		defer changeShare(client.uid, share{handshakes: -1}, nil)
	}
	return wire.Read(conn)
}

// waitsOf counts a user's waits. s.mu must be held.
func (s *server) waitsOf(uid int) int {
	n := 0
	for w := range s.waiters {
		if w.uid == uid {
			n++
		}
	}
	return n
}

// mayHold returns an error if a user has all the connections that it may have.
func (s *server) mayHold(client *identity) error {
	if !s.foreigner(client) {
		return nil
	}
	shares.mu.Lock()
	has := shares.users[client.uid]
	shares.mu.Unlock()
	return overShare(client.uid, has)
}

// overShare returns an error if a user who has that much may have no connection more.
func overShare(uid int, has share) error {
	most := maxUserConnections
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err == nil {
		most = int(min(uint64(most), uint64(files.Cur)/4))
	}
	if has.connections < most && has.memory < maxUserMemory {
		return nil
	}
	return fmt.Errorf("user %d has %d connections with %d MiB to the process already, of at most %d with %d MiB", uid,
		has.connections, has.memory>>20, most, maxUserMemory>>20)
}

// hold counts a connection of the client's user until letGo is called, or returns an error if there are too many.
func (s *server) hold(client *identity, memory int) (letGo func(), err error) {
	if !s.foreigner(client) {
		return func() {}, nil
	}
	held := share{connections: 1, memory: memory}
	if !changeShare(client.uid, held, func(has share) bool { err = overShare(client.uid, has); return err == nil }) {
		return nil, err
	}
	var once sync.Once
	return func() {
		once.Do(func() { changeShare(client.uid, share{connections: -held.connections, memory: -held.memory}, nil) })
	}, nil
}

// A heldConnection gives back a user's share when it ends.
type heldConnection struct {
	connection
	letGo func()
}

func (h *heldConnection) Close() error {
	defer h.letGo()
	return h.connection.Close()
}

func (h *heldConnection) Disconnect() error {
	defer h.letGo()
	return h.connection.Disconnect()
}

// held makes a connection by connect, if its client may have one more with that much memory. in.mu must be held.
func (in *Instance) held(client *identity, memory int, connect func() (connection, error)) (connection, error) {
	letGo, err := in.server.hold(client, memory)
	if err != nil {
		return nil, err
	}
	conn, err := connect()
	if err != nil {
		letGo()
		return nil, err
	}
	if in.server.foreigner(client) {
		conn = &heldConnection{conn, letGo}
	}
	return conn, nil
}
