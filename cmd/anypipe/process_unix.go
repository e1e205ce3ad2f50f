//go:build !windows

package main

import "os"

// interrupt asks a child to end.
func interrupt(p *os.Process) error { return p.Signal(os.Interrupt) }
