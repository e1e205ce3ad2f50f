package npfs

// An Op is one started operation. Its owner starts it once and then polls or cancels it until it is done; N and Err are
// valid from then on. An Op must not be copied while it is pending. The zero value is ready to start.
type Op struct {
	// N is the result: bytes transferred.
	N int
	// Err is the result: nil, a condition of package winerr, io.EOF, or what Cancel was given.
	Err error
	// Buf is a read's destination; a growing read appends to it and returns it here.
	Buf []byte

	done bool // guarded by the mutex of the reader or writer that the operation belongs to

	// A read. Guarded by reader.mu.
	grow      bool // append to Buf, up to limit bytes if that is not 0
	limit     int
	perRecord bool   // returns at the end of a message
	pended    bool   // was pending, so it takes from one write only
	slot      uint64 // the announcement of it that stands in the lane's slot, or 0
	fed       bool   // was fed: takes exactly allowance bytes
	allowance int
	more      bool // fed a part of a message
	begun     bool // has taken part of a record that is still streaming in

	// A write or flush. Guarded by writer.mu.
	data    []byte // payload, owned by the caller until done
	start   uint64 // payload position of its first byte
	record  uint64 // ring position of its header
	written int    // bytes of data in the ring
	inRing  bool   // the header is in the ring
	counted bool   // counted in the lane's waiting
	forced  bool   // completes without regard to quota
	empties int    // empty messages accepted behind it while it was streaming in
	streams bool   // had to wait, after several writes that did not; set by start
	tail    uint64 // flush: ring position that must be read
}

// Whole makes the read of a transact append the whole reply to Buf, at most limit bytes if that is not 0.
func (op *Op) Whole(limit int) { op.grow, op.limit = true, limit }

// end returns the payload position behind a write's last byte.
func (op *Op) end() uint64 { return op.start + uint64(len(op.data)) }

// room returns how many bytes a read can still take.
func (op *Op) room() int {
	switch {
	case op.fed && op.grow && op.limit == 0:
		return op.allowance - op.N
	case op.fed:
		return min(op.allowance, op.size()) - op.N
	}
	return op.size() - op.N
}

// size returns how many bytes a read can take in all.
func (op *Op) size() int {
	if !op.grow {
		return len(op.Buf)
	}
	if op.limit > 0 {
		return op.limit
	}
	return MaxMessage
}

// extend appends n bytes to a growing read's buffer and returns them to be filled; left is what the message still has. The
// buffer ends with the message, but at most doubles, as memory must not be had for a length that a peer only claims.
func (op *Op) extend(n, left uint64) []byte {
	at := len(op.Buf)
	if need := at + int(n); need > cap(op.Buf) {
		more := min(left, uint64(op.room()), max(n, uint64(at)))
		op.Buf = append(make([]byte, 0, at+int(more)), op.Buf...)
	}
	op.Buf = op.Buf[:at+int(n)]
	return op.Buf[at:]
}

// place returns where a read's next n bytes go; left is what the message still has.
func (op *Op) place(n, left uint64) []byte {
	if op.grow {
		return op.extend(n, left)
	}
	return op.Buf[op.N : op.N+int(n)]
}

// displace gives the last n bytes of what was placed up.
func (op *Op) displace(n int) {
	if op.grow {
		op.Buf = op.Buf[:len(op.Buf)-n]
	}
}

// restart forgets what a message read had taken of a message that was withdrawn.
func (op *Op) restart() {
	op.begun = false
	if op.perRecord {
		op.fed, op.more, op.allowance = false, false, 0
		op.displace(op.N)
		op.N = 0
	}
}

func (op *Op) finish(err error) {
	op.Err = err
	op.done = true
}
