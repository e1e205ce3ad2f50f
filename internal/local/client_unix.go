//go:build linux || darwin || freebsd

package local

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os/user"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/sddl"
	"github.com/anypipe/anypipe/internal/winerr"
	"github.com/anypipe/anypipe/internal/wire"
)

// A Client is a client end.
type Client struct {
	connection
	info        npfs.Info // what does not change
	access      npfs.Access
	server      *identity
	claim       *claim // nil if the server is none of ours
	incarnation string // of the claim, to know it again
	closed      atomic.Bool
}

// newClient makes a client end of a door's answer, over a line and a region, which it owns if there is no error.
func newClient(c *claim, l *freeLine, mem []byte, m *wire.Opened, noPolling bool) (*Client, error) {
	link, err := newLink(l.sock, mem, linkConfig{
		Type: m.Type, Direction: m.Direction, Modes: npfs.Modes{Read: m.ReadMode},
		InQuota: int(m.InQuota), OutQuota: int(m.OutQuota), Access: m.Access, NoPolling: noPolling,
	})
	if err != nil {
		return nil, err
	}
	server := l.peer
	if m.Keeps && linesAreKept {
		link.keep = func(kept *line) bool {
			kept.peer = server
			shelve(&freeLine{line: kept, door: l.door, self: l.self})
			return true
		}
	}
	return &Client{
		connection: link, access: m.Access, server: server, claim: c, incarnation: m.Incarnation,
		info: npfs.Info{
			Type: m.Type, Direction: m.Direction, MaxInstances: int(m.MaxInstances),
			InQuota: int(m.InQuota), OutQuota: int(m.OutQuota), RejectRemote: m.RejectRemote,
		},
	}, nil
}

// Type returns the pipe's type, without asking anybody.
func (c *Client) Type() npfs.Mode { return c.info.Type }

// Info is GetNamedPipeInfo.
func (c *Client) Info() (npfs.Info, error) {
	status, err := c.alive()
	if err != nil {
		return npfs.Info{}, err
	}
	if c.access&npfs.ReadAttributes == 0 {
		return npfs.Info{}, winerr.AccessDenied
	}
	info := c.info
	fillStatus(&info, status)
	if c.claim != nil {
		info.Instances, err = c.instances()
	}
	return info, err
}

// alive returns the connection's status, unless this end is closed or the server disconnected it.
func (c *Client) alive() (npfs.Status, error) {
	if c.closed.Load() {
		return npfs.Status{}, net.ErrClosed
	}
	status := c.Status()
	if status.State == npfs.Disconnected {
		return status, winerr.PipeNotConnected
	}
	return status, nil
}

// instances counts the server instances of the pipe; if the name is another's by now, there are none.
func (c *Client) instances() (int, error) {
	fixed, err := c.claim.readPipeFile()
	if errors.Is(err, fs.ErrNotExist) || err == nil && fixed.Incarnation != c.incarnation {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := c.claim.count("")
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return n, err
}

// Peer tells who the server is.
func (c *Client) Peer() (npfs.Peer, error) {
	if _, err := c.alive(); err != nil {
		return npfs.Peer{}, err
	}
	return c.server.peer(), nil
}

// Close closes the end. A second Close returns net.ErrClosed.
func (c *Client) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	return c.connection.Close()
}

// expectOwner checks that the server's user is the one the client expects: a SID or a user name. The claim's owner and
// the socket's owner have been compared with the server before.
func expectOwner(server *identity, expected string) error {
	if expected == "" || strings.EqualFold(expected, sddl.UserSID(server.uid).String()) {
		return nil
	}
	if sid, err := sddl.ParseSID(expected); err == nil {
		if server.uid == 0 && (sid == sddl.LocalSystem || sid == sddl.Administrators) {
			return nil // who root is
		}
	} else if u, err := user.Lookup(expected); err == nil && u.Uid == strconv.Itoa(server.uid) {
		return nil
	}
	return fmt.Errorf("the pipe belongs to user %s (%s), not to %s: %w", server.userName(), sddl.UserSID(server.uid), expected, winerr.AccessDenied)
}
