//go:build linux || darwin || freebsd

package local

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/anypipe/anypipe/internal/winerr"
)

const forever = -1

func wait(t *testing.T, pipe string, timeout time.Duration) error {
	t.Helper()
	return Wait(t.Context(), ".", pipe, timeout)
}

// Cases 83 to 85, 89, 90.
func TestWaitTimeouts(t *testing.T) {
	useDir(t)
	for _, timeout := range []time.Duration{0, forever, time.Millisecond} {
		wants(t, "absent", wait(t, "x", timeout), winerr.FileNotFound)
	}
	cfg := config()
	cfg.DefaultTimeout = 3 * time.Millisecond
	mustCreate(t, "x", cfg)
	ok(t, "LISTENING", wait(t, "x", forever))
	for range 50 { // the talk with the door is no part of the timeout
		ok(t, "LISTENING, 1 ns", wait(t, "x", time.Nanosecond))
	}
	open(t, "x")
	wants(t, "busy, default", wait(t, "x", 0), winerr.SemTimeout)
	wants(t, "busy, 1 ms", wait(t, "x", time.Millisecond), winerr.SemTimeout)
	if err := Wait(canceled(), ".", "x", forever); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	wants(t, "other machine", Wait(t.Context(), "elsewhere", "x", 0), winerr.NotSupported)
}

// Cases 86, 87, 93: all waiters wake when an instance enters LISTENING, and nothing is reserved.
func TestWaitersWake(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	open(t, "x")
	waiters := func() (all []<-chan error) {
		for range 3 {
			all = append(all, background(func() error { return wait(t, "x", forever) }))
		}
		awaitWaiters(t, in, 3)
		return all
	}
	all := waiters()
	ok(t, "disconnect", in.Disconnect())
	awaitWaiters(t, in, 3) // not by Disconnect
	if err := in.Connect(canceled()); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for _, w := range all {
		ok(t, "wait for Connect", <-w)
	}
	open(t, "x")
	all = waiters()
	mustCreate(t, "x", config())
	for _, w := range all {
		ok(t, "wait for Create", <-w)
	}
	open(t, "x")
	_, err := tryOpen(t, "x", both) // 88
	wants(t, "the slower one", err, winerr.PipeNotAvailable)
}

// Case 92.
func TestWaitEndsWithThePipe(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	open(t, "x")
	waiter := background(func() error { return wait(t, "x", forever) })
	awaitWaiters(t, in, 1)
	ok(t, "close", in.Close())
	wants(t, "wait", <-waiter, winerr.FileNotFound)
}

// A waiter that gives up leaves no trace at the door.
func TestWaitCancelled(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	open(t, "x")
	ctx, cancel := context.WithCancel(t.Context())
	waiter := background(func() error { return Wait(ctx, ".", "x", forever) })
	awaitWaiters(t, in, 1)
	cancel()
	if err := <-waiter; !errors.Is(err, context.Canceled) {
		t.Errorf("wait: %v", err)
	}
	s := in.server
	for {
		s.mu.Lock()
		left := len(s.waiters)
		changed := len(s.conns)
		s.mu.Unlock()
		if left == 0 && changed == 0 {
			return
		}
		if t.Context().Err() != nil {
			t.Fatal("the waiter is still registered")
		}
	}
}

// A process that joins the name serves those who wait at another's door.
func TestWaitSeesNewProcess(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	open(t, "x")
	waiter := background(func() error { return wait(t, "x", forever) })
	awaitWaiters(t, in, 1)
	other := startChild(t)
	other.must("create x")
	ok(t, "wait", <-waiter)
	open(t, "x")
	if got := other.must("peer 0"); got == "" {
		t.Error("the client is not at the other process")
	}
}

// Waiting at two doors: when one process is killed the other still serves, when both are gone the name is.
func TestWaitSurvivesKilledProcess(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	open(t, "x")
	other := startChild(t)
	other.must("create x")
	open(t, "x")
	waiter := background(func() error { return wait(t, "x", forever) })
	awaitWaiters(t, in, 1)
	other.kill()
	awaitWaiters(t, in, 1) // it comes again, and finds this door only
	ok(t, "disconnect", in.Disconnect())
	if err := in.Connect(canceled()); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	ok(t, "wait", <-waiter)
	open(t, "x")
	waiter = background(func() error { return wait(t, "x", forever) })
	awaitWaiters(t, in, 1)
	ok(t, "close", in.Close())
	wants(t, "wait", <-waiter, winerr.FileNotFound)
}
