package anypipe

import (
	"net"
	"os/exec"

	"github.com/anypipe/anypipe/internal/local"
)

// anonymous is the address of both ends of a pipe without a name.
type anonymous string

func (a anonymous) Network() string { return "pipe" }
func (a anonymous) String() string  { return string(a) }

// DefaultAnonymousBuffer is the quota of an anonymous pipe made with size 0, as Windows chooses it.
const DefaultAnonymousBuffer = 4096

// Pipe makes an anonymous byte pipe within this process, as CreatePipe does: what is written to write is read from read.
// size is the quota in bytes; 0 means DefaultAnonymousBuffer. The ends can do only their half: writing to read is
// ErrAccessDenied.
func Pipe(size int) (read, write *Conn, err error) {
	if size == 0 {
		size = DefaultAnonymousBuffer
	}
	check := CreateConfig{MaxInstances: 1, InQuota: size, OutQuota: size}
	if err := check.Check(); err != nil {
		return nil, nil, opError("create", nil, nil, err)
	}
	r, w, err := local.Pair(size)
	if err != nil {
		return nil, nil, opError("create", nil, nil, err)
	}
	var addr net.Addr = anonymous("anonymous")
	return NewConn(r, addr, addr), NewConn(w, addr, addr), nil
}

// Spawn starts cmd with its standard input and output redirected to two anonymous pipes and returns a duplex Conn that
// is the other end of both: writes go to the child's standard input, reads come from its standard output, CloseWrite
// ends its input. The pipe is of byte type. The caller closes the Conn and waits for cmd with cmd.Wait.
func Spawn(cmd *exec.Cmd) (*Conn, error) {
	end, err := local.Spawn(cmd)
	if err != nil {
		return nil, opError("spawn", nil, nil, err)
	}
	addr := anonymous("stdio of " + cmd.Path)
	return NewConn(end, addr, addr), nil
}
