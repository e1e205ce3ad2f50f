package contender

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	"github.com/anypipe/anypipe/bench/internal/spec"
)

// framed carries messages over a stream of bytes: a 4-byte length, then the message, in one write.
type framed struct {
	io.Closer
	w   io.Writer
	in  *bufio.Reader
	out []byte // the frame being sent
}

// raw carries a stream of bytes: what is sent is written, what is received fills the buffer.
type raw struct{ io.ReadWriteCloser }

// overBytes makes the link that suits the workload.
func overBytes(c io.ReadWriteCloser, s *spec.Spec) Link {
	if s.Kind == spec.Stream {
		return raw{c}
	}
	return newFramed(c, c, c, s)
}

func newFramed(r io.Reader, w io.Writer, c io.Closer, s *spec.Spec) *framed {
	return &framed{Closer: c, w: w, in: bufio.NewReaderSize(r, bufferSize(s))}
}

func (f *framed) Send(p []byte) error {
	f.out = append(binary.LittleEndian.AppendUint32(f.out[:0], uint32(len(p))), p...)
	_, err := f.w.Write(f.out)
	return err
}

func (f *framed) Receive(buf []byte) ([]byte, error) {
	header, err := f.in.Peek(4)
	if err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(header))
	if n > int64(len(buf)) {
		return nil, fmt.Errorf("a frame of %d bytes, expected at most %d", n, len(buf))
	}
	if _, err := f.in.Discard(4); err != nil {
		return nil, err
	}
	_, err = io.ReadFull(f.in, buf[:n])
	return buf[:n], err
}

func (r raw) Send(p []byte) error {
	_, err := r.Write(p)
	return err
}

func (r raw) Receive(buf []byte) ([]byte, error) {
	_, err := io.ReadFull(r, buf)
	return buf, err
}

// netListener gives the connections of a net.Listener as links.
type netListener struct {
	net.Listener
	link func(net.Conn) Link
}

func (l netListener) Accept() (Link, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.link(c), nil
}
