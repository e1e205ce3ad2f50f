package wire

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// encoder appends little-endian fields to b.
type encoder struct{ b []byte }

func (e *encoder) u8(v uint8)   { e.b = append(e.b, v) }
func (e *encoder) u32(v uint32) { e.b = binary.LittleEndian.AppendUint32(e.b, v) }
func (e *encoder) u64(v uint64) { e.b = binary.LittleEndian.AppendUint64(e.b, v) }

// text appends the length in bytes (4) and the bytes.
func (e *encoder) text(s string) {
	e.u32(uint32(len(s)))
	e.b = append(e.b, s...)
}

// decoder takes fields from the front of b. Its first error sticks, and every field after it is zero.
type decoder struct {
	b   []byte
	err error
}

// take returns the next n bytes, or nil if there are fewer.
func (d *decoder) take(n int) []byte {
	if d.err != nil {
		return nil
	}
	if n > len(d.b) {
		d.err = fmt.Errorf("%w: it ends %d bytes early", ErrMalformed, n-len(d.b))
		return nil
	}
	p := d.b[:n]
	d.b = d.b[n:]
	return p
}

func (d *decoder) u8() uint8 {
	if p := d.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (d *decoder) u32() uint32 {
	if p := d.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (d *decoder) u64() uint64 {
	if p := d.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

// text reads a string that must be UTF-8.
func (d *decoder) text() string {
	n := d.u32()
	if n > MaxPayload {
		d.fail("string of %d bytes", n)
	}
	p := d.take(int(n))
	if !utf8.Valid(p) {
		d.fail("string that is not UTF-8")
		return ""
	}
	return string(p)
}

// upTo reads a byte that may be 0 to most.
func (d *decoder) upTo(most uint8, what string) uint8 {
	v := d.u8()
	if v > most {
		d.fail("%s %d, at most %d is known", what, v, most)
		return 0
	}
	return v
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
	}
}
