package anypipe_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain gives the tests a namespace of their own and fails if any test left a goroutine of this module behind.
func TestMain(m *testing.M) {
	if os.Getenv(shoutVariable) != "" {
		os.Exit(shout())
	}
	dir, err := os.MkdirTemp("", "anypipe")
	if err != nil {
		panic(err)
	}
	os.Setenv("ANYPIPE_DIR", dir)
	os.Setenv("TMPDIR", dir)
	code := m.Run()
	if leaked := leakedGoroutines(); code == 0 && leaked != "" {
		fmt.Fprintln(os.Stderr, "goroutines left behind:\n"+leaked)
		code = 1
	}
	if entries, err := os.ReadDir(dir); code == 0 && (err != nil || len(entries) > 0) {
		fmt.Fprintln(os.Stderr, "left in the namespace:", entries, err)
		code = 1
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// leakedGoroutines returns the stacks of goroutines that run code of this module, after giving those that are just
// ending the time to do so.
func leakedGoroutines() string {
	var leaked []string
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		leaked = nil
		buf := make([]byte, 1<<20)
		for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			dispatcher := strings.Contains(g, "local.(*port).dispatch(") // Windows: lives as long as the process
			if strings.Contains(g, "github.com/anypipe/anypipe") && !strings.Contains(g, "TestMain") && !dispatcher {
				leaked = append(leaked, g)
			}
		}
		if leaked == nil || time.Now().After(deadline) {
			return strings.Join(leaked, "\n\n")
		}
	}
}
