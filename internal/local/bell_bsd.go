//go:build darwin || freebsd

package local

import "runtime"

// sendNoSignal: Go's runtime ignores SIGPIPE on descriptors other than 1 and 2, and these systems' flag differs.
const sendNoSignal = 0

// yieldCPU lets another goroutine run; the systems give no cheap way to yield to another process.
func yieldCPU() { runtime.Gosched() }
