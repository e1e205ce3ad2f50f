//go:build !race

package main

const countsAllocations = true
