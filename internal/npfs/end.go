package npfs

import (
	"net"
	"sync/atomic"
	"unsafe"

	"github.com/anypipe/anypipe/internal/winerr"
)

// EndConfig describes one end of a connection. Both ends must be given the same type, direction and quotas.
type EndConfig struct {
	Server            bool // this is the server end
	Type              Mode
	InQuota, OutQuota int
	Modes             Modes
	// Bell wakes the other process. It must not block.
	Bell func()
	// Wake wakes the waiters of this end in this process, as operations of theirs were completed by another caller.
	Wake func()
	// Alive reports whether the other process still holds its end.
	Alive func() bool
	// Pause waits a little, longer with growing n, while the other end holds what it must let go of soon. It returns
	// false when that took too long.
	Pause func(n int) bool
	// Map returns the whole region, of which the first page stays mapped as well. It is called when an end that was made
	// over that page first needs more, by either half under its lock.
	Map func() ([]byte, error)
}

// An End is one end of a connection. All methods may be called concurrently.
type End struct {
	config     EndConfig // immutable, as is what lies between it and in
	server     bool
	me         *endLine
	peer       *endLine
	serverLine *endLine // me or peer; only it tells of Disconnect
	in         reader
	out        writer

	modes  atomic.Uint32 // packed Modes of this end
	gone   atomic.Bool   // the other process is known to be dead
	broken atomic.Bool   // the region makes no sense, or a claim was not let go
}

// Flags of this process only, beside those of the region.
const (
	endGone   uint32 = 1 << 8
	endBroken uint32 = 1 << 9
)

// InitRegion prepares the zeroed memory of a new connection. The server end's process calls it once before either end is
// made.
func InitRegion(mem []byte) {
	h := (*header)(unsafe.Pointer(unsafe.SliceData(mem)))
	h.magic, h.version = regionMagic, regionVersion
}

// ResetRegion prepares the memory of a connection that both ends have left for a new one. What lies in the rings is not cleared: nobody
// reads beyond what the new connection wrote.
func ResetRegion(mem []byte) {
	clear(mem[:controlSize])
	InitRegion(mem)
}

// ServerLeft reports whether the server's end has left the region.
func ServerLeft(mem []byte) bool {
	return (*endLine)(unsafe.Pointer(&mem[lineSize])).flags.Load()&flagLeft != 0
}

// NewEnd makes an end over the shared memory: the first page of the region, or all of it. It must stay mapped until no method is
// running any more.
func NewEnd(mem []byte, config EndConfig) *End {
	g := viewRegion(mem, config.InQuota, config.OutQuota)
	e := &End{config: config, server: config.Server, serverLine: g.server}
	in, inRing, out, outRing := g.in, g.inRing, g.out, g.outRing
	inQuota, outQuota := config.InQuota, config.OutQuota
	e.me, e.peer = g.server, g.client
	if !config.Server {
		in, inRing, out, outRing = out, outRing, in, inRing
		inQuota, outQuota = outQuota, inQuota
		e.me, e.peer = e.peer, e.me
	}
	e.in = reader{end: e, lane: in, ring: inRing, typ: config.Type, quota: uint64(inQuota)}
	e.out = writer{end: e, lane: out, ring: outRing, typ: config.Type, quota: uint64(outQuota)}
	e.storeModes(config.Modes)
	return e
}

// reach sees to it that n bytes of a ring at pos are mapped. The lock of the ring's half is held.
func (e *End) reach(r *ring, pos, n uint64) error {
	if r.mapped(pos, n) == n {
		return nil
	}
	whole, err := e.config.Map()
	if err == nil {
		r.extend(whole)
	}
	return err
}

// flags returns how the connection has ended; 0 while it lives.
func (e *End) flags() uint32 {
	f := e.peer.flags.Load() & flagClosed
	f |= e.serverLine.flags.Load() & flagDisconnected
	if e.gone.Load() {
		f |= endGone
	}
	if e.broken.Load() {
		f |= endBroken
	}
	return f
}

func (e *End) state() State {
	switch f := e.flags(); {
	case f&flagDisconnected != 0:
		return Disconnected
	case f != 0:
		return Closing
	}
	return Connected
}

