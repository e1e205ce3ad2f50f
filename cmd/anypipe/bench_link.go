package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	"github.com/anypipe/anypipe"
)

// The carriers that bench knows.
const (
	transportPipe = "pipe"
	transportUnix = "unix"
)

// maxFrame is the largest message of bench. Peers are not trusted with more.
const maxFrame = 16 << 20

// link carries messages between the two processes of bench.
type link interface {
	// send sends p as one message.
	send(p []byte) error
	// receive returns the next message, in buf if it fits.
	receive(buf []byte) ([]byte, error)
	io.Closer
}

// pipeLink is a message-type pipe. Read in message-read mode takes a message that fits in one call.
type pipeLink struct{ *anypipe.Conn }

// newPipeLink switches to message-read mode, in which a Read takes one message and needs no further buffer.
func newPipeLink(c *anypipe.Conn) (link, error) {
	return pipeLink{c}, c.SetReadMode(anypipe.Message)
}

// send is one Write: the type of the pipe keeps the boundary.
func (l pipeLink) send(p []byte) error {
	_, err := l.Write(p)
	return err
}

// receive fails with ErrMoreData if the message is larger than buf, which no job of bench sends.
func (l pipeLink) receive(buf []byte) ([]byte, error) {
	n, err := l.Read(buf[:cap(buf)])
	return buf[:n], err
}

// socketLink is a Unix socket with 4-byte length prefixes.
type socketLink struct {
	net.Conn
	in  *bufio.Reader
	out []byte // the frame being sent
}

// newSocketLink buffers what is read, as every careful user of sockets does; without it each frame costs two reads.
func newSocketLink(c net.Conn) link {
	return &socketLink{Conn: c, in: bufio.NewReaderSize(c, 64<<10)}
}

// send puts prefix and payload into one write: two would be two packets and twice the system calls.
func (l *socketLink) send(p []byte) error {
	l.out = append(binary.BigEndian.AppendUint32(l.out[:0], uint32(len(p))), p...)
	_, err := l.Write(l.out)
	return err
}

// receive checks the length before it believes it. Peek and Discard keep the prefix out of the heap.
func (l *socketLink) receive(buf []byte) ([]byte, error) {
	header, err := l.in.Peek(4)
	if err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(header))
	if n > maxFrame || n > cap(buf) {
		return nil, fmt.Errorf("a frame of %d bytes, expected at most %d", n, min(maxFrame, cap(buf)))
	}
	if _, err := l.in.Discard(4); err != nil {
		return nil, err
	}
	_, err = io.ReadFull(l.in, buf[:n])
	return buf[:n], err
}
