package local

import (
	"encoding/binary"

	"github.com/anypipe/anypipe/internal/npfs"
)

// peekHeader is the size of FILE_PIPE_PEEK_BUFFER before its data: state, bytes available, messages, length of the first.
const peekHeader = 16

// parsePeek reads the header.
func parsePeek(header []byte) npfs.Peeked {
	field := func(i int) uint32 { return binary.LittleEndian.Uint32(header[4*i:]) }
	return npfs.Peeked{
		State: npfs.State(field(0)), Available: int(field(1)), Messages: int(field(2)), Length: int(field(3)),
	}
}

// Peek is PeekNamedPipe; it never waits.
func (e *end) Peek(p []byte) (npfs.Peeked, error) {
	answer := make([]byte, peekHeader+len(p))
	n, err := e.control(fsctlPeek, nil, answer)
	if err != nil {
		return npfs.Peeked{}, err
	}
	out := parsePeek(answer)
	out.Read = copy(p, answer[peekHeader:max(n, peekHeader)])
	out.Left = out.Length - out.Read // on byte-type pipes the length is 0, and Win32 lets it wrap
	return out, nil
}
