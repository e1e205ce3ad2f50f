package local

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// A Client is a client end: of a pipe, or of a child's standard input and output.
type Client struct {
	channel
	peer func() (npfs.Peer, error)
}

// channel is what the two kinds of client ends have.
type channel interface {
	Read(p []byte) (int, error)
	ReadMessage(buf []byte, limit int) ([]byte, error)
	Write(p []byte) (int, error)
	Peek(p []byte) (npfs.Peeked, error)
	Transact(request, buf []byte, limit int) ([]byte, error)
	Flush() error
	Start(r *Request) Pending
	Cancel() error
	CloseWrite() error
	SetModes(m npfs.Modes) error
	Type() npfs.Mode
	Info() (npfs.Info, error)
	Descriptor() (string, error)
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	Close() error
}

// Peer tells who the server is.
func (c *Client) Peer() (npfs.Peer, error) { return c.peer() }

// Open opens the pipe as its client. Windows' redirector carries it if server is another machine.
func Open(_ context.Context, server, pipe string, cfg *npfs.OpenConfig) (*Client, error) {
	access := cfg.Access
	if cfg.ExpectOwner != "" {
		access |= npfs.ReadControl
	}
	handle, err := openHandle(pipePath(server, pipe), access, 0)
	if server != "." && errors.Is(err, winerr.PathNotFound) {
		return nil, windows.ERROR_PATH_NOT_FOUND // means the server, which the redirector does not find; Wine has no redirector
	}
	if err != nil {
		return nil, err
	}
	if err := expectOwner(handle, cfg.ExpectOwner); err != nil {
		return nil, errors.Join(err, windows.CloseHandle(handle))
	}
	e, err := newEnd(handle)
	if err != nil {
		return nil, err
	}
	if err := e.learn(); err != nil && !isGone(err) {
		return nil, errors.Join(err, e.Close())
	}
	return &Client{channel: e, peer: e.serverPeer}, nil
}

// isGone reports whether err means that the server disconnected us already, which opening does not tell.
func isGone(err error) bool { return errors.Is(err, winerr.PipeNotConnected) }

// openHandle is CreateFile: overlapped unless options say otherwise, and so that the server learns who we are but can't act
// as us.
func openHandle(path string, access npfs.Access, options uint32) (windows.Handle, error) {
	oa, err := attributes(path)
	if err != nil {
		return 0, err
	}
	qos := &windows.SECURITY_QUALITY_OF_SERVICE{ImpersonationLevel: windows.SecurityIdentification, EffectiveOnly: 1}
	qos.Length = uint32(unsafe.Sizeof(*qos))
	oa.SecurityQoS = qos
	var handle windows.Handle
	var block windows.IO_STATUS_BLOCK
	err = windows.NtCreateFile(&handle, uint32(access)|windows.SYNCHRONIZE|windows.FILE_READ_ATTRIBUTES, oa, &block, nil, 0,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, windows.FILE_OPEN, options|windows.FILE_NON_DIRECTORY_FILE, 0, 0)
	return handle, condition(statusOf(err))
}

// expectOwner checks that the pipe's owner is who the client expects: a SID or a user name.
func expectOwner(handle windows.Handle, expected string) error {
	if expected == "" {
		return nil
	}
	d, err := windows.GetSecurityInfo(handle, windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("asking for the pipe's owner: %w", win32Condition(err))
	}
	owner, _, err := d.Owner()
	if err != nil {
		return err
	}
	if owner != nil && (strings.EqualFold(expected, owner.String()) || owner.Equals(accountSID(expected))) {
		return nil
	}
	return fmt.Errorf("the pipe belongs to %v, not to %s: %w", owner, expected, winerr.AccessDenied)
}

// accountSID returns the SID of a user name, nil if there is none.
func accountSID(name string) *windows.SID {
	sid, _, _, err := windows.LookupSID("", name)
	if err != nil {
		return nil
	}
	return sid
}
