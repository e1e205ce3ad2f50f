//go:build linux || darwin || freebsd

package local

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

func tryCreate(t *testing.T, pipe string, cfg *npfs.CreateConfig) error {
	t.Helper()
	in, err := Create(t.Context(), pipe, cfg)
	if err == nil {
		t.Cleanup(func() { in.Close() })
	}
	return err
}

// Cases 25 to 34, with the earlier instances in this process or in another one.
func TestLaterInstances(t *testing.T) {
	for _, elsewhere := range []bool{false, true} {
		useDir(t)
		limited := config()
		limited.MaxInstances = 2
		if elsewhere {
			startChild(t).must("create x d 2")
		} else {
			mustCreate(t, "x", limited)
		}
		first, inbound := *limited, *limited
		first.First, inbound.Direction = true, npfs.Inbound
		wants(t, "first instance flag", tryCreate(t, "x", &first), winerr.AccessDenied)
		wants(t, "other direction", tryCreate(t, "x", &inbound), winerr.AccessDenied)
		other := config() // 28, 29: nothing else is compared, and its limit is ignored
		other.Type, other.Modes.Read, other.MaxInstances, other.InQuota, other.SDDL = npfs.Message, npfs.Message, 1, 1, "D:"
		in := mustCreate(t, "x", other)
		if info, err := in.Info(); err != nil || info.Type != npfs.Byte || info.MaxInstances != 2 || info.Instances != 2 || info.InQuota != 1 {
			t.Errorf("info = %+v, %v", info, err)
		}
		wants(t, "over the limit", tryCreate(t, "x", limited), winerr.InstanceLimit)
		wants(t, "over the limit, first", tryCreate(t, "x", &first), winerr.InstanceLimit)     // 31
		wants(t, "over the limit, inbound", tryCreate(t, "x", &inbound), winerr.InstanceLimit) // 32
		in.Close()
		ok(t, "after one was closed", tryCreate(t, "x", limited))
	}
}

func TestUnlimited(t *testing.T) {
	useDir(t)
	for range npfs.UnlimitedInstances + 5 {
		mustCreate(t, "x", config())
	}
	c := open(t, "x")
	if info, err := c.Info(); err != nil || info.Instances != npfs.UnlimitedInstances+5 || info.MaxInstances != npfs.UnlimitedInstances {
		t.Errorf("info = %+v, %v", info, err)
	}
}

func TestCreateChecksItsConfiguration(t *testing.T) {
	dir := useDir(t)
	none, toMany, reading := config(), config(), config()
	none.MaxInstances, toMany.MaxInstances, reading.Modes.Read = 0, 256, npfs.Message
	for _, cfg := range []*npfs.CreateConfig{none, toMany, reading} {
		wants(t, "create", tryCreate(t, "x", cfg), winerr.InvalidParameter)
	}
	broken, given := config(), config()
	broken.SDDL, given.SDDL = "D:(A;;", "O:S-1-22-1-4242D:(A;;FA;;;WD)"
	wants(t, "broken descriptor", tryCreate(t, "x", broken), winerr.InvalidParameter)
	if os.Geteuid() != 0 {
		wants(t, "given away", tryCreate(t, "x", given), winerr.AccessDenied)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A descriptor may keep its own owner from adding instances.
func TestCreateAccess(t *testing.T) {
	useDir(t)
	cfg := config()
	cfg.SDDL = "D:(A;;0x12019b;;;WD)" // reading and writing without FILE_CREATE_PIPE_INSTANCE; case 49
	mustCreate(t, "x", cfg)
	if os.Geteuid() == 0 {
		cfg.MaxInstances = 1
	}
	wants(t, "later instance", tryCreate(t, "x", cfg), winerr.AccessDenied)
	open(t, "x")
}

// The lock is never held for long, but if it is, ctx ends the wait for it.
func TestLockObeysContext(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	unlock, err := in.server.claim.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	blocked := background(func() error { _, err := Create(ctx, "x", config()); return err })
	awaitBlocked(t, "takeTurn", 1)
	cancel()
	if err := <-blocked; !errors.Is(err, context.Canceled) {
		t.Errorf("create while locked: %v", err)
	}
	ok(t, "unlock", unlock())
	ok(t, "create", tryCreate(t, "x", config()))
}

// The same between processes.
func TestLockOfOtherProcess(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	other := startChild(t)
	unlock, err := in.server.claim.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other.begin("create x") // pauses until we unlock
	ok(t, "unlock", unlock())
	if got := other.result(); got != "ok" {
		t.Errorf("create: %s", got)
	}
	held := startChild(t)
	held.must("lock x")
	ctx, cancel := context.WithCancel(t.Context())
	blocked := background(func() error { _, err := Create(ctx, "x", config()); return err })
	awaitBlocked(t, "flock", 1)
	cancel()
	if err := <-blocked; !errors.Is(err, context.Canceled) {
		t.Errorf("create while locked: %v", err)
	}
	held.kill() // the kernel unlocks
	ok(t, "create", tryCreate(t, "x", config()))
}

// When something removes the files of a live server, the name can be created again.
func TestFilesRemovedUnderServer(t *testing.T) {
	dir := useDir(t)
	in := mustCreate(t, "x", config())
	if err := os.RemoveAll(in.server.claim.path); err != nil {
		t.Fatal(err)
	}
	_, err := tryOpen(t, "x", both)
	wants(t, "open", err, winerr.FileNotFound)
	second := mustCreate(t, "x", config())
	open(t, "x")
	ok(t, "close the lost one", in.Close())
	_, err = tryOpen(t, "x", both)
	wants(t, "open", err, winerr.PipeNotAvailable)
	ok(t, "close", second.Close())
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left in the namespace: %v, %v", left, err)
	}
}

// Creating and closing from many goroutines keeps the count right and leaves nothing.
func TestCreateAndCloseConcurrently(t *testing.T) {
	dir := useDir(t)
	done := make(chan error)
	for range 4 {
		go func() {
			var err error
			for range 50 {
				in, createErr := Create(context.Background(), "x", config())
				if createErr == nil {
					createErr = in.Close()
				}
				err = errors.Join(err, createErr)
			}
			done <- err
		}()
	}
	for range 4 {
		ok(t, "create and close", <-done)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left in the namespace: %v, %v", left, err)
	}
}
