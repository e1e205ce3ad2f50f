//go:build linux || darwin || freebsd

package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/sddl"
	"github.com/anypipe/anypipe/internal/winerr"
)

// Create makes one instance of the pipe, LISTENING. The checks of a later instance come in Windows' order: access, limit,
// first instance, direction; nothing else is compared.
func Create(ctx context.Context, pipe string, cfg *npfs.CreateConfig) (*Instance, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	me := self()
	given := sddl.Default(sddl.UserSID(me.uid), sddl.GroupSID(me.gid))
	if cfg.SDDL != "" {
		parsed, err := sddl.Parse(cfg.SDDL)
		if err != nil {
			return nil, err
		}
		given = parsed.ForOwner(sddl.UserSID(me.uid), sddl.GroupSID(me.gid))
	}
	if token := me.token(); !token.MayOwn(given.Owner) {
		return nil, fmt.Errorf("the descriptor names %s as owner; only root may give a pipe away: %w", given.Owner, winerr.AccessDenied)
	}
	for {
		in, err := create(ctx, pipe, cfg, me, given)
		if !errors.Is(err, errClaimGone) {
			return in, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// self returns the identity that this process creates pipes with.
func self() *identity {
	groups, err := os.Getgroups()
	if err != nil {
		groups = nil // the user's own rights remain
	}
	return newIdentity(os.Getpid(), os.Geteuid(), os.Getegid(), groups)
}

func create(ctx context.Context, pipe string, cfg *npfs.CreateConfig, me *identity, given *sddl.Descriptor) (*Instance, error) {
	c, err := claimFor(pipe, given.OpenToOthers(sddl.UserSID(me.uid)))
	if err != nil {
		return nil, err
	}
	unlock, err := c.lock(ctx)
	if err != nil {
		c.abandon()
		return nil, err
	}
	in, nudge, err := join(c, pipe, cfg, me, given)
	if err := errors.Join(err, unlock()); err != nil {
		return nil, err
	}
	nudge()
	in.server.openForeign(cfg)
	return in, nil
}

// claimFor returns this user's claim of the name: the one that is in use in any directory, else the one in the directory
// that a new pipe belongs in.
func claimFor(pipe string, openToOthers bool) (*claim, error) {
	dirs, err := searchDirs()
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		c, err := statClaim(claimPath(dir, pipe))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if c.ownServer() != nil {
			return c, nil
		}
		used, err := c.inUse()
		if err != nil {
			return nil, err
		}
		if used {
			return c, c.ours()
		}
	}
	dir, err := createDir(openToOthers)
	if err != nil {
		return nil, err
	}
	c, err := makeClaim(claimPath(dir, pipe))
	if err != nil {
		return nil, err
	}
	return c, c.ours()
}

// inUse reports whether a process serves the claim. What we may not look into counts as used.
func (c *claim) inUse() (bool, error) {
	doors, err := c.doors()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case errors.Is(err, fs.ErrPermission):
		return true, nil
	}
	return slices.ContainsFunc(doors, func(d doorFile) bool { return answers(d.path) }), err
}

// ownServer returns this process' server of the claim, or nil. One whose door was removed behind its back does not count:
// its instances are lost to clients, and the name starts anew.
func (c *claim) ownServer() *server {
	process.mu.Lock()
	s := process.servers[c.path]
	process.mu.Unlock()
	if s == nil || !s.reachable() {
		return nil
	}
	return s
}

// ours returns an error if another user owns the claim. Root removes what such a user left behind.
func (c *claim) ours() error {
	if c.owner == os.Geteuid() {
		return nil
	}
	used, err := c.inUse()
	if err != nil {
		return err
	}
	if used {
		return fmt.Errorf("the pipe belongs to user %s (%s): %w", userName(c.owner), c.path, winerr.AccessDenied)
	}
	if os.Geteuid() == 0 {
		if err := c.remove(); err != nil {
			return err
		}
		return errClaimGone
	}
	return fmt.Errorf("the name was taken by user %s, whose server is gone; as that user or root run: rm -r %s: %w", userName(c.owner), c.path, winerr.AccessDenied)
}

// join makes an instance under the claim's lock. nudge is to be called after unlocking.
func join(c *claim, pipe string, cfg *npfs.CreateConfig, me *identity, given *sddl.Descriptor) (in *Instance, nudge func(), err error) {
	s, own := c.ownServer(), ""
	if s != nil {
		own = s.id
	}
	others, err := c.sweep(own)
	if err != nil {
		return nil, nil, err
	}
	nudge = func() {}
	if s == nil {
		if s, err = enter(c, pipe, cfg, me, given, others); err != nil {
			return nil, nil, err
		}
		nudge = func() { s.nudge(others) }
	} else if err := mayJoin(s.pipe, s.descriptor, cfg, me, s.counted(others)); err != nil {
		return nil, nil, err
	}
	in = newInstance(s, cfg)
	if !s.add(in) { // the last instance of this process was just closed: look again
		return nil, nil, errClaimGone
	}
	return in, nudge, nil
}

// counted adds the instances of this process to those of the others.
func (s *server) counted(others []doorFile) int {
	own, _ := s.counts()
	return own + sum(others)
}

func sum(doors []doorFile) int {
	n := 0
	for _, d := range doors {
		n += int(d.live.instances)
	}
	return n
}

// enter makes this process a server of the name: its first creator if there are no others.
func enter(c *claim, pipe string, cfg *npfs.CreateConfig, me *identity, given *sddl.Descriptor, others []doorFile) (*server, error) {
	owner := sddl.UserSID(me.uid)
	if len(others) > 0 {
		fixed, err := c.readPipeFile()
		if err != nil {
			return nil, err
		}
		d, err := sddl.Parse(fixed.SDDL)
		if err != nil {
			return nil, err
		}
		if err := mayJoin(fixed, d, cfg, me, sum(others)); err != nil {
			return nil, err
		}
		return openServer(c, fixed, d, d.OpenToOthers(owner))
	}
	fixed, public := newPipeFile(pipe, cfg, given), given.OpenToOthers(owner)
	dirMode, fileMode := fs.FileMode(0o700), fs.FileMode(0o600)
	if public {
		dirMode, fileMode = 0o755, 0o644
	}
	if err := errors.Join(os.Chmod(c.path, dirMode), c.writePipeFile(fixed, fileMode)); err != nil {
		return nil, err
	}
	return openServer(c, fixed, given, public)
}

// mayJoin makes the checks of a later instance, in Windows' order.
func mayJoin(fixed *pipeFile, d *sddl.Descriptor, cfg *npfs.CreateConfig, me *identity, instances int) error {
	if _, err := d.CheckCreate(me.token(), serverAccess(cfg.Direction)); err != nil {
		return err
	}
	switch {
	case fixed.MaxInstances != npfs.UnlimitedInstances && instances >= fixed.MaxInstances:
		return winerr.InstanceLimit
	case cfg.First:
		return fmt.Errorf("the pipe exists already, this would not be its first instance: %w", winerr.AccessDenied)
	case cfg.Direction != fixed.Direction:
		return fmt.Errorf("the pipe's first creator made it %s, not %s: %w", fixed.Direction, cfg.Direction, winerr.AccessDenied)
	}
	return nil
}

// serverAccess returns the rights of a server end, which follow from the direction.
func serverAccess(d npfs.Direction) npfs.Access {
	switch d {
	case npfs.Inbound:
		return npfs.GenericRead.Specific()
	case npfs.Outbound:
		return npfs.GenericWrite.Specific()
	}
	return (npfs.GenericRead | npfs.GenericWrite).Specific()
}
