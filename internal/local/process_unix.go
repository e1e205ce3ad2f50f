//go:build linux || darwin || freebsd

package local

import (
	"context"
	"sync"
)

// process is this process' part of the namespace: its server for each claim, by the claim's path. It is package state
// because the kernel's view is per process too: one door per process and name, whoever in the process creates instances.
//
// A server is in the map exactly while its door listens; mu makes both change together.
var process = struct {
	mu      sync.Mutex
	servers map[string]*server
	turns   map[string]*turn // of those who want or have a claim's lock
}{servers: map[string]*server{}, turns: map[string]*turn{}}

// A turn orders the goroutines of this process that want one claim's lock, so that only one at a time has to pause for
// other processes.
type turn struct {
	token chan struct{} // holds one token while somebody has the turn
	users int           // guarded by process.mu; at 0 the turn leaves the map
}

// takeTurn waits for the turn at the claim until ctx is done. A turn that is free is taken even then.
func takeTurn(ctx context.Context, path string) (release func(), err error) {
	process.mu.Lock()
	t := process.turns[path]
	if t == nil {
		t = &turn{token: make(chan struct{}, 1)}
		process.turns[path] = t
	}
	t.users++
	process.mu.Unlock()
	leave := func() {
		process.mu.Lock()
		defer process.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(process.turns, path)
		}
	}
	select {
	case t.token <- struct{}{}:
		return func() { <-t.token; leave() }, nil
	default:
	}
	select {
	case t.token <- struct{}{}:
		return func() { <-t.token; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
