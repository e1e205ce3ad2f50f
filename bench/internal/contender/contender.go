// Package contender holds what is measured: each way to carry messages between two processes, behind one small interface.
package contender

import (
	"fmt"

	"github.com/anypipe/anypipe/bench/internal/spec"
)

// Link carries messages of spec.Spec.Size bytes between the two processes. One goroutine uses it.
type Link interface {
	// Send sends p as one message, in one write. The caller may change p afterwards.
	Send(p []byte) error
	// Receive returns the next message, in buf if the contender lets the caller choose.
	Receive(buf []byte) ([]byte, error)
	Close() error
}

// Listener is the server's side.
type Listener interface {
	Accept() (Link, error)
	Close() error
}

// Contender is one way to carry messages. It has either Listen and Dial or a C program that does all workloads itself.
type Contender struct {
	Name    string
	About   string
	Listen  func(*spec.Spec) (Listener, error)
	Dial    func(*spec.Spec) (Link, error)
	Program string               // the name of a program made from c/<Program>.c
	Library bool                 // the program is linked with libanypipe
	Cannot  map[spec.Kind]string // workloads that make no sense for it, and why
	Races   bool                 // the library has data races, so that a race detector ends its processes
	Conns   int                  // most connections of spec.Idle that fit; 0: no limit
}

// All lists the contenders in the order of the report.
func All() []Contender {
	return []Contender{
		anypipeMessages(), unixStream(), unixPacket(), fifo(), tcp(),
		shmIPC(), golangIPC(), mangosPair(), grpcUnary(), grpcStream(),
		{Name: "capi", About: "this project: message-type pipe through the C library", Program: "capi", Library: true},
		{Name: spec.Limit, About: "C: rings in shared memory, spin and futex (the limit)", Program: "ring"},
		{Name: "c-unix", About: "C: unix stream socket, length-prefixed frames (the plain baseline)", Program: "socket"},
	}
}

// Find returns the contender of that name.
func Find(name string) (Contender, error) {
	for _, c := range All() {
		if c.Name == name {
			return c, nil
		}
	}
	return Contender{}, fmt.Errorf("no contender is named %q", name)
}

// noStream is the reason of those that carry messages only.
const noStream = "carries messages, not a stream of bytes"

// bufferSize is what a reader of framed bytes asks for: much when messages come in rows, little otherwise.
func bufferSize(s *spec.Spec) int {
	if s.Kind == spec.OneWay {
		return 64 << 10
	}
	return 4 << 10
}
