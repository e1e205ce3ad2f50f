//go:build race

package soak

// The race detector runs at most 8128 goroutines, so under it idle connections have none that waits for them.
const waitIdle = false
