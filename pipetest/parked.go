package pipetest

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// blockingStates are the goroutine states in which an operation counts as blocked. "sleep" is not among them: an operation
// that sleeps and looks again polls. Nor is "syscall": it would hold an OS thread.
var blockingStates = []string{"IO wait", "select", "chan receive", "chan send", "sync.Cond.Wait", "sync.Mutex.Lock",
	"sync.RWMutex.Lock", "sync.RWMutex.RLock", "semacquire"}

// parkedSamples is how many looks in a row must find the goroutine blocked. More than one, as a goroutine is also parked
// for a moment while it waits for a lock or for the answer of a peer that is quick.
const parkedSamples = 4

// goroutineID returns the number of the calling goroutine, as stack dumps print it.
func goroutineID() string {
	buf := make([]byte, 64)
	fields := strings.Fields(string(buf[:runtime.Stack(buf, false)]))
	return fields[1] // "goroutine 7 [running]:"
}

// goroutineStack returns the part of a full stack dump that shows the goroutine, or "" if it has ended.
func goroutineStack(id string) string {
	buf := make([]byte, 64<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	head := []byte("goroutine " + id + " ")
	for part := range bytes.SplitSeq(buf[:n], []byte("\n\n")) {
		if bytes.HasPrefix(part, head) {
			return string(part)
		}
	}
	return ""
}

// goroutineState cuts the state out of a goroutine's stack: "IO wait" of "goroutine 7 [IO wait, 2 minutes]:".
func goroutineState(stack string) string {
	_, rest, _ := strings.Cut(stack, "[")
	state, _, _ := strings.Cut(rest, "]")
	state, _, _ = strings.Cut(state, ",")
	state, _, _ = strings.Cut(state, " (")
	return state
}

// parked watches the goroutine until it stays blocked, which gives nil, or until its operation is done, which gives
// errFinished. It does not wait for a fixed time: it looks again and again, and ctx only bounds a failure.
func parked(ctx context.Context, id string, done <-chan struct{}) error {
	again := time.NewTicker(500 * time.Microsecond)
	defer again.Stop()
	for seen := 0; seen < parkedSamples; {
		stack := goroutineStack(id)
		if slices.Contains(blockingStates, goroutineState(stack)) {
			seen++
		} else {
			seen = 0
		}
		select {
		case <-done:
			return errFinished
		case <-ctx.Done():
			return fmt.Errorf("it neither finishes nor blocks:\n%s", stack)
		case <-again.C:
		}
	}
	return nil
}
