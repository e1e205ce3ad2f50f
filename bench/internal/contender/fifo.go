package contender

import (
	"errors"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/bench/internal/spec"
)

// fifo is a pair of kernel pipes, one per direction, opened by name (os.Pipe between processes that are not parent and child).
func fifo() Contender {
	const noConnections = "a FIFO has no connections"
	return Contender{
		Name: "fifo", About: "Go os.File, two FIFOs, length-prefixed frames, one write a message",
		Listen: listenFIFO, Dial: dialFIFO,
		Cannot: map[spec.Kind]string{spec.Connect: noConnections, spec.Fresh: noConnections, spec.Idle: noConnections},
	}
}

func fifoPaths(s *spec.Spec) (toServer, toClient string) {
	return filepath.Join(s.Dir, "to-server"), filepath.Join(s.Dir, "to-client")
}

// duplex is both pipes as one connection.
type duplex struct{ in, out *os.File }

func (d duplex) Read(p []byte) (int, error)  { return d.in.Read(p) }
func (d duplex) Write(p []byte) (int, error) { return d.out.Write(p) }
func (d duplex) Close() error                { return errors.Join(d.in.Close(), d.out.Close()) }

// openDuplex opens for reading and writing so that no open waits for the other side.
func openDuplex(in, out string) (duplex, error) {
	r, err := os.OpenFile(in, os.O_RDWR, 0)
	if err != nil {
		return duplex{}, err
	}
	w, err := os.OpenFile(out, os.O_RDWR, 0)
	if err != nil {
		r.Close()
		return duplex{}, err
	}
	return duplex{r, w}, nil
}

func dialFIFO(s *spec.Spec) (Link, error) {
	toServer, toClient := fifoPaths(s)
	d, err := openDuplex(toClient, toServer)
	if err != nil {
		return nil, err
	}
	return overBytes(d, s), nil
}

func listenFIFO(s *spec.Spec) (Listener, error) {
	toServer, toClient := fifoPaths(s)
	if err := errors.Join(unix.Mkfifo(toServer, 0o600), unix.Mkfifo(toClient, 0o600)); err != nil {
		return nil, err
	}
	d, err := openDuplex(toServer, toClient)
	if err != nil {
		return nil, err
	}
	return newOneLink(overBytes(d, s)), nil
}

// oneLink is the listener of a carrier that has one link only.
type oneLink struct {
	link  chan Link
	close func()
}

func newOneLink(l Link) *oneLink {
	o := &oneLink{link: make(chan Link, 1)}
	o.link <- l
	o.close = sync.OnceFunc(func() { close(o.link) })
	return o
}

func (o *oneLink) Accept() (Link, error) {
	l, ok := <-o.link
	if !ok {
		return nil, os.ErrClosed
	}
	return l, nil
}

func (o *oneLink) Close() error {
	o.close()
	return nil
}
