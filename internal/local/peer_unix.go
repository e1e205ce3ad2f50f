//go:build linux || darwin || freebsd

package local

import (
	"os/user"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/sddl"
)

// identity is who the kernel says is at the other end of a socket: a client at the moment of connect, a server at the
// moment of listen. It is taken once, so it stays right after the process is gone.
type identity struct {
	pid      int // 0 if the system does not tell
	uid, gid int
	groups   []int // supplementary groups; may hold gid
	session  int   // 0 if unknown

	name string // see userName
	once sync.Once
}

// newIdentity completes what the system told.
func newIdentity(pid, uid, gid int, groups []int) *identity {
	id := &identity{pid: pid, uid: uid, gid: gid, groups: groups}
	if pid > 0 {
		if sid, err := unix.Getsid(pid); err == nil {
			id.session = sid
		}
	}
	return id
}

// token returns the identity as descriptors judge it.
func (id *identity) token() sddl.Token {
	return sddl.UnixToken(id.uid, append([]int{id.gid}, id.groups...))
}

func (id *identity) peer() npfs.Peer {
	return npfs.Peer{
		PID: id.pid, Session: id.session, UID: id.uid, GID: id.gid, Groups: id.groups,
		SID: sddl.UserSID(id.uid).String(), User: id.userName(),
	}
}

// userName returns the user's name, looked up when first asked for.
func (id *identity) userName() string {
	id.once.Do(func() { id.name = userName(id.uid) })
	return id.name
}

// userName returns the user's name, or the number if there is none.
func userName(uid int) string {
	number := strconv.Itoa(uid)
	if u, err := user.LookupId(number); err == nil {
		return u.Username
	}
	return number
}

// selfPeer returns this process as the other end of its own pipes.
func selfPeer() (npfs.Peer, error) { return self().peer(), nil }
