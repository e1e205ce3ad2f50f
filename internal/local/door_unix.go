//go:build linux || darwin || freebsd

package local

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
	"github.com/anypipe/anypipe/internal/wire"
)

// acceptAll is the door's goroutine. It ends when the door is closed; leave does that.
func (s *server) acceptAll() {
	pause := newPause()
	for {
		select {
		case s.slots <- struct{}{}:
		case <-s.done:
			return
		}
		conn, err := s.door.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors or memory: leave the client in the kernel's queue for a moment
			<-s.slots
			letGoOfLines()
			if !s.rest(pause) {
				return
			}
			continue
		}
		pause = newPause()
		client, err := peerIdentity(conn) // before looking for the request, which may come meanwhile
		switch {
		case err != nil:
			conn.Close()
			<-s.slots
		case s.pipe.MaxInstances == npfs.UnlimitedInstances && asksToOpen(conn): // nothing to wait for: no goroutine is needed
			s.serve(conn, client, false)
		default:
			s.workers.Go(func() { s.serve(conn, client, true) })
		}
	}
}

// rest pauses and reports whether the server is still there.
func (s *server) rest(p *pause) bool {
	t := time.NewTimer(p.d)
	defer t.Stop()
	p.d = min(p.d*2, 20*time.Millisecond)
	select {
	case <-t.C:
		return true
	case <-s.done:
		return false
	}
}

// serve handles one client at the door: one request and its answer. It holds one of s.slots, except while the
// client waits for an instance. waits is false if the whole request is known to be there.
func (s *server) serve(conn *net.UnixConn, client *identity, waits bool) {
	holding := true
	release := func() {
		if holding {
			<-s.slots
			holding = false
		}
	}
	defer release()
	if !s.track(conn) {
		conn.Close()
		return
	}
	handed := false
	defer func() {
		s.untrack(conn)
		if !handed {
			conn.Close()
		}
	}()
	if waits {
		conn.SetDeadline(time.Now().Add(handshakeTimeout))
	}
	request, err := s.hear(conn, client)
	if errors.Is(err, wire.ErrVersion) { // an answer in our version tells the client which one that is
		wire.Write(conn, &wire.Opened{Status: winerr.NotSupported.Status, Text: err.Error()})
	}
	if err != nil {
		return // mostly a probe: somebody who wanted to know whether we live
	}
	switch m := request.(type) {
	case *wire.Open:
		if waits {
			conn.SetDeadline(time.Time{}) // what follows does not wait
		}
		handed = s.open(&line{sock: conn, peer: client}, m)
	case *wire.Wait:
		release()
		s.wait(conn, client, m)
	case *wire.Query:
		wire.Write(conn, s.describe()) // an error means that the client is gone
	case *wire.Nudge:
		if client.uid == s.claim.owner || client.uid == 0 {
			s.wake(&wire.Changed{})
		}
	}
}

// track registers conn to be closed with the server. It reports false if that is closed already.
func (s *server) track(conn *net.UnixConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.conns[conn] = struct{}{}
	}
	return !s.closed
}

func (s *server) untrack(conn *net.UnixConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}

// open serves an Open frame. It reports whether the line now belongs to a connection.
func (s *server) open(l *line, m *wire.Open) bool {
	granted, err := s.admit(l.peer, m.Access)
	for err == nil {
		var in *Instance
		if in, err = s.takeFor(l.sock); err != nil {
			break
		}
		err = in.serveClient(l, granted)
		if err == nil {
			in.arrived()
			return true
		}
		if errors.Is(err, errNotListening) { // its owner closed or disconnected it at this moment
			err = nil
		}
	}
	refusal := &wire.Opened{Status: status(err), Text: refusalText(err)}
	_ = l.send(refusal, nil) // an error means that the client is gone
	return false
}

// refusalText returns the words for the client, if there is more to say than what the status says.
func refusalText(err error) string {
	if _, bare := err.(*winerr.Error); bare {
		return ""
	}
	text := err.Error()
	return strings.ToValidUTF8(text[:min(len(text), wire.MaxText)], "")
}

// takeFor takes an instance for a client that is still there.
func (s *server) takeFor(conn *net.UnixConn) (*Instance, error) {
	if hungUp(conn) {
		return nil, io.EOF
	}
	if in := s.take(); in != nil {
		return in, nil
	}
	return nil, winerr.PipeNotAvailable
}

