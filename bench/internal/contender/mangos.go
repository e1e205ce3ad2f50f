package contender

import (
	"errors"
	"io"

	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol/pair"
	_ "go.nanomsg.org/mangos/v3/transport/ipc" // ipc:// addresses

	"github.com/anypipe/anypipe/bench/internal/spec"
)

// mangosPair is the Go implementation of the nanomsg protocols, PAIR over Unix sockets.
func mangosPair() Contender {
	const onePeer = "a PAIR socket has one peer"
	return Contender{
		Name: "mangos", About: "go.nanomsg.org/mangos v3.4.2, PAIR over ipc",
		Listen: listenMangos, Dial: dialMangos,
		Cannot: map[spec.Kind]string{spec.Stream: noStream, spec.Connect: onePeer, spec.Fresh: onePeer, spec.Idle: onePeer},
	}
}

type mangosLink struct{ mangos.Socket }

func (l mangosLink) Receive([]byte) ([]byte, error) {
	m, err := l.Recv()
	if errors.Is(err, mangos.ErrClosed) {
		err = io.EOF
	}
	return m, err
}

func openMangos(s *spec.Spec, open func(mangos.Socket, string) error) (Link, error) {
	socket, err := pair.NewSocket()
	if err != nil {
		return nil, err
	}
	if err := open(socket, "ipc://"+socketPath(s)); err != nil {
		socket.Close()
		return nil, err
	}
	return mangosLink{socket}, nil
}

func dialMangos(s *spec.Spec) (Link, error) { return openMangos(s, mangos.Socket.Dial) }

func listenMangos(s *spec.Spec) (Listener, error) {
	l, err := openMangos(s, mangos.Socket.Listen)
	if err != nil {
		return nil, err
	}
	return newOneLink(l), nil
}
