package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// publicDir is a namespace that all users share, as /run/anypipe is.
func publicDir(t *testing.T) string {
	t.Helper()
	dir := useDir(t)
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The default descriptor lets nobody else in, one for everyone does, and a pipe lets others add no instance.
func TestOtherUsersClient(t *testing.T) {
	publicDir(t)
	other := startNobody(t)
	in := mustCreate(t, "x", config())
	other.fails("open x rw", winerr.AccessDenied)
	other.fails("wait x 1", winerr.AccessDenied) // it can't even look into the directory
	ok(t, "close", in.Close())

	cfg := config()
	cfg.SDDL = "D:(A;;GRGW;;;WD)"
	in = mustCreate(t, "x", cfg)
	other.must("open x rw")
	other.fails("open x rw", winerr.PipeNotAvailable)
	other.must("write 0 hello")
	peer, err := in.Peer()
	if err != nil || peer.UID != nobody || peer.GID != nobody || peer.PID != other.cmd.Process.Pid || peer.SID != "S-1-22-1-65534" || peer.User != "nobody" {
		t.Errorf("peer = %+v, %v", peer, err)
	}
	if text := other.fails("create x", winerr.AccessDenied); !strings.Contains(text, "root") {
		t.Errorf("the error does not name the owner: %s", text)
	}
	ok(t, "disconnect", in.Disconnect())
	pending := background(func() error { return connect(t, in) })
	other.must("wait x -1")
	other.must("open x r")
	ok(t, "connect", <-pending)
	ok(t, "close", in.Close())

	cfg.SDDL = "D:(A;;GR;;;WD)" // case 48
	mustCreate(t, "x", cfg)
	other.fails("open x rw", winerr.AccessDenied)
	other.must("open x r")
}

// A group that the client is in by its supplementary groups only counts.
func TestSupplementaryGroups(t *testing.T) {
	publicDir(t)
	cfg := config()
	cfg.SDDL = fmt.Sprintf("D:(A;;GRGW;;;S-1-22-2-%d)", nobodysGroup)
	mustCreate(t, "x", cfg)
	startNobody(t).must("open x rw")
}

// Nobody takes over a name, and no name stays taken because its owner's process was killed, as far as the owner and root go.
func TestSquatting(t *testing.T) {
	dir := publicDir(t)
	other := startNobody(t)
	other.must("create x sddl=D:(A;;GA;;;WD)")
	err := tryCreate(t, "x", config())
	wants(t, "create another user's pipe", err, winerr.AccessDenied)
	if err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("the error does not name the owner: %v", err)
	}
	_, err = Open(t.Context(), ".", "x", &npfs.OpenConfig{Access: both, ExpectOwner: "root"})
	wants(t, "open expecting root", err, winerr.AccessDenied)
	open(t, "x") // root is let in by the descriptor
	other.kill()
	ok(t, "create after it was killed", tryCreate(t, "x", config())) // root removes it

	// A user can't remove what root left behind in a shared directory; the error says how to.
	dead := startChild(t)
	dead.must("create y sddl=D:(A;;GA;;;WD)")
	dead.kill()
	other = startNobody(t)
	if text := other.fails("create y", winerr.AccessDenied); !strings.Contains(text, "rm -r "+claimPath(dir, "y")) {
		t.Errorf("no cure in %s", text)
	}
	other.fails("open y rw", winerr.FileNotFound)
	other.fails("wait y -1", winerr.FileNotFound)
}

// A socket that another user put into a claim is not talked to.
func TestForeignDoorInClaim(t *testing.T) {
	dir := publicDir(t)
	other := startNobody(t)
	other.must("create x sddl=D:(A;;GA;;;WD)")
	// Make the claim look like ours, with nobody's door in it: only the kernel's word for the listener counts.
	path := claimPath(dir, "x")
	if err := os.Chown(path, 0, 0); err != nil {
		t.Fatal(err)
	}
	_, err := tryOpen(t, "x", both)
	wants(t, "open", err, winerr.AccessDenied)
	if pipes, err := List(t.Context()); err != nil || len(pipes) > 0 {
		t.Errorf("listed: %+v, %v", pipes, err)
	}
}

// In a private claim the lock and the files are out of reach of others, whatever the umask.
func TestModes(t *testing.T) {
	old := unix.Umask(0)
	defer unix.Umask(old)
	dir := publicDir(t)
	for sddl, want := range map[string][4]os.FileMode{
		"":                 {0o700, 0o600, 0o600, 0o600},
		"D:(A;;GRGW;;;WD)": {0o755, 0o644, 0o666, 0o600},
	} {
		cfg := config()
		cfg.SDDL = sddl
		in := mustCreate(t, "x", cfg)
		path := claimPath(dir, "x")
		for i, name := range []string{"", "pipe.json", in.server.id + doorExt, "lock"} {
			info, err := os.Lstat(filepath.Join(path, name))
			if err != nil || info.Mode().Perm() != want[i] {
				t.Errorf("%q %s: %v, %v", sddl, name, info.Mode(), err)
			}
		}
		ok(t, "close", in.Close())
	}
}

