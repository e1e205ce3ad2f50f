package contender

import (
	"net"
	"path/filepath"

	"github.com/anypipe/anypipe/bench/internal/spec"
)

func socketPath(s *spec.Spec) string { return filepath.Join(s.Dir, "s") }

// unixStream is what a Go program would use without any library.
func unixStream() Contender {
	return Contender{
		Name: spec.Baseline, About: "Go net, unix stream socket, length-prefixed frames, one write a message",
		Listen: func(s *spec.Spec) (Listener, error) {
			l, err := net.Listen("unix", socketPath(s))
			if err != nil {
				return nil, err
			}
			return netListener{l, func(c net.Conn) Link { return overBytes(c, s) }}, nil
		},
		Dial: func(s *spec.Spec) (Link, error) {
			c, err := net.Dial("unix", socketPath(s))
			if err != nil {
				return nil, err
			}
			return overBytes(c, s), nil
		},
	}
}

// packet is a socket that keeps message boundaries by itself.
type packet struct{ net.Conn }

func (p packet) Send(b []byte) error {
	_, err := p.Write(b)
	return err
}

func (p packet) Receive(buf []byte) ([]byte, error) {
	n, err := p.Read(buf)
	return buf[:n], err
}

func unixPacket() Contender {
	return Contender{
		Name: "unixpacket", About: "Go net, unix SEQPACKET socket",
		Listen: func(s *spec.Spec) (Listener, error) {
			l, err := net.Listen("unixpacket", socketPath(s))
			if err != nil {
				return nil, err
			}
			return netListener{l, func(c net.Conn) Link { return packet{c} }}, nil
		},
		Dial: func(s *spec.Spec) (Link, error) {
			c, err := net.Dial("unixpacket", socketPath(s))
			if err != nil {
				return nil, err
			}
			return packet{c}, nil
		},
		Cannot: map[spec.Kind]string{spec.Stream: noStream},
	}
}
