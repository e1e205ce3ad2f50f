//go:build linux || darwin || freebsd

package local

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/sddl"
	"github.com/anypipe/anypipe/internal/winerr"
	"github.com/anypipe/anypipe/internal/wire"
)

// A server is what this process has of one pipe name: its instances, the door where clients come, and who waits. It lives from
// the first instance of the process to the last.
//
// Lock order: process.mu, Instance.mu, server.mu. Nothing is waited for under any of them.
type server struct {
	claim      *claim
	id         string // of the door and live files
	pipe       *pipeFile
	descriptor *sddl.Descriptor
	door       *net.UnixListener
	live       *os.File
	slots      chan struct{} // one token per half-open handshake
	done       chan struct{} // closed when the last instance is gone
	workers    sync.WaitGroup

	mu        sync.Mutex
	shown     []byte // the live file, mapped; nil once the process has left the claim
	closed    bool
	instances map[*Instance]struct{}
	listening []*Instance   // oldest first, by the moment of entering LISTENING
	changed   chan struct{} // closed and replaced when an instance enters LISTENING
	waiters   map[*waiter]struct{}
	conns     map[*net.UnixConn]struct{} // being served at the door; closed with the server
	spare     *region                    // made ahead for the next client; nil if there is none
	foreign   *foreignDoor               // nil if programs that know only Unix sockets are not served
}

const (
	maxHandshakes    = 64              // half-open handshakes per door; more wait in the kernel's queue
	maxForeignWaits  = 256             // waits per door of users who are neither the owner nor root
	handshakeTimeout = 5 * time.Second // to send a request or take an answer
	leaveTimeout     = 2 * time.Second // to get the lock for cleaning up
)

// ownPID is this process, which never changes: Go programs don't fork without exec.
var ownPID = uint32(os.Getpid())

// openServer opens this process' door. The claim's lock must be held.
func openServer(c *claim, pipe *pipeFile, d *sddl.Descriptor, openToOthers bool) (*server, error) {
	s := &server{
		claim: c, id: newID(), pipe: pipe, descriptor: d,
		slots: make(chan struct{}, maxHandshakes), done: make(chan struct{}),
		instances: map[*Instance]struct{}{}, changed: make(chan struct{}),
		waiters: map[*waiter]struct{}{}, conns: map[*net.UnixConn]struct{}{},
	}
	files, sockets := fs.FileMode(0o600), fs.FileMode(0o600)
	if openToOthers {
		files, sockets = 0o644, 0o666
	}
	if err := s.openFiles(files, sockets); err != nil {
		return nil, errors.Join(err, s.removeFiles())
	}
	process.mu.Lock()
	process.servers[c.path] = s
	process.mu.Unlock()
	s.workers.Go(s.acceptAll)
	return s, nil
}

// openFiles makes the live file and then the door, so that every door has a live file. Modes are set after the fact, as
// the umask cuts them; until then nobody else gets past the directory.
func (s *server) openFiles(files, sockets fs.FileMode) (err error) {
	name := s.claim.livePath(s.id)
	if s.live, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return err
	}
	if _, err = s.live.WriteAt(s.status().encode(), 0); err != nil { // now the file system has room for it, too
		return err
	}
	if s.shown, err = mapFile(s.live, liveSize); err != nil {
		return err
	}
	s.door, err = net.ListenUnix("unix", &net.UnixAddr{Name: s.claim.doorPath(s.id), Net: "unix"})
	if err != nil {
		return err
	}
	s.door.SetUnlinkOnClose(false) // removeFiles does that, in the right order
	return errors.Join(os.Chmod(name, files), os.Chmod(s.claim.doorPath(s.id), sockets))
}

// removeFiles takes the process out of the claim.
func (s *server) removeFiles() error {
	var errs []error
	if s.door != nil {
		if err := s.door.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.live != nil {
		errs = append(errs, s.live.Close())
	}
	s.mu.Lock()
	if s.shown != nil {
		unmapRegion(s.shown)
		s.shown = nil
	}
	s.mu.Unlock()
	for _, name := range []string{s.claim.doorPath(s.id), s.claim.livePath(s.id)} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// status returns what the live file is to say. s.mu must be held, or s not be shared yet.
func (s *server) status() liveFile {
	l := liveFile{pid: ownPID, instances: uint32(len(s.instances))}
	if len(s.listening) > 0 {
		l.ticket = s.listening[0].ticket
	}
	return l
}

// publish brings the live file up to date: two stores, as this happens several times for each client. s.mu must be held.
func (s *server) publish() {
	if s.shown != nil {
		s.status().store(s.shown)
	}
}

// add takes a new instance in, LISTENING. The claim's lock must be held. It reports false if the server is at its end.
func (s *server) add(in *Instance) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.instances[in] = struct{}{}
	s.listenLocked(in)
	return true
}

// replace puts a new instance, LISTENING, in the place of one that is about to be closed.
func (s *server) replace(old, fresh *Instance) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, here := s.instances[old]; !here || s.closed {
		return net.ErrClosed
	}
	delete(s.instances, old)
	s.dequeue(old)
	s.instances[fresh] = struct{}{}
	s.listenLocked(fresh)
	return nil
}

// listen puts an instance that has become LISTENING at the end of the queue and wakes all who wait for one.
func (s *server) listen(in *Instance) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.listenLocked(in)
	return nil
}

func (s *server) listenLocked(in *Instance) {
	in.ticket = monotonic()
	s.listening = append(s.listening, in)
	s.wakeLocked(&wire.Woken{})
	s.publish()
}

// unlisten takes an instance that is LISTENING no more out of the queue.
func (s *server) unlisten(in *Instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dequeue(in)
	s.publish()
}