// RunAsClient acts as the client on one thread, and only there.
func TestRunAsClient(t *testing.T) {
	publicDir(t)
	other := startNobody(t)
	cfg := config()
	cfg.SDDL = "D:(A;;GRGW;;;WD)"
	in := mustCreate(t, "x", cfg)
	wants(t, "without client", in.RunAsClient(func() error { return nil }), winerr.CannotImpersonate)
	other.must("open x rw")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mine := errors.New("mine")
	err := in.RunAsClient(func() error {
		if uid := unix.Geteuid(); uid != nobody {
			t.Errorf("uid %d", uid)
		}
		if _, err := os.ReadFile(secret); !errors.Is(err, os.ErrPermission) {
			t.Errorf("root's file: %v", err)
		}
		done := make(chan int)
		go func() { done <- unix.Geteuid() }()
		if uid := <-done; uid != 0 {
			t.Errorf("another goroutine has uid %d", uid)
		}
		return mine
	})
	if err != mine {
		t.Errorf("result: %v", err)
	}
	for range 20 {
		if uid := unix.Geteuid(); uid != 0 {
			t.Fatalf("uid %d afterwards", uid)
		}
	}
	func() {
		defer func() {
			if recover() != "oh" {
				t.Error("the panic got lost")
			}
		}()
		in.RunAsClient(func() error { panic("oh") })
	}()
	other.kill()
	ok(t, "after the client is gone", in.RunAsClient(func() error { return nil }))
	ok(t, "disconnect", in.Disconnect())
	wants(t, "after disconnect", in.RunAsClient(func() error { return nil }), winerr.CannotImpersonate)
}

// The user's own directory and the machine's: who finds what where.
func TestDirectories(t *testing.T) {
	run := useDir(t)
	t.Setenv(dirEnv, "")
	t.Setenv("XDG_RUNTIME_DIR", run)
	if got, want := userDir(), filepath.Join(run, "anypipe"); got != want {
		t.Errorf("userDir = %s, want %s", got, want)
	}
	in := mustCreate(t, "anypipe-test-private", config())
	if got := filepath.Dir(in.server.claim.path); got != filepath.Join(run, "anypipe") {
		t.Errorf("made in %s", got)
	}
	open(t, "anypipe-test-private")
	os.Setenv("XDG_RUNTIME_DIR", filepath.Join(run, "absent")) // t.Setenv above restores it
	if got, want := userDir(), fmt.Sprintf("/tmp/anypipe-%d", os.Geteuid()); got != want {
		t.Errorf("userDir = %s, want %s", got, want)
	}
}

// Pipes that let others in are made where others look. Root makes that directory.
func TestMachineDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a machine's directory")
	}
	run := useDir(t)
	t.Setenv(dirEnv, "")
	t.Setenv("XDG_RUNTIME_DIR", run)
	defer func(old string) { machineDir = old }(machineDir)
	machineDir = filepath.Join(run, "machine")
	public := config()
	public.SDDL = "D:(A;;GRGW;;;WD)(A;;GA;;;BA)"
	in := mustCreate(t, "x", public)
	if got := filepath.Dir(in.server.claim.path); got != machineDir {
		t.Errorf("made in %s", got)
	}
	if info, err := os.Stat(machineDir); err != nil || info.Mode() != os.ModeDir|os.ModeSticky|0o777 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	// A later instance joins wherever the name is, whatever its own descriptor says.
	second := mustCreate(t, "x", config())
	if second.server != in.server {
		t.Error("two pipes of one name")
	}
	mustCreate(t, "private", config())
	if pipes, err := List(t.Context()); err != nil || len(pipes) != 2 {
		t.Errorf("%+v, %v", pipes, err)
	}
	open(t, "x")
	open(t, "private")
}

// Without that directory a user can't let others in, and is told what is missing.
func TestNoMachineDirectory(t *testing.T) {
	dir := useDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	machine := filepath.Join(dir, "machine")
	other := startNobody(t, dirEnv+"=", "XDG_RUNTIME_DIR=", machineEnv+"="+machine)
	if text := other.fails("create x sddl=D:(A;;GA;;;WD)", winerr.AccessDenied); !strings.Contains(text, "install -d -m 1777 "+machine) {
		t.Errorf("no cure in %s", text)
	}
	if err := errors.Join(os.Mkdir(machine, 0o700), os.Chmod(machine, 0o777|os.ModeSticky)); err != nil {
		t.Fatal(err)
	}
	other.must("create x sddl=D:(A;;GA;;;WD)")
	defer func(old string) { machineDir = old }(machineDir)
	machineDir = machine
	t.Setenv(dirEnv, "")
	t.Setenv("XDG_RUNTIME_DIR", dir)
	open(t, "x")
}

// Directories that others could tamper with are refused, and the error says what to do.
func TestUntrustedDirectories(t *testing.T) {
	dir := useDir(t)
	at := func(name string, make func(path string) error) string {
		path := filepath.Join(dir, name)
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for cure, path := range map[string]string{
		"chmod +t ": at("open", func(p string) error { return errors.Join(os.Mkdir(p, 0o700), os.Chmod(p, 0o777)) }),
		"rm -r ":    at("others", func(p string) error { return errors.Join(os.Mkdir(p, 0o700), os.Chown(p, nobody, nobody)) }),
		"rm ":       at("link", func(p string) error { return os.Symlink(dir, p) }),
	} {
		t.Setenv(dirEnv, path)
		err := tryCreate(t, "x", config())
		wants(t, "create", err, winerr.AccessDenied)
		if err == nil || !strings.Contains(err.Error(), cure+path) {
			t.Errorf("no cure %q in: %v", cure+path, err)
		}
		_, err = tryOpen(t, "x", both)
		wants(t, "open", err, winerr.AccessDenied)
	}
	for _, path := range []string{filepath.Join(dir, strings.Repeat("n", 60)), "relative"} {
		t.Setenv(dirEnv, path)
		wants(t, path, tryCreate(t, "x", config()), winerr.InvalidParameter)
	}
	missing := filepath.Join(dir, "missing")
	t.Setenv(dirEnv, missing)
	_, err := tryOpen(t, "x", both)
	wants(t, "open without directory", err, winerr.FileNotFound)
	ok(t, "create makes it", tryCreate(t, "x", config()))
}
