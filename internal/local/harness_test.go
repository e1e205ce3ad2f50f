//go:build linux || darwin || freebsd

package local

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// useDir gives the test a namespace of its own, with room for socket paths.
func useDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "ap")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv(dirEnv, dir)
	t.Setenv("TMPDIR", dir)
	return dir
}

// config is a duplex byte pipe for one process of this user.
func config() *npfs.CreateConfig {
	return &npfs.CreateConfig{MaxInstances: npfs.UnlimitedInstances, InQuota: 4096, OutQuota: 4096}
}

func mustCreate(t *testing.T, pipe string, cfg *npfs.CreateConfig) *Instance {
	t.Helper()
	in, err := Create(t.Context(), pipe, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

const both = npfs.GenericRead | npfs.GenericWrite

func tryOpen(t *testing.T, pipe string, access npfs.Access) (*Client, error) {
	t.Helper()
	c, err := Open(t.Context(), ".", pipe, &npfs.OpenConfig{Access: access})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

func open(t *testing.T, pipe string) *Client {
	t.Helper()
	c, err := tryOpen(t, pipe, both)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wants compares by NTSTATUS, which is finer than errors.Is.
func wants(t *testing.T, what string, err error, want *winerr.Error) {
	t.Helper()
	if got, ok := errors.AsType[*winerr.Error](err); !ok || got != want {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func ok(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func connect(t *testing.T, in *Instance) error {
	t.Helper()
	return in.Connect(t.Context())
}

// background runs f and returns where its result comes.
func background(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// awaitBlocked returns when n goroutines wait inside the function of that name.
func awaitBlocked(t *testing.T, function string, n int) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	for {
		blocked := 0
		for _, g := range strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			head, _, _ := strings.Cut(g, "\n")
			if strings.Contains(g, function+"(") && (strings.Contains(head, "[select") || strings.Contains(head, "[IO wait") || strings.Contains(head, "[chan receive")) {
				blocked++
			}
		}
		if blocked >= n {
			return
		}
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
}

// awaitWaiters returns when n clients wait at the instance's door.
func awaitWaiters(t *testing.T, in *Instance, n int) {
	t.Helper()
	s := in.server
	for {
		s.mu.Lock()
		got := len(s.waiters)
		s.mu.Unlock()
		if got >= n {
			return
		}
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