// breakDown gives the connection up.
func (e *End) breakDown() { e.broken.Store(true) }

// mayStillLetGo pauses while the other end holds a claim; it returns false, and the connection is broken, when it
// holds it too long.
func (e *End) mayStillLetGo(n int) bool {
	if e.config.Pause(n) {
		return true
	}
	e.breakDown()
	return false
}

// ringFor wakes the other end if it announced that it sleeps for what just happened.
func (e *End) ringFor(want uint32) {
	if e.rouse(want) {
		e.config.Bell()
	}
}

// rouse reports whether the other end sleeps for what just happened; then the bell must be rung.
func (e *End) rouse(want uint32) bool {
	return e.peer.asleep.Load()&want != 0 && e.peer.asleep.Swap(0) != 0
}

// What a sleeper of an end waits for; see Sleep.
const (
	WantData  = wantData  // a pending read: the other end's writing
	WantSpace = wantSpace // a pending write or flush: the other end's reading
)

// Sleep announces that this end is about to sleep until the other end does what it wants, or the connection ends. Poll
// once more after it and before sleeping. A ring of the bell takes the announcement back.
func (e *End) Sleep(want uint32) { e.me.asleep.Store(want) }

// Awake takes back what Sleep announced.
func (e *End) Awake() { e.me.asleep.Store(0) }

// PeerGone tells the end that the other process is dead or has let go of the connection.
func (e *End) PeerGone() { e.gone.Store(true) }

// StartRead begins ReadFile into op.Buf. Like all Start methods it reports whether op is done already.
func (e *End) StartRead(op *Op) bool { return e.in.start(op, e.forRead(op)) }

// forRead prepares op for reading by this end's modes, and reports whether it must not wait.
func (e *End) forRead(op *Op) (noWait bool) {
	m := e.Modes()
	op.perRecord = m.Read == Message && e.config.Type == Message
	return m.NoWait
}

// StartReadMessage begins a read of one whole message that is appended to op.Buf, at most limit bytes if that is not 0.
func (e *End) StartReadMessage(op *Op, limit int) bool {
	if !e.forReadMessage(op, limit) {
		return true
	}
	return e.in.start(op, e.Modes().NoWait)
}

// forReadMessage prepares op for reading one whole message. It reports false, and op is done, if the pipe has none.
func (e *End) forReadMessage(op *Op, limit int) bool {
	if e.config.Type != Message {
		op.finish(winerr.BadPipe)
		return false
	}
	op.perRecord, op.grow, op.limit = true, true, limit
	return true
}

// StartWrite begins WriteFile of p.
func (e *End) StartWrite(op *Op, p []byte) bool {
	if len(p) > MaxMessage {
		op.finish(winerr.InvalidParameter)
		return true
	}
	return e.out.start(op, p, e.Modes().NoWait)
}

// StartTransact begins TransactNamedPipe: the write of request and, behind it, the read of the reply: as StartReadMessage does
// if read.Whole was called, else into read.Buf. It reports false if nothing was started; write.Err then says why.
func (e *End) StartTransact(write, read *Op, request []byte) bool {
	e.in.mu.Lock()
	defer e.in.unlock()
	if e.in.closed {
		write.finish(net.ErrClosed)
		return false
	}
	if err := e.transactRefusal(); err != nil {
		write.finish(err)
		return false
	}
	read.perRecord = true
	write.forced = true
	if e.out.start(write, request, false) && write.Err != nil {
		return false
	}
	e.in.startLocked(read, false)
	return true
}

func (e *End) transactRefusal() error {
	switch f := e.flags(); {
	case f&flagDisconnected != 0 && !e.server:
		return winerr.PipeNotConnected
	case f != 0, e.config.Type != Message, e.Modes().Read != Message:
		return winerr.BadPipe
	case len(e.in.pending) > 0, !e.in.idle():
		return winerr.PipeBusy
	}
	return nil
}

// StartFlush begins FlushFileBuffers.
func (e *End) StartFlush(op *Op) bool { return e.out.startFlush(op) }

// PollRead completes what can be completed of the pending reads and reports whether op is done.
func (e *End) PollRead(op *Op) bool { return e.in.poll(op) }

