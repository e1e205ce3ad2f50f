//go:build race

package main

// The race detector makes pools forget at random, so allocations can't be counted.
const countsAllocations = false
