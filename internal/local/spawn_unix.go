//go:build linux || darwin || freebsd

package local

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// Spawn starts cmd with its standard input and output connected to the returned end: reads come from its standard output and
// writes go to its standard input. CloseWrite closes the latter. Close closes both; waiting for cmd is the caller's part. The
// end is one of byte type.
func Spawn(cmd *exec.Cmd) (*Client, error) {
	if cmd.Stdin != nil || cmd.Stdout != nil {
		return nil, fmt.Errorf("the command has a Stdin or Stdout already, which are to be the pipe: %w", winerr.InvalidParameter)
	}
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, childIn.Close(), in.Close())
	}
	cmd.Stdin, cmd.Stdout = childIn, childOut
	err = cmd.Start()
	closing := errors.Join(childIn.Close(), childOut.Close()) // the child has its own
	if err != nil {
		return nil, errors.Join(err, in.Close(), out.Close())
	}
	access := (npfs.GenericRead | npfs.GenericWrite).Specific()
	s := newStreamOf(out, in, in.Close, access, 0)
	if closing != nil {
		return nil, errors.Join(closing, s.Close())
	}
	return foreignClient(s, access, childIdentity(cmd)), nil
}

// childIdentity returns who a started command is.
func childIdentity(cmd *exec.Cmd) *identity {
	id := self()
	uid, gid, groups := id.uid, id.gid, id.groups
	if attr := cmd.SysProcAttr; attr != nil && attr.Credential != nil {
		uid, gid, groups = int(attr.Credential.Uid), int(attr.Credential.Gid), nil
		for _, g := range attr.Credential.Groups {
			groups = append(groups, int(g))
		}
	}
	return newIdentity(cmd.Process.Pid, uid, gid, groups)
}
