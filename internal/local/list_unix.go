//go:build linux || darwin || freebsd

package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
	"github.com/anypipe/anypipe/internal/wire"
)

// List returns the live pipes that this user may see, ordered by name.
func List(ctx context.Context) ([]npfs.PipeInfo, error) {
	dirs, err := searchDirs()
	if err != nil {
		return nil, err
	}
	var pipes []npfs.PipeInfo
	for _, dir := range dirs {
		found, err := listDir(ctx, dir)
		if err != nil {
			return nil, err
		}
		pipes = append(pipes, found...)
	}
	slices.SortFunc(pipes, func(a, b npfs.PipeInfo) int {
		return cmp.Compare(npfs.FoldName(a.Name), npfs.FoldName(b.Name))
	})
	return pipes, nil
}

func listDir(ctx context.Context, dir string) ([]npfs.PipeInfo, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var pipes []npfs.PipeInfo
	for _, e := range entries {
		if !e.IsDir() || len(e.Name()) != hashLen {
			continue
		}
		info, err := listClaim(ctx, filepath.Join(dir, e.Name()))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil { // gone meanwhile, another user's, or broken: no reason to hide the others
			continue
		}
		pipes = append(pipes, *info)
	}
	return pipes, nil
}

// listClaim describes one pipe; the error is FileNotFound if no process lives behind it.
func listClaim(ctx context.Context, path string) (*npfs.PipeInfo, error) {
	c, err := statClaim(path)
	if err != nil {
		return nil, err
	}
	fixed, err := c.readPipeFile()
	if err != nil {
		return nil, err
	}
	if claimPath(filepath.Dir(path), fixed.Name) != path {
		return nil, fmt.Errorf("%s calls itself %q, which belongs elsewhere: %w", path, fixed.Name, winerr.InvalidName)
	}
	info := &npfs.PipeInfo{
		Name: fixed.Name, Type: fixed.Type, Direction: fixed.Direction, MaxInstances: fixed.MaxInstances,
		DefaultTimeout: fixed.defaultTimeout(), SDDL: fixed.SDDL, Owner: userName(c.owner), OwnerUID: c.owner,
	}
	doors, err := c.sortedDoors()
	if err != nil {
		return nil, err
	}
	for _, d := range doors {
		if m, pid := c.query(ctx, d); pid != 0 {
			info.Servers = append(info.Servers, pid)
			info.Instances += int(m.Instances)
			info.Path = cmp.Or(info.Path, m.Path)
		}
	}
	if info.Instances == 0 {
		return nil, errors.Join(winerr.FileNotFound, c.tidy())
	}
	slices.Sort(info.Servers)
	return info, nil
}

// query asks one process what it has; pid is 0 if there is none. For a process that does not answer soon its live
// file speaks.
func (c *claim) query(ctx context.Context, d doorFile) (m *wire.Described, pid int) {
	conn, server, err := c.knock(ctx, d)
	if err != nil {
		return nil, 0
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	conn.SetDeadline(time.Now().Add(time.Second))
	silent := &wire.Described{Instances: d.live.instances}
	if err := wire.Write(conn, &wire.Query{}); err != nil {
		return silent, cmp.Or(server.pid, int(d.live.pid))
	}
	m, err = wire.ReadAs[*wire.Described](conn)
	if errors.Is(err, fs.ErrNotExist) || err == nil && m.Instances == 0 {
		return nil, 0
	}
	if err != nil {
		m = silent
	}
	m.Instances = min(m.Instances, 1<<20) // whatever a server claims, sums stay sums
	return m, cmp.Or(server.pid, int(m.PID), int(d.live.pid))
}
