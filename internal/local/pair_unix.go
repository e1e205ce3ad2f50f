//go:build linux || darwin || freebsd

package local

import (
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
)

// Rights of the two ends of an anonymous pipe, as CreatePipe grants them.
const (
	readEndAccess  = npfs.ReadData | npfs.ReadEA | npfs.ReadAttributes | npfs.ReadControl | npfs.Synchronize
	writeEndAccess = npfs.WriteData | npfs.CreatePipeInstance | npfs.WriteEA | npfs.ReadAttributes | npfs.WriteAttributes |
		npfs.ReadControl | npfs.Synchronize
)

// Half is one end of an anonymous pipe.
type Half struct {
	*link
}

// Pair makes an anonymous byte pipe with the given quota, as CreatePipe does: data flows from the write end, which is
// the client end, to the read end, which is the server end.
func Pair(quota int) (read, write *Half, err error) {
	serverSock, clientSock, err := socketPair()
	if err != nil {
		return nil, nil, err
	}
	config := linkConfig{Type: npfs.Byte, Direction: npfs.Inbound, InQuota: quota, OutQuota: quota, Access: readEndAccess}
	r, err := newRegion(quota, quota)
	if err != nil {
		serverSock.Close()
		clientSock.Close()
		return nil, nil, err
	}
	defer r.file.Close()
	server, err := newServerLink(serverSock, r, config)
	if err != nil {
		serverSock.Close()
		clientSock.Close()
		return nil, nil, err
	}
	config.Access = writeEndAccess
	client, err := newClientLink(clientSock, r.file, config)
	if err != nil {
		server.Close()
		clientSock.Close()
		return nil, nil, err
	}
	return &Half{server}, &Half{client}, nil
}

// socketPair returns two connected Unix sockets.
func socketPair() (a, b *net.UnixConn, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
	}
	if a, err = unixConn(fds[0]); err != nil {
		unix.Close(fds[1])
		return nil, nil, err
	}
	if b, err = unixConn(fds[1]); err != nil {
		a.Close()
		return nil, nil, err
	}
	return a, b, nil
}

// unixConn takes ownership of fd, a connected Unix socket.
func unixConn(fd int) (*net.UnixConn, error) {
	f := os.NewFile(uintptr(fd), "unix socket")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return c.(*net.UnixConn), nil
}

// Type returns the pipe's type.
func (h *Half) Type() npfs.Mode { return npfs.Byte }

// Info describes the end: one instance, one name that nobody knows.
func (h *Half) Info() (npfs.Info, error) {
	if err := h.allow(npfs.ReadAttributes); err != nil {
		return npfs.Info{}, err
	}
	h.release()
	s := h.Status()
	return npfs.Info{
		Type: npfs.Byte, Direction: npfs.Inbound, MaxInstances: 1, Instances: 1,
		InQuota: h.config.InQuota, OutQuota: h.config.OutQuota, Server: h.config.Server,
		Modes: s.Modes, State: s.State, Readable: s.Readable, WriteQuota: s.WriteQuota, RejectRemote: true,
	}, nil
}

// Peer is this process itself.
func (h *Half) Peer() (npfs.Peer, error) { return selfPeer() }
