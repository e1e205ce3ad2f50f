package soak

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anypipe/anypipe"
)

// soakFor makes the repeating attacks long.
var soakFor = flag.Duration("soak", 0, "go on with each repeating attack for this long")

const (
	// roleEnv makes the test binary an agent; see runAgent.
	roleEnv = "ANYPIPE_SOAK_AGENT"
	// tooLong is a bound that only serves to fail.
	tooLong = time.Minute
)

// background is for agents, which live until they are killed, and for what outlives a test's context.
var background = context.Background()

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(runAgent(strings.Fields(role)))
	}
	code := m.Run()
	if publicBinary.dir != "" {
		os.RemoveAll(publicBinary.dir)
	}
	os.Exit(code)
}

// rounds counts n rounds, and goes on for as long as -soak says.
func rounds(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		start := time.Now()
		for i := 0; i < n || time.Since(start) < *soakFor; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

// useNamespace gives the test a directory of pipes, which must be empty at its end.
func useNamespace(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "aps")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, err := os.ReadDir(dir); !t.Failed() && err == nil && len(left) > 0 {
			t.Errorf("left in the namespace: %v", left)
		}
		os.RemoveAll(dir)
	})
	t.Setenv("ANYPIPE_DIR", dir)
	t.Setenv("TMPDIR", dir)
	return dir
}

// holdings is what a process has of the system that a connection could leave behind.
type holdings struct{ descriptors, regions int }

// holdingsOf counts the open descriptors and mapped regions of a process.
func holdingsOf(t *testing.T, pid int) holdings {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d", pid)
	fds, err := os.ReadDir(proc + "/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile(proc + "/maps")
	if err != nil {
		t.Fatal(err)
	}
	regions := map[string]bool{} // by inode, as a region may be mapped twice: its first page, and all of it
	for line := range strings.Lines(string(maps)) {
		if fields := strings.Fields(line); strings.Contains(line, "/memfd:anypipe") {
			regions[fields[4]] = true
		}
	}
	return holdings{len(fds), len(regions)}
}

// guardHoldings fails the test if this process holds more at its end than now.
func guardHoldings(t *testing.T) {
	t.Helper()
	pid := os.Getpid()
	r, w, err := anypipe.Pipe(0) // the first connection brings descriptors that stay for a while: the pollers'
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	before := holdingsOf(t, pid)
	t.Cleanup(func() {
		var now holdings
		for range polls(t, "descriptors and regions to be given back") {
			if now = holdingsOf(t, pid); now.descriptors <= before.descriptors && now.regions <= before.regions {
				return
			}
		}
		links, _ := filepath.Glob("/proc/self/fd/*")
		for _, l := range links {
			target, _ := os.Readlink(l)
			t.Log(l, target)
		}
		t.Errorf("before %+v, after %+v", before, now)
	})
}

// polls yields every few milliseconds until the loop's body breaks out; after tooLong the test fails.
func polls(t *testing.T, what string) iter.Seq[int] {
	return func(yield func(int) bool) {
		tick := time.NewTicker(3 * time.Millisecond)
		defer tick.Stop()
		bound := time.After(tooLong)
		for i := 0; yield(i); i++ {
			select {
			case <-tick.C:
			case <-bound:
				t.Errorf("waited in vain for %s", what)
				return
			}
		}
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test mounts file systems or starts another user's processes; run it as root: sudo go test ./soak")
	}
}
