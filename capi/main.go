// Package main is libanypipe, the C library: anypipe.h is its contract and says what each function does.
//
// A call comes in by a function of abi.c, the public symbol, which checks pointers and that the process is not a forked child, and goes
// on in the Go function of the same name with the prefix lib. That looks the handle up (handles.go) and calls package anypipe.
// What a caller's code can do to us ends there: a handle is only a number, and memory is only touched where the contract says so.
package main

/*
#cgo CFLAGS: -I${SRCDIR} -DANYPIPE_STATIC -Wall -Wextra -Wno-unused-parameter -O2
#cgo linux darwin freebsd LDFLAGS: -lpthread
#include "anypipe.h"
*/
import "C"

// main is never called; the build modes for libraries want it.
func main() {}
