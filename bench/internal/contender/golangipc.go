package contender

import (
	"errors"
	"path/filepath"
	"slices"

	ipc "github.com/james-barrow/golang-ipc"

	"github.com/anypipe/anypipe/bench/internal/spec"
)

// golangIPC is james-barrow/golang-ipc, without encryption. A server serves one client.
func golangIPC() Contender {
	const oneClient = "a server serves one client in its life"
	return Contender{
		Name: "golang-ipc", About: "james-barrow/golang-ipc v1.2.4, without encryption (its server sleeps 2 ms after each write)",
		Listen: listenIPC, Dial: dialIPC, Races: true,
		Cannot: map[spec.Kind]string{spec.Stream: noStream, spec.Connect: oneClient, spec.Fresh: oneClient, spec.Idle: oneClient},
	}
}

// ipcEnd is what the library's Server and Client have in common.
type ipcEnd interface {
	Read() (*ipc.Message, error)
	Write(kind int, message []byte) error
	Close()
}

type ipcLink struct {
	ipcEnd
	early [][]byte // messages that overtook the news of the connection
}

// statusName is what the library's messages call a status.
func statusName(s ipc.Status) string { return s.String() }

// Send hands over a copy, as the library keeps the slice until it has been written.
func (l *ipcLink) Send(p []byte) error { return l.Write(1, slices.Clone(p)) }

func (l *ipcLink) Receive([]byte) ([]byte, error) {
	if len(l.early) > 0 {
		m := l.early[0]
		l.early = l.early[1:]
		return m, nil
	}
	for {
		m, err := l.Read()
		switch {
		case err != nil:
			return nil, err
		case m.MsgType > 0:
			return m.Data, nil
		case m.Status == statusName(ipc.Disconnected) || m.Status == statusName(ipc.Closed):
			return nil, errors.New("disconnected")
		}
	}
}

func (l *ipcLink) Close() error {
	l.ipcEnd.Close()
	return nil
}

// connected reads the library's news until it says that the other end is there.
func (l *ipcLink) connected() error {
	for {
		m, err := l.Read()
		if err != nil {
			return err
		}
		if m.MsgType > 0 {
			l.early = append(l.early, m.Data)
		}
		if m.Status == statusName(ipc.Connected) {
			return nil
		}
	}
}

// ipcName leads the library from /tmp, where it puts all sockets, to the measurement's directory.
func ipcName(s *spec.Spec) string { return filepath.Join("..", s.Dir, "s") }

func dialIPC(s *spec.Spec) (Link, error) {
	c, err := ipc.StartClient(ipcName(s), &ipc.ClientConfig{Timeout: 5})
	if err != nil {
		return nil, err
	}
	l := &ipcLink{ipcEnd: c}
	return l, l.connected()
}

// ipcListener is the server as a listener: the first Accept waits for its client, the second for Close.
type ipcListener struct {
	*oneLink
	link *ipcLink
}

func listenIPC(s *spec.Spec) (Listener, error) {
	server, err := ipc.StartServer(ipcName(s), &ipc.ServerConfig{MaxMsgSize: 1 << 20})
	if err != nil {
		return nil, err
	}
	l := &ipcLink{ipcEnd: server}
	return &ipcListener{newOneLink(l), l}, nil
}

func (l *ipcListener) Accept() (Link, error) {
	link, err := l.oneLink.Accept()
	if err != nil {
		return nil, err
	}
	return link, l.link.connected()
}

func (l *ipcListener) Close() error { return errors.Join(l.oneLink.Close(), l.link.Close()) }
