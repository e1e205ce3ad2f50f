//go:build linux || darwin || freebsd

package local

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
)

// bell is the doorbell of one end: the Unix socket to the other process. A byte on it wakes whoever sleeps here; its
// end means that the other process has let go.
//
// Of all sleepers of an end one, the leader, is parked in the runtime's poller on the socket; the others follow on
// channels. Whenever the leader wakes it wakes all followers, and the first that still has to wait leads next. So there is
// no goroutine and no thread for a waiting end.
type bell struct {
	sock *net.UnixConn // owned
	raw  syscall.RawConn
	end  *npfs.End

	// stirs counts what happened on this side that sleepers must look at: Close, deadlines, operations completed by
	// another caller. It grows before they are woken.
	stirs atomic.Uint64

	ringFunc func(fd uintptr) bool

	mu         sync.Mutex               // guards all below
	leading    bool                     // a leader is parked or about to
	leaderWant uint32                   // what it waits for
	followers  map[chan struct{}]uint32 // what each follower waits for; nil until there is one
	hearFunc   func(fd uintptr) bool    // used by the leader only
	ended      bool                     // written by hear for the leader: the other process let go
}

// stroke is what goes over the socket to ring.
var stroke = []byte{1}

func newBell(sock *net.UnixConn) (*bell, error) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return nil, err
	}
	b := &bell{sock: sock, raw: raw}
	b.ringFunc = func(fd uintptr) bool {
		// A full socket has unheard rings in it, and a dead peer needs none.
		_ = unix.Send(int(fd), stroke, unix.MSG_DONTWAIT|sendNoSignal)
		return true
	}
	b.hearFunc = b.hear
	return b, nil
}

// hear takes the rings off the socket. Their number and content mean nothing.
func (b *bell) hear(fd uintptr) bool {
	var scratch [16]byte
	n, err := unix.Read(int(fd), scratch[:])
	if err == unix.EAGAIN || err == unix.EINTR {
		return false
	}
	b.ended = n <= 0
	return true
}

// ring wakes the other process. It does not block.
func (b *bell) ring() { _ = b.raw.Write(b.ringFunc) }

// alive asks the kernel whether the other process still holds its socket.
func (b *bell) alive() bool {
	alive := true
	err := b.raw.Control(func(fd uintptr) {
		poll := []unix.PollFd{{Fd: int32(fd)}}
		if n, err := unix.Poll(poll, 0); err == nil && n > 0 {
			alive = poll[0].Revents&(unix.POLLHUP|unix.POLLERR) == 0
		}
	})
	return err == nil && alive
}

// enlist announces that s will sleep, and what for: as the leader if there is none. Look once more after it; then s must sleep or
// resign.
func (b *bell) enlist(s *sleeper, want uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.leading {
		s.woken = make(chan struct{})
		if b.followers == nil {
			b.followers = make(map[chan struct{}]uint32)
		}
		b.followers[s.woken] = want
	} else {
		s.woken = nil
		b.leading, b.leaderWant = true, want
	}
	b.announce()
}

// sleep parks a sleeper that has enlisted, until the other end rings or something stirs here.
func (b *bell) sleep(s *sleeper) {
	if s.woken != nil {
		<-s.woken
	} else {
		b.abdicate(b.raw.Read(b.hearFunc))
	}
}

// resign takes back what enlist did.
func (b *bell) resign(s *sleeper) {
	if s.woken == nil {
		b.abdicate(nil)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.followers, s.woken)
}

// abdicate ends the leader's sleep, which err ended if it is not nil, and wakes all.
func (b *bell) abdicate(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil { // kicked by stir
		_ = b.sock.SetReadDeadline(time.Time{})
	}
	if b.ended {
		b.end.PeerGone()
	}
	b.leading, b.leaderWant = false, 0
	b.end.Awake()
	b.wakeFollowers()
}

// announce publishes what all sleepers together wait for. mu is held.
func (b *bell) announce() {
	want := b.leaderWant
	for _, w := range b.followers {
		want |= w
	}
	b.end.Sleep(want)
}

// stir makes every sleeper of this end look again. What they shall see must have been stored before.
func (b *bell) stir() {
	b.stirs.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.leading {
		_ = b.sock.SetReadDeadline(time.Unix(1, 0))
	}
	b.wakeFollowers()
}

func (b *bell) wakeFollowers() {
	for woken := range b.followers {
		delete(b.followers, woken)
		close(woken)
	}
}
