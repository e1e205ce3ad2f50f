//go:build linux || darwin || freebsd

package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/anypipe/anypipe/internal/winerr"
)

// The namespace is a directory that holds one subdirectory per pipe; see claim. There is no daemon.
//
//	$ANYPIPE_DIR                  if set, the only directory
//	$XDG_RUNTIME_DIR/anypipe      this user's pipes; without XDG_RUNTIME_DIR /tmp/anypipe-UID. Mode 0700
//	/run/anypipe                  the machine's pipes: those that let other users in. Mode 1777, owned by root
//
// Clients look in this user's directory first.
const (
	dirEnv = "ANYPIPE_DIR"

	// maxSocketPath is the longest path that a Unix socket address holds on every system, without the final NUL.
	maxSocketPath = 103
)

// machineDir is a variable for the sake of the tests only.
var machineDir = "/run/anypipe"

// userDir returns the directory of this user's own pipes.
func userDir() string {
	if run := os.Getenv("XDG_RUNTIME_DIR"); run != "" {
		if info, err := os.Stat(run); err == nil && info.IsDir() && ownerOf(info) == os.Geteuid() {
			return filepath.Join(run, "anypipe")
		}
	}
	return "/tmp/anypipe-" + strconv.Itoa(os.Geteuid())
}

// searchDirs returns the directories that a client looks in, those that exist. A directory that is not to be trusted is
// an error, as anybody could pose as a server in it.
func searchDirs() ([]string, error) {
	candidates := []string{userDir(), machineDir}
	if dir := os.Getenv(dirEnv); dir != "" {
		candidates = []string{dir}
	}
	var dirs []string
	for _, dir := range candidates {
		err := checkDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

// createDir returns the directory that a new pipe belongs in, and makes it if it can.
func createDir(openToOthers bool) (string, error) {
	if dir := os.Getenv(dirEnv); dir != "" {
		return dir, ensureDir(dir, 0o700)
	}
	if !openToOthers {
		dir := userDir()
		return dir, ensureDir(dir, 0o700)
	}
	if os.Geteuid() == 0 {
		return machineDir, ensureDir(machineDir, 0o777|fs.ModeSticky)
	}
	err := checkDir(machineDir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the pipe lets other users in, and these look in %s, which does not exist; run as root: install -d -m 1777 %s (or set %s): %w",
			machineDir, machineDir, dirEnv, winerr.AccessDenied)
	}
	return machineDir, err
}

// ensureDir makes the directory if it is missing and checks it.
func ensureDir(dir string, mode fs.FileMode) error {
	err := os.Mkdir(dir, 0o700)
	if err == nil && mode != 0o700 {
		err = os.Chmod(dir, mode) // Mkdir's mode is cut by the umask and has no sticky bit
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the directory of pipes: %w", err)
	}
	return checkDir(dir)
}

// checkDir checks that only this user or root decides what happens to our entries in the directory. The error names
// the cure.
func checkDir(dir string) error {
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("%s=%s is not an absolute path: %w", dirEnv, dir, winerr.InvalidParameter)
	}
	if longest := len(dir) + len("/") + hashLen + len("/") + idLen + len(doorExt); longest > maxSocketPath {
		return fmt.Errorf("%s is %d bytes too long to hold sockets; set %s to a shorter path: %w", dir, longest-maxSocketPath, dirEnv, winerr.InvalidParameter)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner := ownerOf(info)
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory but %s; remove it (rm %s) or set %s: %w", dir, info.Mode().Type(), dir, dirEnv, winerr.AccessDenied)
	case owner != os.Geteuid() && owner != 0:
		return fmt.Errorf("%s belongs to %s, who could pose as any server; as root run: rm -r %s (or set %s): %w", dir, userName(owner), dir, dirEnv, winerr.AccessDenied)
	case info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0:
		return fmt.Errorf("%s can be written by others and is not sticky; run: chmod +t %s: %w", dir, dir, winerr.AccessDenied)
	}
	return nil
}

// ownerOf returns the user id that owns a file.
func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}
