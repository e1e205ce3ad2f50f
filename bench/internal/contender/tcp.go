package contender

import (
	"net"
	"os"
	"path/filepath"

	"github.com/anypipe/anypipe/bench/internal/spec"
)

// tcp is the loopback interface. The port is written to a file of the directory, before the server says it is ready.
func tcp() Contender {
	return Contender{Name: "tcp", About: "Go net, TCP over loopback, length-prefixed frames, one write a message", Listen: listenTCP, Dial: dialTCP}
}

func portFile(s *spec.Spec) string { return filepath.Join(s.Dir, "port") }

func listenTCP(s *spec.Spec) (Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(portFile(s), []byte(l.Addr().String()), 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return netListener{l, func(c net.Conn) Link { return overBytes(c, s) }}, nil
}

func dialTCP(s *spec.Spec) (Link, error) {
	address, err := os.ReadFile(portFile(s))
	if err != nil {
		return nil, err
	}
	c, err := net.Dial("tcp", string(address))
	if err != nil {
		return nil, err
	}
	return overBytes(c, s), nil
}
