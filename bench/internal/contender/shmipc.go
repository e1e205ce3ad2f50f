package contender

import (
	"io"
	"net"
	"path/filepath"

	"github.com/cloudwego/shmipc-go"

	"github.com/anypipe/anypipe/bench/internal/spec"
)

// shmIPC is the shared-memory library that Go users would pick: one session and one stream per connection, one flush a message.
func shmIPC() Contender {
	return Contender{
		Name: "shmipc-go", About: "cloudwego/shmipc-go v0.2.0, one stream a session, one flush a message",
		Listen: listenShm, Dial: dialShm, Conns: 200, Races: true,
		Cannot: map[spec.Kind]string{spec.Stream: noStream},
	}
}

// shmBuffer is the shared memory of one session; less than 1 MiB is refused.
func shmBuffer(s *spec.Spec) uint32 {
	if s.Kind == spec.Connect || s.Kind == spec.Idle {
		return 1 << 20
	}
	return 32 << 20
}

type shmLink struct {
	stream *shmipc.Stream
	close  func() error
}

func (l shmLink) Send(p []byte) error {
	if _, err := l.stream.BufferWriter().WriteBytes(p); err != nil {
		return err
	}
	return l.stream.Flush(false)
}

// Receive copies, as every other contender does, and gives the shared memory back.
func (l shmLink) Receive(buf []byte) ([]byte, error) {
	r := l.stream.BufferReader()
	b, err := r.ReadBytes(len(buf))
	if err != nil {
		return nil, err
	}
	n := copy(buf, b)
	r.ReleasePreviousRead()
	return buf[:n], nil
}

func (l shmLink) Close() error { return l.close() }

// silent is the log level at which the library, which logs to standard output, says nothing.
const silent = 5

func dialShm(s *spec.Spec) (Link, error) {
	shmipc.SetLogLevel(silent)
	config := shmipc.DefaultSessionManagerConfig()
	config.Network, config.Address, config.SessionNum = "unix", socketPath(s), 1
	config.ShareMemoryPathPrefix = filepath.Join("/dev/shm", filepath.Base(s.Dir))
	config.QueuePath = config.ShareMemoryPathPrefix + "-queue"
	config.MemMapType, config.ShareMemoryBufferCap, config.LogOutput = shmipc.MemMapTypeMemFd, shmBuffer(s), io.Discard
	manager, err := shmipc.NewSessionManager(config)
	if err != nil {
		return nil, err
	}
	stream, err := manager.GetStream()
	if err != nil {
		manager.Close()
		return nil, err
	}
	return shmLink{stream, manager.Close}, nil
}

type shmListener struct{ net.Listener }

func listenShm(s *spec.Spec) (Listener, error) {
	shmipc.SetLogLevel(silent)
	l, err := net.Listen("unix", socketPath(s))
	if err != nil {
		return nil, err
	}
	return shmListener{l}, nil
}

func (l shmListener) Accept() (Link, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	config := shmipc.DefaultConfig()
	config.LogOutput = io.Discard
	session, err := shmipc.Server(c, config)
	if err != nil {
		return nil, err
	}
	return &shmServerLink{session: session}, nil
}

// shmServerLink is a session whose stream begins with the client's first message.
type shmServerLink struct {
	session *shmipc.Session
	shmLink
}

func (l *shmServerLink) Receive(buf []byte) ([]byte, error) {
	if l.stream == nil {
		stream, err := l.session.AcceptStream()
		if err != nil {
			return nil, err
		}
		l.stream = stream
	}
	return l.shmLink.Receive(buf)
}

func (l *shmServerLink) Close() error { return l.session.Close() }
