//go:build linux || darwin || freebsd

package local

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

const (
	hashLen   = 26 // base32 characters of the folded name's SHA-256: 130 bits
	idLen     = 8  // base32 characters of a server process's random id: 40 bits, made unique by bind
	doorExt   = ".door"
	liveExt   = ".live"
	trashName = ".gone-" // prefix of a claim that is being removed
)

// encoding makes file names that survive file systems without regard to case.
var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// A claim is the directory of one pipe name. Making it takes the name: in a sticky directory nobody but its owner (and
// root) can remove it, so no other user can take the name over. Only its owner's processes serve the name. It holds
//
//	pipe.json    what the first creator fixed; see pipeFile
//	lock         flock'ed while the set of server processes or their instance counts grow, or the claim is removed
//	ID.door      a server process's socket; the protocol is internal/wire's
//	ID.live      the same process's count and ticket; see liveFile
//
// Its mode is 0700, or 0755 if the descriptor lets others in. A process lives if its door does not refuse connections, so
// a killed one blocks nobody; whoever meets its files and may, removes them under the lock. With the last process
// the directory is renamed away and removed, and the name is free.
type claim struct {
	path    string
	owner   int // user id
	version version
}

// version tells whether a directory's entries may have changed: a change within the clock's granularity is not seen.
type version struct {
	inode    uint64
	modified time.Time
}

// errClaimGone says that the claim was removed in the meantime: look again.
var errClaimGone = errors.New("the pipe's directory was removed")

// claimPath returns the directory of a pipe name below dir.
func claimPath(dir, pipe string) string {
	sum := sha256.Sum256([]byte(npfs.FoldName(pipe)))
	return filepath.Join(dir, encoding.EncodeToString(sum[:])[:hashLen])
}

// newID returns a random id for files of this process.
func newID() string {
	var b [5]byte
	rand.Read(b[:]) // never fails
	return encoding.EncodeToString(b[:])
}

// statClaim returns the claim at path; the error is fs.ErrNotExist's if there is none.
func statClaim(path string) (*claim, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory but %s; remove it (rm %s): %w", path, info.Mode().Type(), path, winerr.AccessDenied)
	}
	c := &claim{path: path, owner: ownerOf(info), version: version{modified: info.ModTime()}}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		c.version.inode = st.Ino
	}
	return c, nil
}

// makeClaim returns the claim at path, made if it is missing.
func makeClaim(path string) (*claim, error) {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	c, err := statClaim(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errClaimGone
	}
	return c, err
}

// abandon removes a claim that nobody has entered, as after a wait for its lock that was cancelled. Who is about to enter finds
// it gone and makes it anew.
func (c *claim) abandon() {
	_ = os.Remove(c.path) // fails if it holds anything
}

// lock takes the claim's lock, waiting until ctx is done. Holders never wait for anyone while they have it, and the kernel
// drops it when they die; so the pauses below end soon. The error is errClaimGone if the claim has been removed.
func (c *claim) lock(ctx context.Context) (unlock func() error, err error) {
	release, err := takeTurn(ctx, c.path)
	if err != nil {
		return nil, err
	}
	f, err := c.lockFile(ctx)
	if err != nil {
		release()
		return nil, err
	}
	return func() error {
		defer release()
		// A process that a C program forked off this moment holds the file too, and with it the lock.
		return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
	}, nil
}

// lockFile opens and locks the lock file.
func (c *claim) lockFile(ctx context.Context) (*os.File, error) {
	name := filepath.Join(c.path, "lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errClaimGone
	}
	if err != nil {
		return nil, err
	}
	if err := flock(ctx, f); err != nil {
		f.Close()
		return nil, err
	}
	if !sameFile(f, name) {
		f.Close()
		return nil, errClaimGone
	}
	return f, nil
}

// flock waits for an exclusive lock of f.
func flock(ctx context.Context, f *os.File) error {
	pause := newPause()
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("locking %s: %w", f.Name(), err)
		}
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
}

// sameFile reports whether the open file is still what its name leads to.
func sameFile(f *os.File, name string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(name)
	return err == nil && os.SameFile(opened, named)
}

