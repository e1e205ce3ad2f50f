package contender

import (
	"context"
	"path/filepath"

	"github.com/anypipe/anypipe"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// pipeBuffer is the quota where throughput is measured, about what the kernel gives a Unix socket. Elsewhere the default.
const pipeBuffer = 256 << 10

func pipeName(s *spec.Spec) string { return filepath.Base(s.Dir) }

// anypipeMessages is this project through its public API: message type, or byte type for the stream of bytes.
func anypipeMessages() Contender {
	return Contender{Name: spec.Subject, About: "this project: message-type pipe through the public Go API", Listen: listenPipe, Dial: dialPipe}
}

type pipeListener struct {
	*anypipe.Listener
	s *spec.Spec
}

func listenPipe(s *spec.Spec) (Listener, error) {
	config := anypipe.ListenConfig{Type: anypipe.Message, ReadMode: anypipe.Message, First: true}
	if s.Kind == spec.Stream {
		config.Type, config.ReadMode, config.NoForeign = anypipe.Byte, anypipe.Byte, true
	}
	if s.Kind == spec.OneWay || s.Kind == spec.Stream {
		config.InBuffer, config.OutBuffer = pipeBuffer, pipeBuffer
	}
	l, err := config.Listen(context.Background(), pipeName(s))
	if err != nil {
		return nil, err
	}
	return pipeListener{l, s}, nil
}

func (l pipeListener) Accept() (Link, error) {
	c, err := l.AcceptPipe(context.Background())
	if err != nil {
		return nil, err
	}
	return pipeLink(c, l.s), nil
}

func dialPipe(s *spec.Spec) (Link, error) {
	d := anypipe.Dialer{ReadMode: anypipe.Message}
	if s.Kind == spec.Stream {
		d.ReadMode = anypipe.Byte
	}
	c, err := d.Dial(context.Background(), pipeName(s))
	if err != nil {
		return nil, err
	}
	return pipeLink(c, s), nil
}

func pipeLink(c *anypipe.Conn, s *spec.Spec) Link {
	if s.Kind == spec.Stream {
		return raw{c}
	}
	return packet{c} // in message-read mode, one read is one message
}