// admit checks a client against the descriptor and the direction, and returns the rights that its end gets.
func (s *server) admit(client *identity, want npfs.Access) (npfs.Access, error) {
	granted, err := s.descriptor.CheckOpen(client.token(), want)
	if err != nil {
		return 0, err
	}
	switch d := s.pipe.Direction; {
	case d == npfs.Inbound && granted&npfs.ReadData != 0:
		return 0, fmt.Errorf("the pipe is inbound, its clients only write: open it for writing alone: %w", winerr.AccessDenied)
	case d == npfs.Outbound && granted&npfs.WriteData != 0:
		return 0, fmt.Errorf("the pipe is outbound, its clients only read: open it for reading alone: %w", winerr.AccessDenied)
	}
	return granted, s.mayHold(client)
}

// describe answers a Query frame.
func (s *server) describe() *wire.Described {
	instances, listening := s.counts()
	return &wire.Described{
		Name: s.pipe.Name, Type: s.pipe.Type, Direction: s.pipe.Direction, MaxInstances: uint32(s.pipe.MaxInstances),
		DefaultTimeout: uint32(s.pipe.DefaultTimeoutMS), Instances: uint32(instances), Listening: uint32(listening),
		PID: uint32(os.Getpid()), SDDL: s.pipe.SDDL, Path: s.foreignPath(),
	}
}

// A waiter is a client in a Wait. Whoever takes it out of s.waiters sets verdict first, which s.mu guards, and wakes its
// goroutine by the read deadline.
type waiter struct {
	conn    *net.UnixConn
	uid     int
	foreign bool // neither the pipe's owner nor root
	verdict wire.Message
}

// wait serves a Wait frame until there is an answer or the client or the server is gone.
func (s *server) wait(conn *net.UnixConn, client *identity, m *wire.Wait) {
	timeout := m.Duration(s.pipe.defaultTimeout())
	conn.SetReadDeadline(time.Time{})
	if timeout >= 0 {
		conn.SetReadDeadline(time.Now().Add(timeout))
	}
	w := &waiter{conn: conn, uid: client.uid, foreign: s.foreigner(client)}
	if s.register(w) {
		if wire.Write(conn, &wire.Waiting{}) == nil {
			// Nothing is to come from the client: the read ends with its hang-up, the timeout, or a verdict.
			var b [1]byte
			_, err := conn.Read(b[:])
			s.settle(w, errors.Is(err, os.ErrDeadlineExceeded))
		} else {
			s.settle(w, false)
		}
	}
	if w.verdict != nil {
		conn.SetWriteDeadline(time.Now().Add(handshakeTimeout))
		wire.Write(conn, w.verdict) // an error means that the client is gone
	}
}

// register adds a waiter, or sets its verdict at once and reports false.
func (s *server) register(w *waiter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(s.listening) > 0:
		w.verdict = &wire.Woken{}
	case w.foreign && (s.foreignWaits() >= maxForeignWaits || s.waitsOf(w.uid) >= maxUserWaits):
		w.verdict = &wire.Woken{Status: winerr.PipeNotAvailable.Status}
	default:
		s.waiters[w] = struct{}{}
		return true
	}
	return false
}

// foreignWaits counts the waits of other users. s.mu must be held.
func (s *server) foreignWaits() int {
	n := 0
	for w := range s.waiters {
		if w.foreign {
			n++
		}
	}
	return n
}

// settle removes a waiter whose read has ended; if nobody gave a verdict, a timeout is one.
func (s *server) settle(w *waiter, timeout bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiters, w)
	if w.verdict == nil && timeout {
		w.verdict = &wire.Woken{Status: winerr.SemTimeout.Status}
	}
}

// wake ends all waits with the same verdict.
func (s *server) wake(verdict wire.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeLocked(verdict)
}

func (s *server) wakeLocked(verdict wire.Message) {
	for w := range s.waiters {
		w.verdict = verdict
		w.conn.SetReadDeadline(time.Unix(1, 0))
	}
	clear(s.waiters)
	close(s.changed)
	s.changed = make(chan struct{})
}

// openLimit is how long the door looks for a request that a client sends right after connecting. To start a goroutine that waits
// for it takes longer.
const openLimit = 20 * time.Microsecond

// asksToOpen reports whether a whole Open frame has arrived, or does in a moment, without taking it.
func asksToOpen(conn *net.UnixConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	ready := false
	err = raw.Control(func(fd uintptr) {
		var b [wire.OpenSize]byte
		pollBriefly(openLimit, func() bool {
			n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			ready = err == nil && n == len(b) && wire.IsOpen(b)
			return err != unix.EAGAIN
		})
	})
	return err == nil && ready
}

// hungUp reports whether the other end of the socket is closed and has left nothing to read.
func hungUp(conn *net.UnixConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		gone = n == 0 && err == nil || err != nil && err != unix.EAGAIN && err != unix.EINTR
	})
	return gone || err != nil
}
