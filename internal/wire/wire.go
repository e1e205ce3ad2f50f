// Package wire is the door protocol: the few frames that a client and a server process exchange on the Unix stream
// socket of a pipe before the socket becomes a connection's doorbell. docs/protocol.md describes it for other languages.
//
// A frame is an 8-byte header and a payload. A connection carries one request and its answer. Nothing is read beyond
// the end of a frame, as the bytes after an Opened frame belong to the connection.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	// Magic starts every frame: the bytes 'A' 'P'.
	Magic uint16 = 'A' | 'P'<<8
	// Version is the protocol's version. Both sides refuse any other.
	Version = 3
	// HeaderSize is the size of a frame's header: magic (2), version (1), kind (1), payload length (4), little-endian.
	HeaderSize = 8
	// MaxPayload bounds a Described frame, which carries a security descriptor in text form.
	MaxPayload = 192 << 10
	// MaxSmall bounds the payload of all other frames.
	MaxSmall = 4 << 10
	// MaxText bounds the words in an Opened frame.
	MaxText = 1 << 10
)

// Kind is a frame's type.
type Kind uint8

// The frames. Requests are Open, Wait, Query and Nudge; the others answer.
const (
	KindOpen Kind = iota + 1
	KindOpened
	KindWait
	KindWaiting
	KindWoken
	KindChanged
	KindQuery
	KindDescribed
	KindNudge
)

// limit returns the longest payload of a frame.
func (k Kind) limit() int {
	if k == KindDescribed {
		return MaxPayload
	}
	return MaxSmall
}

// A Message is the content of one frame.
type Message interface {
	kind() Kind
	encode(e *encoder)
	decode(d *decoder)
}

var (
	// ErrMalformed is in the chain of every error about a frame that breaks the protocol.
	ErrMalformed = errors.New("malformed door frame")
	// ErrVersion says that the other side speaks another version of the protocol.
	ErrVersion = fmt.Errorf("%w: unknown version", ErrMalformed)
)

// newMessage returns an empty message of kind k, or nil if there is no such kind.
func newMessage(k Kind) Message {
	switch k {
	case KindOpen:
		return new(Open)
	case KindOpened:
		return new(Opened)
	case KindWait:
		return new(Wait)
	case KindWaiting:
		return new(Waiting)
	case KindWoken:
		return new(Woken)
	case KindChanged:
		return new(Changed)
	case KindQuery:
		return new(Query)
	case KindDescribed:
		return new(Described)
	case KindNudge:
		return new(Nudge)
	}
	return nil
}

// Append appends m as one frame to b.
func Append(b []byte, m Message) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint16(b, Magic)
	b = append(b, Version, byte(m.kind()))
	b = append(b, 0, 0, 0, 0)
	e := encoder{b}
	m.encode(&e)
	binary.LittleEndian.PutUint32(e.b[start+4:], uint32(len(e.b)-start-HeaderSize))
	return e.b
}

// Write writes m as one frame with a single call of w.Write.
func Write(w io.Writer, m Message) error {
	frame := Append(nil, m)
	if n, most := len(frame)-HeaderSize, m.kind().limit(); n > most {
		return fmt.Errorf("%w: payload of %d bytes, at most %d are allowed", ErrMalformed, n, most)
	}
	_, err := w.Write(frame)
	return err
}

// Read reads exactly one frame. The error is io.EOF if r ends before the first byte and io.ErrUnexpectedEOF if it ends
// within the frame.
func Read(r io.Reader) (Message, error) {
	var h [HeaderSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, err
	}
	k, n, err := header(h)
	if err != nil {
		return nil, err
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return decode(k, payload)
}

// Whole reports whether b begins with a whole frame, of which only the header is checked, or with what is none.
func Whole(b []byte) bool {
	if len(b) < HeaderSize {
		return false
	}
	_, n, err := header([HeaderSize]byte(b[:HeaderSize]))
	return err != nil || len(b) >= HeaderSize+n
}

// ReadAs reads one frame, which must be of type M.
func ReadAs[M Message](r io.Reader) (M, error) {
	var none M
	m, err := Read(r)
	if err != nil {
		return none, err
	}
	want, ok := m.(M)
	if !ok {
		return none, fmt.Errorf("%w: %T where %T belongs", ErrMalformed, m, none)
	}
	return want, nil
}

// header checks a frame's header.
func header(h [HeaderSize]byte) (Kind, int, error) {
	if magic := binary.LittleEndian.Uint16(h[0:]); magic != Magic {
		return 0, 0, fmt.Errorf("%w: it starts with %#04x instead of %#04x", ErrMalformed, magic, Magic)
	}
	if h[2] != Version {
		return 0, 0, fmt.Errorf("%w %d, this program speaks %d", ErrVersion, h[2], Version)
	}
	k, n := Kind(h[3]), binary.LittleEndian.Uint32(h[4:])
	if n > uint32(k.limit()) {
		return 0, 0, fmt.Errorf("%w: payload of %d bytes, at most %d are allowed", ErrMalformed, n, k.limit())
	}
	return k, int(n), nil
}

// decode decodes a whole payload; surplus bytes are an error, as fields are only added with a new version.
func decode(k Kind, payload []byte) (Message, error) {
	m := newMessage(k)
	if m == nil {
		return nil, fmt.Errorf("%w: unknown kind %d", ErrMalformed, k)
	}
	d := decoder{b: payload}
	m.decode(&d)
	if d.err == nil && len(d.b) > 0 {
		d.err = fmt.Errorf("%w: %d surplus bytes in %T", ErrMalformed, len(d.b), m)
	}
	if d.err != nil {
		return nil, d.err
	}
	return m, nil
}
