//go:build race

package local

import "sync/atomic"

// causality orders what the race detector can't see: both ends of a connection within one process see its region at
// different addresses. Package syscall keeps a variable like this for the descriptors of both ends of a socket.
var causality atomic.Int64

// released precedes what the other end may learn of; what happened before it happened before acquired there.
func released() { causality.Add(1) }

// acquired follows what was learned of the other end.
func acquired() { causality.Load() }