// A pause grows from 100 µs to 20 ms. It stands where the system offers no event to wait for.
type pause struct{ d time.Duration }

func newPause() *pause { return &pause{100 * time.Microsecond} }

// wait pauses, or returns ctx's error.
func (p *pause) wait(ctx context.Context) error {
	t := time.NewTimer(p.d)
	defer t.Stop()
	p.d = min(p.d*2, 20*time.Millisecond)
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// remove frees the name at once, by one rename, and then deletes what it held, and what processes that were killed between
// the two left of other claims. The lock must be held.
func (c *claim) remove() error {
	dir := filepath.Dir(c.path)
	trash := filepath.Join(dir, trashName+newID())
	if err := os.Rename(c.path, trash); err != nil {
		return err
	}
	err := os.RemoveAll(trash)
	entries, _ := os.ReadDir(dir) // the rest is a courtesy
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), trashName) {
			continue
		}
		if left, err := e.Info(); err == nil && ownerOf(left) == os.Geteuid() {
			_ = os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
	return err
}

// doorFile is one server process of a claim, as the directory shows it.
type doorFile struct {
	id   string
	path string   // of the socket
	live liveFile // zero if it can't be read
}

// doors lists the server processes, dead ones included.
func (c *claim) doors() ([]doorFile, error) {
	entries, err := os.ReadDir(c.path)
	if err != nil {
		return nil, err
	}
	return c.doorsIn(entries), nil
}

// doorsIn picks the doors out of the claim's entries.
func (c *claim) doorsIn(entries []fs.DirEntry) []doorFile {
	var doors []doorFile
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), doorExt)
		if !ok || len(id) != idLen || e.Type() != fs.ModeSocket {
			continue
		}
		d := doorFile{id: id, path: filepath.Join(c.path, e.Name())}
		if live, err := readLive(c.livePath(id)); err == nil {
			d.live = live
		}
		doors = append(doors, d)
	}
	return doors
}

func (c *claim) doorPath(id string) string { return filepath.Join(c.path, id+doorExt) }
func (c *claim) livePath(id string) string { return filepath.Join(c.path, id+liveExt) }

// living returns the doors behind which a process is, without the one called except.
func (c *claim) living(except string) ([]doorFile, error) {
	doors, err := c.doors()
	return livingOf(doors, except), err
}

func livingOf(doors []doorFile, except string) []doorFile {
	return slices.DeleteFunc(doors, func(d doorFile) bool { return d.id == except || !answers(d.path) })
}

// sweep removes the files of dead processes and returns the living ones, without the one called except. The lock must be
// held, so that no process is half way in.
func (c *claim) sweep(except string) ([]doorFile, error) {
	entries, err := os.ReadDir(c.path)
	if err != nil {
		return nil, err
	}
	living := livingOf(c.doorsIn(entries), except)
	known := map[string]bool{except: true}
	for _, d := range living {
		known[d.id] = true
	}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if (ext == doorExt || ext == liveExt) && !known[strings.TrimSuffix(e.Name(), ext)] {
			if err := os.Remove(filepath.Join(c.path, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	}
	return living, nil
}

// tidy removes what dead processes left, if this user may and nobody holds the lock. It is a courtesy of clients.
func (c *claim) tidy() error {
	if c.owner != os.Geteuid() {
		return nil
	}
	busy, cancel := context.WithCancel(context.Background())
	cancel() // one attempt
	unlock, err := c.lock(busy)
	if errors.Is(err, context.Canceled) || errors.Is(err, errClaimGone) || errors.Is(err, unix.EROFS) {
		return nil
	}
	if err != nil {
		return err
	}
	living, err := c.sweep("")
	if err == nil && len(living) == 0 {
		err = c.remove()
	}
	return errors.Join(err, unlock())
}

// count adds up the instances of the living processes, without the one called except.
func (c *claim) count(except string) (int, error) {
	living, err := c.living(except)
	n := 0
	for _, d := range living {
		n += int(d.live.instances)
	}
	return n, err
}
