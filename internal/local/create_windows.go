package local

import (
	"cmp"
	"context"
	"errors"
	"time"

	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/sddl"
	"github.com/anypipe/anypipe/internal/winerr"
)

// Create makes one instance of the pipe, with the parameters that CreateNamedPipe gives the kernel.
func Create(_ context.Context, pipe string, cfg *npfs.CreateConfig) (*Instance, error) {
	e, err := create(pipe, cfg, 0)
	if err != nil {
		return nil, err
	}
	return &Instance{end: e, pipe: pipe, config: *cfg}, nil
}

// create makes the overlapped server end of an instance.
func create(pipe string, cfg *npfs.CreateConfig, options uint32) (*end, error) {
	handle, err := createHandle(pipe, cfg, options)
	if err != nil {
		return nil, err
	}
	e, err := newEnd(handle)
	if err != nil {
		return nil, err
	}
	e.typ, e.modes, e.server, e.reject = cfg.Type, cfg.Modes, true, cfg.RejectRemote
	// The first creator decides on the type. The server end of an outbound pipe may not ask.
	if err := e.learn(); err != nil && !errors.Is(err, winerr.AccessDenied) {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// createHandle is CreateNamedPipe, overlapped unless options say otherwise.
func createHandle(pipe string, cfg *npfs.CreateConfig, options uint32) (windows.Handle, error) {
	oa, err := attributes(pipePath(".", pipe))
	if err != nil {
		return 0, err
	}
	if oa.SecurityDescriptor, err = descriptor(cfg.SDDL); err != nil {
		return 0, err
	}
	access, share := serverRights(cfg.Direction)
	disposition := uint32(windows.FILE_OPEN_IF)
	if cfg.First {
		disposition = windows.FILE_CREATE
	}
	typ, completion := uint32(cfg.Type), uint32(windows.FILE_PIPE_QUEUE_OPERATION)
	if cfg.RejectRemote && !underWine() { // which would take the flag for the message type, and has no remote clients
		typ |= windows.FILE_PIPE_REJECT_REMOTE_CLIENTS
	}
	if cfg.Modes.NoWait {
		completion = windows.FILE_PIPE_COMPLETE_OPERATION
	}
	limit := uint32(cfg.MaxInstances)
	if limit == npfs.UnlimitedInstances {
		limit = unlimited
	}
	timeout := relative(cmp.Or(cfg.DefaultTimeout, npfs.DefaultWait))
	var handle windows.Handle
	var block windows.IO_STATUS_BLOCK
	err = windows.NtCreateNamedPipeFile(&handle, access, oa, &block, share, disposition, options, typ, uint32(cfg.Modes.Read),
		completion, limit, uint32(cfg.InQuota), uint32(cfg.OutQuota), &timeout)
	return handle, condition(statusOf(err))
}

// serverRights returns what CreateNamedPipe asks for: the rights of the server end, and what it shares, which is how the kernel is
// told the direction.
func serverRights(d npfs.Direction) (access, share uint32) {
	switch d {
	case npfs.Inbound:
		return windows.GENERIC_READ | windows.SYNCHRONIZE, windows.FILE_SHARE_WRITE
	case npfs.Outbound:
		return windows.GENERIC_WRITE | windows.SYNCHRONIZE, windows.FILE_SHARE_READ
	}
	return windows.GENERIC_READ | windows.GENERIC_WRITE | windows.SYNCHRONIZE, windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE
}

// relative returns a time from now as the kernel counts it: negative, in units of 100 ns.
func relative(d time.Duration) int64 { return -max(1, int64(d/100)) }

// descriptor returns the security descriptor for a new instance: what the text says, with the owner only where it says nothing.
func descriptor(text string) (*windows.SECURITY_DESCRIPTOR, error) {
	given := &sddl.Descriptor{}
	if text != "" {
		var err error
		if given, err = sddl.Parse(text); err != nil {
			return nil, err
		}
	}
	owner, group, err := ourselves()
	if err != nil {
		return nil, err
	}
	return windows.SecurityDescriptorFromString(given.ForOwner(owner, group).String())
}

// ourselves returns the SIDs of the process's user and primary group.
func ourselves() (user, group sddl.SID, err error) {
	token := windows.GetCurrentProcessToken()
	u, err := token.GetTokenUser()
	if err != nil {
		return user, group, err
	}
	g, err := token.GetTokenPrimaryGroup()
	if err != nil {
		return user, group, err
	}
	if user, err = sddl.ParseSID(u.User.Sid.String()); err != nil {
		return user, group, err
	}
	group, err = sddl.ParseSID(g.PrimaryGroup.String())
	return user, group, err
}