// PollWrite does the same for a write or flush.
func (e *End) PollWrite(op *Op) bool { return e.out.poll(op) }

// CancelRead ends a pending read with err unless its data has arrived. It is done on return.
func (e *End) CancelRead(op *Op, err error) { e.in.cancel(op, err) }

// CancelWrite ends a pending write or flush with err; the unread part of a write is withdrawn and op.N is what was
// read. It is done on return.
func (e *End) CancelWrite(op *Op, err error) { e.out.cancel(op, err) }

// A Mark is what polling last saw of the other end; while it has not changed, polling again can't help.
type Mark struct {
	end        *End
	word       *atomic.Uint64 // changes whenever the other end moves
	ignore     uint64         // bits of it that mean nothing here
	lane       *lane          // where the other end writes, which may take back and finish; nil where it reads
	moved, cut uint64
	flags      uint32
}

// Moved reports whether the other end has moved since the mark was taken. It is one load; withdrawals and endings it does not
// see.
func (m *Mark) Moved() bool { return m.word.Load()&^m.ignore != m.moved }

// Changed reports whether anything has changed since the mark was taken.
func (m *Mark) Changed() bool {
	return m.Moved() || m.lane != nil && m.lane.cutTo.Load() != m.cut || m.ending() != m.flags
}

// ending returns how the connection, or what is to be read, has ended.
func (m *Mark) ending() uint32 {
	flags := m.end.flags()
	if m.lane != nil {
		flags |= m.lane.fin.Load() << 16
	}
	return flags
}

// ReadMark returns the mark that concerns pending reads. It takes no lock and may be polled.
func (e *End) ReadMark() (m Mark) {
	e.in.mark(&m)
	return m
}

// WriteMark returns the mark that concerns pending writes and flushes.
func (e *End) WriteMark() (m Mark) {
	e.out.mark(&m)
	return m
}

// Peek is PeekNamedPipe.
func (e *End) Peek(p []byte) (Peeked, error) { return e.in.peek(p) }

// CloseWrite announces that this end will write no more: the other reads what is there and then io.EOF.
func (e *End) CloseWrite() error { return e.out.finishWriting() }

// Modes returns this end's modes.
func (e *End) Modes() Modes {
	m := e.modes.Load()
	return Modes{Read: Mode(m & 1), NoWait: m&2 != 0}
}

func (e *End) storeModes(m Modes) {
	packed := uint32(m.Read & 1)
	if m.NoWait {
		packed |= 2
	}
	e.modes.Store(packed)
}

// SetModes is SetNamedPipeHandleState.
func (e *End) SetModes(m Modes) error {
	switch {
	case e.state() == Disconnected && !e.server:
		return winerr.PipeNotConnected
	case m.Read > Message, m.Read == Message && e.config.Type == Byte:
		return winerr.InvalidParameter
	}
	e.storeModes(m)
	return nil
}

// Status tells state, modes and bytes.
func (e *End) Status() Status {
	return Status{State: e.state(), Modes: e.Modes(), Readable: e.in.readable(), WriteQuota: e.out.writable()}
}

// Disconnect is the server's DisconnectNamedPipe: from now on every operation of either end gets
// ERROR_PIPE_NOT_CONNECTED, whatever is buffered.
func (e *End) Disconnect() {
	e.me.flags.Store(flagDisconnected)
	e.ringFor(wantData | wantSpace)
}

// Close announces that this end is closed. What it wrote stays readable for the other; writes that are pending are
// withdrawn and all pending operations end with err. From then on no method touches the region but ReadMark and
// WriteMark; the memory may be unmapped when nobody calls these any more.
func (e *End) Close(err error) {
	e.in.close(err)
	e.out.close(err)
	e.me.flags.Or(flagClosed)
	e.ringFor(wantData | wantSpace)
}

// Leave announces that this end, which is closed, touches the region no more.
func (e *End) Leave() { e.me.flags.Or(flagLeft) }

// Orderly reports whether nothing is known to be wrong with the region or the other process.
func (e *End) Orderly() bool { return !e.gone.Load() && !e.broken.Load() }
