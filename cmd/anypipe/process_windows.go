package main

import "os"

// interrupt ends a child: Windows has no way to ask one that shares our console without asking ourselves too.
func interrupt(p *os.Process) error { return p.Kill() }
