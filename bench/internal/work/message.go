// Package work is what the two processes of a measurement do: the server answers, the client asks and measures.
package work

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// The first byte of a message says what is asked of the server. c/work.h speaks the same.
const (
	askEcho  = 'e' // send it back
	askCount = 'c' // count it
	askTotal = 't' // send back how many were counted, and their checksum, and begin anew
)

// Where the fields of a message lie. Messages have spec.MinSize bytes at least.
const (
	numberAt   = 8  // 8 bytes: the message's number, from 0; in a total: how many were counted
	checksumAt = 16 // 8 bytes, in a total: FNV-1a of all bytes of all messages counted
	patternAt  = 16 // where the verified pattern begins
)

// writer makes the messages of one end.
type writer struct {
	msg    []byte
	verify bool
	number uint64
}

func newWriter(s *spec.Spec) *writer {
	return &writer{msg: make([]byte, s.Size), verify: s.Verify}
}

// next makes the next message. Its bytes are valid until the next call.
func (w *writer) next(ask byte) []byte {
	w.msg[0] = ask
	binary.LittleEndian.PutUint64(w.msg[numberAt:], w.number)
	if w.verify {
		for i := patternAt; i < len(w.msg); i++ {
			w.msg[i] = byte(w.number*7 + uint64(i)*13)
		}
	}
	w.number++
	return w.msg
}

// roundTrip sends the next message and checks what comes back.
func (w *writer) roundTrip(l contender.Link, buf []byte) error {
	sent := w.next(askEcho)
	if err := l.Send(sent); err != nil {
		return err
	}
	back, err := l.Receive(buf)
	if err != nil {
		return err
	}
	ok := len(back) == len(sent) && (!w.verify && binary.LittleEndian.Uint64(back[numberAt:]) == w.number-1 || w.verify && bytes.Equal(back, sent))
	if !ok {
		return fmt.Errorf("message %d of %d bytes came back as another of %d bytes", w.number-1, len(sent), len(back))
	}
	return nil
}

// counter counts and checks messages at the receiver.
type counter struct {
	verify   bool
	number   uint64
	checksum uint64
}

// The 64-bit FNV-1a hash, written out so that the C programs can have the same in as many lines.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func fnv(h uint64, p []byte) uint64 {
	for _, b := range p {
		h = (h ^ uint64(b)) * fnvPrime
	}
	return h
}

func (c *counter) reset() { c.number, c.checksum = 0, fnvOffset }

// add takes the next message: nothing may be missing, repeated or out of order.
func (c *counter) add(msg []byte) error {
	if n := binary.LittleEndian.Uint64(msg[numberAt:]); n != c.number {
		return fmt.Errorf("message %d came where %d was next", n, c.number)
	}
	c.number++
	if c.verify {
		c.checksum = fnv(c.checksum, msg)
	}
	return nil
}

// total writes the acknowledgement into msg.
func (c *counter) total(msg []byte) {
	binary.LittleEndian.PutUint64(msg[numberAt:], c.number)
	binary.LittleEndian.PutUint64(msg[checksumAt:], c.checksum)
}