// dequeue removes an instance from the queue of those LISTENING, if it is there. s.mu must be held.
func (s *server) dequeue(in *Instance) {
	if i := slices.Index(s.listening, in); i >= 0 {
		s.listening = slices.Delete(s.listening, i, i+1)
	}
}

// giveBack returns an instance that take gave and no client got to the front of the queue.
func (s *server) giveBack(in *Instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, here := s.instances[in]; !here {
		return // closed meanwhile
	}
	s.listening = slices.Insert(s.listening, 0, in)
	s.wakeLocked(&wire.Woken{})
	s.publish()
}

// take removes the instance that has been LISTENING longest from the queue and returns it, or nil.
func (s *server) take() *Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.listening) == 0 {
		return nil
	}
	in := s.listening[0]
	s.listening = slices.Delete(s.listening, 0, 1)
	s.publish()
	return in
}

// leave removes a closed instance. With the last one the process leaves the name, and with the last process
// the name is free when leave returns.
func (s *server) leave(in *Instance) error {
	process.mu.Lock()
	s.mu.Lock()
	if s.closed { // in was never added
		s.mu.Unlock()
		process.mu.Unlock()
		return nil
	}
	delete(s.instances, in)
	s.dequeue(in)
	s.publish()
	last := len(s.instances) == 0
	if last {
		s.closed = true
		if process.servers[s.claim.path] == s {
			delete(process.servers, s.claim.path)
		}
		s.door.Close() // from here on connections are refused: the process counts as gone
	}
	s.mu.Unlock()
	process.mu.Unlock()
	if last {
		return s.end()
	}
	return nil
}

// end takes the process out of the namespace, then sends everyone at the door away and joins the goroutines.
func (s *server) end() error {
	close(s.done)
	hangUp(s) // first, as the rest needs descriptors
	err := errors.Join(s.closeForeign(), s.removeFiles(), s.freeName())
	s.mu.Lock()
	for conn := range s.conns {
		conn.Close()
	}
	if s.spare != nil {
		s.spare.drop()
		s.spare = nil
	}
	s.mu.Unlock()
	s.workers.Wait()
	return err
}

// freeName removes the claim if no other process serves it. If the lock can't be had the claim stays as a dead one, which
// blocks nobody of this user.
func (s *server) freeName() error {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	unlock, err := s.claim.lock(ctx)
	if errors.Is(err, errClaimGone) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	if err != nil {
		return err
	}
	living, err := s.claim.sweep("")
	if err == nil && len(living) == 0 {
		err = s.claim.remove()
	}
	return errors.Join(err, unlock())
}

// regionFor returns the line's region, if it has one that fits, or one that no client has had.
func (s *server) regionFor(l *line, inQuota, outQuota int) (*region, error) {
	if r := l.region(inQuota, outQuota); r != nil {
		return r, nil
	}
	return s.takeRegion(inQuota, outQuota)
}

// takeRegion returns a region that no client has had: the spare one if it fits.
func (s *server) takeRegion(inQuota, outQuota int) (*region, error) {
	s.mu.Lock()
	r := s.spare
	s.spare = nil
	s.mu.Unlock()
	if r != nil {
		if r.inQuota == inQuota && r.outQuota == outQuota {
			return r, nil
		}
		r.drop()
	}
	if r, err := newRegion(inQuota, outQuota); err == nil {
		return r, nil
	}
	letGoOfLines()
	return newRegion(inQuota, outQuota)
}

// prepareRegion makes the spare region when a connection has ended and others may follow, so that the next client need not
// wait for it. Without one, takeRegion makes it and has the error to report.
func (s *server) prepareRegion(inQuota, outQuota int) {
	s.mu.Lock()
	needed := s.spare == nil && !s.closed && len(s.instances) > 1 // beside the one that is being closed
	s.mu.Unlock()
	if !needed {
		return
	}
	r, err := newRegion(inQuota, outQuota)
	if err != nil {
		return
	}
	s.mu.Lock()
	if s.spare == nil && !s.closed {
		s.spare, r = r, nil
	}
	s.mu.Unlock()
	if r != nil {
		r.drop()
	}
}

// counts returns how many instances this process has and how many of them are LISTENING.
func (s *server) counts() (instances, listening int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.instances), len(s.listening)
}

// instancesOfName adds up the instances in all processes.
func (s *server) instancesOfName() (int, error) {
	own, _ := s.counts()
	others, err := s.claim.count(s.id)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // the last instance was closed meanwhile
	}
	return own + others, err
}

// nudge tells the other processes of the name that this one is there. They are told, not asked: a process that is
// stopped reads it when it goes on.
func (s *server) nudge(others []doorFile) {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	for _, d := range others {
		conn, _, err := dial(ctx, d.path)
		if err != nil {
			continue // it has left, or is flooded
		}
		conn.SetDeadline(time.Now().Add(handshakeTimeout))
		wire.Write(conn, &wire.Nudge{}) // an error means that it has left
		conn.Close()
	}
}

// reachable reports whether the door is still where clients look. Some systems clean up old files in /tmp.
func (s *server) reachable() bool {
	_, err := os.Lstat(s.claim.doorPath(s.id))
	return err == nil
}

// answers reports whether a process listens at the socket. A full queue is an answer.
func answers(socket string) bool {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err == nil {
		conn.Close()
	}
	return !errors.Is(err, unix.ECONNREFUSED) && !errors.Is(err, unix.ENOENT)
}

// status returns the NTSTATUS of an error that a client is told.
func status(err error) uint32 {
	if e, ok := errors.AsType[*winerr.Error](err); ok {
		return e.Status
	}
	const insufficientResources = 0xC000009A
	return insufficientResources
}
