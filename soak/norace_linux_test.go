//go:build !race

package soak

// waitIdle says that a goroutine waits in Read for each idle connection, as servers do.
const waitIdle = true
