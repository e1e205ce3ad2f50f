// Package soak attacks the library from outside: processes killed under load, peers that scribble over everything they can
// reach, thousands of connections, full disks, other users. It holds tests only. They start this test binary again as agents, so
// that what is killed and what survives are real processes.
//
// Bounded runs are part of go test ./...; go test ./soak -soak=10m goes on with each repeating attack for that long.
package soak
