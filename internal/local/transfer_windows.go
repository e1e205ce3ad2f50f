package local

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"

	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// maxTransfer is the most that one call of the kernel is given.
const maxTransfer = 1<<31 - 1

// firstBuffer is how much a call for a whole message reads at first if its buffer has no room: most messages fit.
const firstBuffer = 4 << 10

// Read is ReadFile.
func (e *end) Read(p []byte) (int, error) {
	if err := e.enter(); err != nil {
		return 0, err
	}
	defer e.leave()
	if err := e.turns.take(false, e.reads, e.over); err != nil {
		return 0, err
	}
	defer e.turns.drop(false)
	return e.read(context.Background(), p)
}

// read is Read for who has the turn.
func (e *end) read(ctx context.Context, p []byte) (int, error) {
	op := newOperation(e.handle)
	defer op.free()
	op.out = p[:min(len(p), maxTransfer)]
	return readResult(e.runUntil(ctx, e.reads, op, submitRead))
}

// readResult turns the end of a ReadFile into that of Read.
func readResult(n int, status windows.NTStatus, err error) (int, error) {
	switch {
	case status == windows.STATUS_BUFFER_OVERFLOW:
		return n, winerr.MoreData
	case errors.Is(err, winerr.BrokenPipe):
		return 0, io.EOF
	case err != nil:
		return 0, err
	}
	return n, nil
}

// Write is WriteFile. What a byte-type pipe is given beyond 2 GiB goes in several writes.
func (e *end) Write(p []byte) (n int, err error) {
	if len(p) > maxTransfer && e.typ == npfs.Message {
		return 0, winerr.InvalidParameter
	}
	if err := e.enter(); err != nil {
		return 0, err
	}
	defer e.leave()
	for {
		chunk := p[:min(len(p), maxTransfer)]
		k, err := e.write(chunk)
		n += k
		if p = p[k:]; err != nil || len(p) == 0 || k < len(chunk) {
			return n, err
		}
	}
}

func (e *end) write(p []byte) (int, error) {
	if e.writes.by.passed() {
		return 0, os.ErrDeadlineExceeded
	}
	op := newOperation(e.handle)
	defer op.free()
	op.in = p
	n, _, err := e.run(e.writes, op, submitWrite)
	return n, err
}

// CloseWrite sends an empty message, which is all the half-close that Windows has. It does not wait.
func (e *end) CloseWrite() error {
	if e.typ != npfs.Message {
		return winerr.NotSupported
	}
	_, err := e.Write(nil)
	return err
}

// ReadMessage appends the next whole message to buf. In byte-read mode the handle is in message-read mode meanwhile.
func (e *end) ReadMessage(buf []byte, limit int) ([]byte, error) {
	if e.typ != npfs.Message {
		return buf, winerr.BadPipe
	}
	if err := e.enter(); err != nil {
		return buf, err
	}
	defer e.leave()
	if err := e.turns.take(true, e.reads, e.over); err != nil {
		return buf, err
	}
	return e.readNext(context.Background(), buf, limit)
}

// readNext is ReadMessage for who has the turn, which it gives back.
func (e *end) readNext(ctx context.Context, buf []byte, limit int) ([]byte, error) {
	defer e.turns.drop(true)
	if err := e.readWhole(true); err != nil {
		return buf, err
	}
	buf, err := e.readMessage(ctx, buf, len(buf), limit, 0)
	if back := e.readWhole(false); err == nil && !errors.Is(back, winerr.PipeNotConnected) {
		err = back
	}
	return buf, err
}

// readMessage appends what is left of the current message; from is where in buf the message begins, and length what is known of
// the length of the rest. The caller excludes other readers.
func (e *end) readMessage(ctx context.Context, buf []byte, from, limit, length int) ([]byte, error) {
	for {
		buf = makeRoom(buf, length)
		room := buf[len(buf):cap(buf)]
		if limit > 0 {
			room = room[:min(len(room), from+limit-len(buf))]
		}
		n, err := e.read(ctx, room)
		buf = buf[:len(buf)+n]
		if err != winerr.MoreData || limit > 0 && len(buf)-from == limit {
			return buf, err
		}
		if length, err = e.restOfMessage(); err != nil {
			return buf, err
		}
	}
}

// makeRoom grows buf so that n more bytes fit, or a first guess if n is not known.
func makeRoom(buf []byte, n int) []byte {
	if n == 0 && cap(buf) > len(buf) {
		return buf
	}
	if n == 0 {
		n = firstBuffer
	}
	return slices.Grow(buf, n)
}

// restOfMessage returns how much of a partly read message is left. If its writer took it back, nothing is: what was read of it
// is no message then.
func (e *end) restOfMessage() (int, error) {
	header := make([]byte, peekHeader)
	op := newOperation(e.handle)
	defer op.free()
	op.code, op.out = fsctlPeek, header
	if _, _, err := e.run(e.reads, op, submitControl); err != nil {
		return 0, err
	}
	if length := parsePeek(header).Length; length > 0 {
		return length, nil
	}
	return 0, winerr.BrokenPipe
}

// Transact is TransactNamedPipe. While others read, the kernel judges.
func (e *end) Transact(request, buf []byte, limit int) ([]byte, error) {
	if err := e.enter(); err != nil {
		return buf, err
	}
	defer e.leave()
	return e.transact(context.Background(), request, buf, limit)
}

func (e *end) transact(ctx context.Context, request, buf []byte, limit int) ([]byte, error) {
	if e.turns.try(true) {
		defer e.turns.drop(true)
	}
	op, reply := e.transaction(request, buf, limit)
	n, status, err := e.runUntil(ctx, e.reads, op, submitControl)
	op.free()
	return reply.finish(ctx, e, n, status, err)
}

// reply is where a transact's answer goes: it is appended to buf, at most limit bytes of it if that is not 0.
type reply struct {
	buf   []byte // with room behind from
	from  int
	limit int
}

// transaction returns the operation that sends a request and reads what fits of the answer.
func (e *end) transaction(request, buf []byte, limit int) (*operation, reply) {
	r := reply{makeRoom(buf, 0), len(buf), limit}
	room := r.buf[r.from:cap(r.buf)]
	if limit > 0 {
		room = room[:min(len(room), limit)]
	}
	op := newOperation(e.handle)
	op.code, op.in, op.out = fsctlTransceive, request, room
	return op, r
}

// finish is given how the operation ended, and reads what is left of the answer.
func (r reply) finish(ctx context.Context, e *end, n int, status windows.NTStatus, err error) ([]byte, error) {
	if err != nil {
		return r.buf[:r.from], err
	}
	buf := r.buf[:r.from+n]
	switch {
	case status != windows.STATUS_BUFFER_OVERFLOW:
		return buf, nil
	case n == r.limit:
		return buf, winerr.MoreData
	}
	rest, err := e.restOfMessage()
	if err != nil {
		return buf, err
	}
	return e.readMessage(ctx, buf, r.from, r.limit, rest)
}
