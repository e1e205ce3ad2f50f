//go:build linux || darwin || freebsd

package local

import (
	"net"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// linkConfig describes one end of a connection over a shared region.
type linkConfig struct {
	Type              npfs.Mode
	Direction         npfs.Direction
	Modes             npfs.Modes
	InQuota, OutQuota int
	Access            npfs.Access // granted specific rights of this end
	Server            bool
	NoPolling         bool
}

// link is one end of a connection with a process that knows us: the rules of npfs over a shared region, and a doorbell.
// It turns operations that may stay pending into calls that wait.
type link struct {
	config linkConfig // immutable
	end    *npfs.End
	bell   *bell
	mem    []byte // what the end began with; unmapped, or kept, by the last user

	mapping sync.Mutex // guards whole
	whole   []byte     // the whole region, nil until it is needed; unmapped with mem

	// users counts calls in progress; linkClosed is set in it by Close. The last one out tears down.
	users    atomic.Int64
	tearDown sync.Once
	ended    sync.WaitGroup // done when Close has ended every pending operation
	torndown sync.WaitGroup // done when socket and memory are let go of, or kept

	keep func(*line) bool // takes the line over after the connection, or reports false; nil if nobody wants it. Set before l is shared

	watched int // the socket's descriptor, as the vigil knows it; guarded by the watcher's mu

	reads, writes spinner
	readBy        deadline
	writeBy       deadline
}

const linkClosed int64 = 1 << 62

var _ connection = (*link)(nil)

// newServerLink makes the server end of a new connection over a region that nobody else has. It takes the region's memory
// over; the file is for the client and stays the caller's. The link owns sock, its doorbell, from then on.
func newServerLink(sock *net.UnixConn, r *region, config linkConfig) (*link, error) {
	config.Server = true
	return newLink(sock, r.mem, config)
}

// newClientLink makes the client end over the region that the server sent. The caller closes the file; the link owns sock
// if there is no error.
func newClientLink(sock *net.UnixConn, region *os.File, config linkConfig) (*link, error) {
	config.Server = false
	mem, err := mapRegion(region, npfs.RegionSize(config.InQuota, config.OutQuota))
	if err != nil {
		return nil, err
	}
	return newLink(sock, mem, config)
}

func newLink(sock *net.UnixConn, mem []byte, config linkConfig) (*link, error) {
	b, err := newBell(sock)
	if err != nil {
		unmapRegion(mem)
		return nil, err
	}
	l := &link{config: config, bell: b, mem: mem}
	l.ended.Add(1)
	l.torndown.Add(1)
	l.end = npfs.NewEnd(mem, npfs.EndConfig{
		Server: config.Server, Type: config.Type, InQuota: config.InQuota, OutQuota: config.OutQuota,
		Modes: config.Modes, Bell: b.ring, Wake: b.stir, Alive: b.alive, Pause: pauseForClaim,
		Map: l.mapWhole,
	})
	b.end = l.end
	l.reads.off, l.writes.off = config.NoPolling, config.NoPolling
	l.readBy.expired, l.writeBy.expired = b.stir, b.stir
	if err := watch(l); err != nil {
		unmapRegion(mem)
		return nil, err
	}
	return l, nil
}

// pauseForClaim waits while the other process holds a claim that it lets go of after one copy: about two seconds in all.
// Few and longer pauses make that true on a busy machine as well, where each takes longer than asked for.
func pauseForClaim(n int) bool {
	switch {
	case n < 1000:
		yieldCPU()
	case n < 1100:
		time.Sleep(time.Millisecond)
	case n < 1290:
		time.Sleep(10 * time.Millisecond)
	default:
		return false
	}
	return true
}

// enter begins a call that touches the region without a lock of npfs, or that waits; release ends it.
func (l *link) enter() error {
	if l.users.Add(1)&linkClosed != 0 {
		l.release()
		return net.ErrClosed
	}
	return nil
}

func (l *link) release() {
	if l.users.Add(-1) == linkClosed {
		l.tearDown.Do(l.letGo)
	}
}

// letGo ends the connection after the last call has ended.
func (l *link) letGo() {
	unwatch(l)
	if len(l.whole) > 0 && &l.whole[0] != &l.mem[0] {
		unmapRegion(l.whole)
	}
	if !l.keepLine() {
		_ = l.bell.sock.Close()
		unmapRegion(l.mem)
	}
	l.torndown.Done()
}

// keepLine hands socket and memory on to another connection of the two processes, if somebody wants them. This end must have left
// them before: the other process may begin at once.
func (l *link) keepLine() bool {
	if l.keep == nil || !l.end.Orderly() || max(len(l.mem), len(l.whole)) > maxKeptMemory {
		return false
	}
	l.end.Leave()
	return l.keep(&line{sock: l.bell.sock, mem: l.mem, inQuota: l.config.InQuota, outQuota: l.config.OutQuota})
}

// mapWhole is the end's EndConfig.Map.
func (l *link) mapWhole() (whole []byte, err error) {
	l.mapping.Lock()
	defer l.mapping.Unlock()
	if l.whole == nil {
		l.whole, err = mapWhole(l.mem, npfs.RegionSize(l.config.InQuota, l.config.OutQuota))
	}
	return l.whole, err
}

// leave is deferred after enter.
func (l *link) leave(err *error) {
	defer l.release()
	if regionMayShrink {
		catchFault(recover(), err)
	}
}

// Close ends every waiting call with net.ErrClosed, withdraws writes that were waiting, and lets go.
func (l *link) Close() error {
	l.users.Add(1) // before the link counts as closed, as the last user from then on tears it down
	if l.users.Or(linkClosed)&linkClosed != 0 {
		l.release()
		l.torndown.Wait()
		return net.ErrClosed
	}
	l.readBy.stop()
	l.writeBy.stop()
	released()
	l.end.Close(net.ErrClosed)
	l.ended.Done()
	l.bell.stir()
	l.release()
	l.torndown.Wait()
	return nil
}

// Disconnect throws the client off: both ends' operations get ERROR_PIPE_NOT_CONNECTED.
func (l *link) Disconnect() error {
	if err := l.enter(); err != nil {
		return err
	}
	released()
	l.end.Disconnect()
	l.release()
	return l.Close()
}

// guard is deferred by calls that touch the region under a lock of npfs only. Where a region can be truncated under us, it
// turns the fault into a broken pipe.
func guard(err *error) {
	if regionMayShrink {
		catchFault(recover(), err)
	}
}

// catchFault turns a recovered memory fault into a broken pipe and lets every other panic go on.
func catchFault(fault any, err *error) {
	if fault == nil {
		return
	}
	if _, ok := fault.(interface{ Addr() uintptr }); !ok {
		panic(fault)
	}
	*err = winerr.BrokenPipe
}

// expectFaults makes faults of this goroutine panics, where they can happen.
func expectFaults() {
	if regionMayShrink {
		debug.SetPanicOnFault(true)
	}
}

var ops = sync.Pool{New: func() any { return new(npfs.Op) }}

// newOp returns an operation to start; finish ends it.
func newOp() *npfs.Op {
	released()
	return ops.Get().(*npfs.Op)
}

// finish returns an operation's result and gives the Op back.
func finish(op *npfs.Op) (n int, buf []byte, err error) {
	acquired()
	n, buf, err = op.N, op.Buf, op.Err
	*op = npfs.Op{}
	ops.Put(op)
	return n, buf, err
}

func (l *link) Read(p []byte) (int, error) {
	if err := l.allowed(npfs.ReadData); err != nil {
		return 0, err
	}
	if regionMayShrink {
		return guarded(l.read, p)
	}
	return l.read(p)
}

// guarded calls f, which touches the region under a lock of npfs only. Elsewhere f is called without it, as its frame would lie on
// the stack of each goroutine that waits.
func guarded(f func([]byte) (int, error), p []byte) (n int, err error) {
	defer guard(&err)
	expectFaults()
	return f(p)
}

func (l *link) read(p []byte) (int, error) {
	op := newOp()
	op.Buf = p
	if !l.startRead(op) {
		l.await(reading, op)
	}
	n, _, err := finish(op)
	return n, err
}

func (l *link) ReadMessage(buf []byte, limit int) (out []byte, err error) {
	if err := l.allowed(npfs.ReadData); err != nil {
		return buf, err
	}
	defer guard(&err)
	expectFaults()
	op := newOp()
	op.Buf = buf
	if !l.startReadMessage(op, limit) {
		l.await(reading, op)
	}
	_, out, err = finish(op)
	return out, err
}

func (l *link) Write(p []byte) (int, error) {
	if err := l.allowed(npfs.WriteData); err != nil {
		return 0, err
	}
	if len(p) > npfs.MaxMessage && l.config.Type == npfs.Byte {
		return l.writeMuch(p)
	}
	if regionMayShrink {
		return guarded(l.write, p)
	}
	return l.write(p)
}

// writeMuch writes more to a byte pipe than one write can take.
func (l *link) writeMuch(p []byte) (n int, err error) {
	for {
		chunk := p[:min(len(p), npfs.MaxMessage)]
		k, err := guarded(l.write, chunk)
		n += k
		if p = p[k:]; err != nil || len(p) == 0 || k < len(chunk) {
			return n, err
		}
	}
}

func (l *link) write(p []byte) (int, error) {
	if l.writeBy.passed() {
		return 0, os.ErrDeadlineExceeded
	}
	op := newOp()
	if !l.end.StartWrite(op, p) {
		l.await(writing, op)
	}
	n, _, err := finish(op)
	return n, err
}

func (l *link) Transact(request, buf []byte, limit int) (out []byte, err error) {
	if err := l.allow(npfs.ReadData | npfs.WriteData); err != nil {
		return buf, err
	}
	defer l.leave(&err)
	write, read := newOp(), newOp()
	read.Buf = buf
	read.Whole(limit)
	started := l.end.StartTransact(write, read, request)
	if started {
		l.await(writing, write)
	}
	_, _, err = finish(write)
	switch {
	case !started:
	case err != nil:
		l.end.CancelRead(read, err)
	default:
		l.await(reading, read)
	}
	_, out, readErr := finish(read)
	if err == nil {
		err = readErr
	}
	return out, err
}

func (l *link) Flush() (err error) {
	if err := l.allow(0); err != nil {
		return err
	}
	defer l.leave(&err)
	op := newOp()
	if !l.end.StartFlush(op) {
		l.await(writing, op)
	}
	_, _, err = finish(op)
	return err
}

func (l *link) Peek(p []byte) (out npfs.Peeked, err error) {
	if err := l.allow(npfs.ReadData); err != nil {
		return out, err
	}
	defer l.leave(&err)
	defer acquired()
	return l.end.Peek(p)
}

func (l *link) CloseWrite() (err error) {
	if err := l.allow(npfs.WriteData); err != nil {
		return err
	}
	defer l.leave(&err)
	released()
	return l.end.CloseWrite()
}

func (l *link) SetModes(m npfs.Modes) (err error) {
	if err := l.allow(npfs.WriteAttributes); err != nil {
		return err
	}
	defer l.leave(&err)
	return l.end.SetModes(m)
}

func (l *link) Status() (out npfs.Status) {
	var err error
	if l.enter() != nil {
		return npfs.Status{State: npfs.Disconnected, Modes: l.end.Modes()}
	}
	defer l.leave(&err)
	return l.end.Status()
}

func (l *link) SetReadDeadline(t time.Time) error  { return l.setDeadline(&l.readBy, t) }
func (l *link) SetWriteDeadline(t time.Time) error { return l.setDeadline(&l.writeBy, t) }

func (l *link) setDeadline(d *deadline, t time.Time) error {
	if err := l.enter(); err != nil {
		return err
	}
	d.set(t)
	l.release()
	return nil
}

// allowed checks that the end was granted the rights in need.
func (l *link) allowed(need npfs.Access) error {
	if l.config.Access&need != need {
		return winerr.AccessDenied
	}
	return nil
}

// allow begins a call that needs the rights in need; leave ends it.
func (l *link) allow(need npfs.Access) error {
	if err := l.allowed(need); err != nil {
		return err
	}
	expectFaults()
	return l.enter()
}

// kind tells the two sides of an end apart.
type kind struct {
	want uint32
	mark func(*npfs.End) npfs.Mark
	poll func(*npfs.End, *npfs.Op) bool
	drop func(*npfs.End, *npfs.Op, error)
}

var (
	reading = &kind{npfs.WantData, (*npfs.End).ReadMark, (*npfs.End).PollRead, (*npfs.End).CancelRead}
	writing = &kind{npfs.WantSpace, (*npfs.End).WriteMark, (*npfs.End).PollWrite, (*npfs.End).CancelWrite}
)

// await waits for a pending operation: it looks, polls for a moment, then sleeps. A closed link or a passed deadline
// cancels the operation, unless it is done by then. It sleeps in as few and as small frames as can be, so that the stack of
// a goroutine that waits is as small as a stack can be.
func (l *link) await(k *kind, op *npfs.Op) {
	if l.enter() != nil {
		l.ended.Wait() // not torndown, for which Close waits for calls that have entered, such as this Flush or Transact
		k.poll(l.end, op)
		return
	}
	defer l.release()
	var s sleeper
	for l.look(k, op, &s) {
		l.bell.sleep(&s)
	}
}

// sleeper is a call that waits.
type sleeper struct {
	since  time.Duration // when it first slept; 0 if polling was enough, as the clock is not asked on the fast path
	looked bool          // it has polled before
	woken  chan struct{} // closed to wake it; nil for the bell's leader
}

// look looks whether op is done, polls for a moment, and ends op if its deadline has passed. It returns true, and s is announced, if op must
// sleep for more.
func (l *link) look(k *kind, op *npfs.Op, s *sleeper) (sleep bool) {
	spin, by := &l.reads, &l.readBy
	if k == writing {
		spin, by = &l.writes, &l.writeBy
	}
	for {
		stirs, mark := l.bell.stirs.Load(), k.mark(l.end)
		if k.poll(l.end, op) {
			if s.since != 0 {
				spin.learn(uptime() - s.since)
			}
			return false
		}
		if by.passed() {
			k.drop(l.end, op, os.ErrDeadlineExceeded)
			return false
		}
		changed := func() bool { return mark.Changed() || l.bell.stirs.Load() != stirs }
		if spin.poll(&mark, changed, s.patient(op)) {
			continue
		}
		if s.since == 0 {
			s.since = uptime()
		}
		l.bell.enlist(s, k.want)
		if !changed() {
			return true
		}
		l.bell.resign(s)
	}
}
