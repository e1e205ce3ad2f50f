//go:build linux || darwin || freebsd

package local

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
	"github.com/anypipe/anypipe/internal/wire"
)

// An Instance is a server end with the life cycle that CreateNamedPipe's handle has. It is LISTENING from the start.
type Instance struct {
	server *server
	access npfs.Access // of this end; follows from the direction
	config npfs.CreateConfig

	ticket uint64 // when it entered LISTENING; guarded by server.mu

	// live is conn while CONNECTED, for calls that move data, which take no lock of the instance. Stored under mu.
	live atomic.Pointer[connection]

	mu     sync.Mutex
	state  instanceState
	conn   connection // while connected; also when the client is gone
	client *identity  // like conn
	listen *listen    // while listening
	modes  npfs.Modes // passed to every new connection
	read   time.Time  // deadlines, passed to every new connection
	write  time.Time

	acceptor *Acceptor // that keeps the instance ahead; nil for one of Create's
}

// instanceState is what the instance itself knows; whether a connected one is CLOSING its connection tells.
type instanceState uint8

const (
	listening instanceState = iota
	connected
	disconnected
	closed
)

func newInstance(s *server, cfg *npfs.CreateConfig) *Instance {
	return &Instance{
		server: s, access: serverAccess(s.pipe.Direction), config: *cfg, modes: cfg.Modes,
		listen: newListen(),
	}
}

// errNotListening says that an instance was closed between being chosen and being given to a client.
var errNotListening = errors.New("the instance is not listening any more")

// serveClient connects the client at the other end of a line. The connection is made, and the client told, before anybody on
// this side sees it; so if the client is gone nothing has happened, and no doorbell can ring before the answer is sent.
func (in *Instance) serveClient(l *line, granted npfs.Access) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.state != listening {
		return errNotListening
	}
	memory := npfs.RegionSize(in.config.InQuota, in.config.OutQuota)
	held, err := in.held(l.peer, memory, func() (connection, error) { return in.offer(l, granted, memory) })
	if err != nil {
		in.server.giveBack(in)
		return err
	}
	return in.attach(held, l.peer)
}

// offer makes a connection over a line, with a region of memory bytes, and tells the client. in.mu must be held.
func (in *Instance) offer(l *line, granted npfs.Access, memory int) (*link, error) {
	server, pipe, peer := in.server, in.server.pipe, l.peer
	r, err := server.regionFor(l, in.config.InQuota, in.config.OutQuota)
	if err != nil {
		return nil, err
	}
	end, err := newServerLink(l.sock, r, linkConfig{
		Type: pipe.Type, Direction: pipe.Direction, Modes: in.modes,
		InQuota: in.config.InQuota, OutQuota: in.config.OutQuota, Access: in.access, Server: true,
		NoPolling: in.config.NoPolling,
	})
	if err != nil {
		return nil, errors.Join(err, r.closeFile())
	}
	keeps := linesAreKept && !server.foreigner(peer)
	err = l.send(&wire.Opened{
		Incarnation: pipe.Incarnation, Access: granted, Type: pipe.Type, Direction: pipe.Direction, MaxInstances: uint32(pipe.MaxInstances),
		InQuota: uint32(in.config.InQuota), OutQuota: uint32(in.config.OutQuota), RegionSize: uint64(memory), RejectRemote: in.config.RejectRemote,
		Keeps: keeps, Reused: r.file == nil,
	}, r.file)
	if err = errors.Join(err, r.closeFile()); err != nil {
		return nil, errors.Join(err, end.Close())
	}
	if keeps {
		end.keep = func(kept *line) bool { kept.peer = peer; return server.keep(kept) }
	}
	return end, nil
}

// attach makes the instance CONNECTED. in.mu must be held.
func (in *Instance) attach(conn connection, client *identity) error {
	in.conn, in.client, in.state = conn, client, connected
	in.live.Store(&conn)
	in.endListen(nil)
	if in.read.IsZero() && in.write.IsZero() {
		return nil
	}
	return errors.Join(conn.SetReadDeadline(in.read), conn.SetWriteDeadline(in.write))
}

// endListen completes all pending Connect calls. in.mu must be held.
func (in *Instance) endListen(err error) {
	if in.listen != nil {
		in.listen.err = err
		close(in.listen.done)
		in.listen = nil
	}
}

// Disconnect is DisconnectNamedPipe. While LISTENING it succeeds and ends waiting Connects with ErrNotConnected, as
// ReactOS does, whose structure follows the driver's; no test that its authors ran on Windows settles it (Wine fails with
// ErrPipeListening).
func (in *Instance) Disconnect() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	var err error
	switch in.state {
	case closed:
		return net.ErrClosed
	case disconnected:
		return winerr.PipeNotConnected
	case listening:
		in.server.unlisten(in)
		in.endListen(winerr.PipeNotConnected)
	case connected:
		err = in.conn.Disconnect()
	}
	in.conn, in.client, in.state = nil, nil, disconnected
	in.live.Store(nil)
	return err
}

// replace closes the instance and puts a new one, LISTENING, in its place at the same moment, so that neither the limit nor
// the name's existence is in question. It returns no instance if it did nothing.
func (in *Instance) replace(cfg *npfs.CreateConfig) (*Instance, error) {
	in.mu.Lock()
	if in.state == closed {
		in.mu.Unlock()
		return nil, net.ErrClosed
	}
	fresh := newInstance(in.server, cfg)
	if err := in.server.replace(in, fresh); err != nil {
		in.mu.Unlock()
		return nil, err
	}
	conn := in.end()
	in.mu.Unlock()
	if conn != nil {
		return fresh, conn.Close()
	}
	return fresh, nil
}

// arrived tells the instance's acceptor, if it has one, that a client came. It is called after in.mu was free.
func (in *Instance) arrived() {
	in.mu.Lock()
	a := in.acceptor
	in.mu.Unlock()
	if a != nil {
		a.arrived(in)
	}
}

// end makes the instance closed and returns its connection, to be closed without in.mu, which must be held.
func (in *Instance) end() connection {
	conn := in.conn
	in.state, in.conn = closed, nil
	in.live.Store(nil)
	in.endListen(net.ErrClosed)
	return conn
}

// Close ends the instance. The name is free when the last one is closed. A second Close returns net.ErrClosed.
func (in *Instance) Close() error {
	in.mu.Lock()
	a := in.acceptor
	in.mu.Unlock()
	if a != nil {
		if renewed, err := a.renew(in); renewed {
			return err
		}
	}
	in.mu.Lock()
	if in.state == closed {
		in.mu.Unlock()
		return net.ErrClosed
	}
	conn := in.end()
	in.mu.Unlock()
	var err error
	if conn != nil {
		err = conn.Close()
		in.server.prepareRegion(in.config.InQuota, in.config.OutQuota)
	}
	return errors.Join(err, in.server.leave(in))
}

// current returns the connection. Without one the error is what the state says: inListening, inDisconnected. The right
// need is checked before the state, as the handle's rights come first.
func (in *Instance) current(need npfs.Access, inListening, inDisconnected error) (connection, error) {
	if conn := in.live.Load(); conn != nil && in.access&need == need {
		return *conn, nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.state == closed:
		return nil, net.ErrClosed
	case in.access&need != need:
		return nil, winerr.AccessDenied
	case in.state == listening:
		return nil, inListening
	case in.state == disconnected:
		return nil, inDisconnected
	}
	return in.conn, nil
}

// verdict returns the error of an operation on the connection. One that came too late for it, because Disconnect was
// faster, gets what it would have got in DISCONNECTED.
func (in *Instance) verdict(err, inDisconnected error) error {
	if !errors.Is(err, net.ErrClosed) {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.state == closed {
		return err
	}
	return inDisconnected
}

// Read is ReadFile.
func (in *Instance) Read(p []byte) (int, error) {
	conn, err := in.current(npfs.ReadData, winerr.PipeListening, winerr.PipeNotConnected)
	if err != nil {
		return 0, err
	}
	n, err := conn.Read(p)
	return n, in.verdict(err, winerr.PipeNotConnected)
}

// ReadMessage appends the next whole message to buf.
func (in *Instance) ReadMessage(buf []byte, limit int) ([]byte, error) {
	conn, err := in.current(npfs.ReadData, winerr.PipeListening, winerr.PipeNotConnected)
	if err != nil {
		return buf, err
	}
	buf, err = conn.ReadMessage(buf, limit)
	return buf, in.verdict(err, winerr.PipeNotConnected)
}

// Write is WriteFile.
func (in *Instance) Write(p []byte) (int, error) {
	conn, err := in.current(npfs.WriteData, winerr.PipeListening, winerr.PipeNotConnected)
	if err != nil {
		return 0, err
	}
	n, err := conn.Write(p)
	return n, in.verdict(err, winerr.PipeNotConnected)
}

// Peek is PeekNamedPipe.
func (in *Instance) Peek(p []byte) (npfs.Peeked, error) {
	conn, err := in.current(npfs.ReadData, winerr.BadPipe, winerr.BadPipe)
	if err != nil {
		return npfs.Peeked{}, err
	}
	peeked, err := conn.Peek(p)
	return peeked, in.verdict(err, winerr.BadPipe)
}

// Transact is TransactNamedPipe.
func (in *Instance) Transact(request, buf []byte, limit int) ([]byte, error) {
	conn, err := in.current(npfs.ReadData|npfs.WriteData, winerr.BadPipe, winerr.BadPipe)
	if err != nil {
		return buf, err
	}
	buf, err = conn.Transact(request, buf, limit)
	return buf, in.verdict(err, winerr.BadPipe)
}

// Flush is FlushFileBuffers. Without a client there is nothing to wait for.
func (in *Instance) Flush() error {
	conn, err := in.current(0, nil, nil)
	if conn == nil {
		return err
	}
	return in.verdict(conn.Flush(), nil)
}

// CloseWrite ends the direction from server to client.
func (in *Instance) CloseWrite() error {
	conn, err := in.current(npfs.WriteData, winerr.PipeListening, winerr.PipeNotConnected)
	if err != nil {
		return err
	}
	return in.verdict(conn.CloseWrite(), winerr.PipeNotConnected)
}

// SetModes is SetNamedPipeHandleState. The modes stay when the client goes.
func (in *Instance) SetModes(m npfs.Modes) error {
	conn, err := in.current(npfs.WriteAttributes, nil, nil)
	if err != nil {
		return err
	}
	if m.Read > npfs.Message || m.Read == npfs.Message && in.server.pipe.Type == npfs.Byte {
		return winerr.InvalidParameter
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if conn != nil && conn == in.conn {
		if err := conn.SetModes(m); err != nil {
			return err
		}
	}
	in.modes = m
	return nil
}

// Type returns the pipe's type, without asking anybody.
func (in *Instance) Type() npfs.Mode { return in.server.pipe.Type }

// Info is GetNamedPipeInfo. As on Windows the server end of an outbound pipe lacks the right to ask.
func (in *Instance) Info() (npfs.Info, error) {
	conn, err := in.current(npfs.ReadAttributes, nil, nil)
	if err != nil {
		return npfs.Info{}, err
	}
	count, err := in.server.instancesOfName()
	if err != nil {
		return npfs.Info{}, err
	}
	pipe := in.server.pipe
	info := npfs.Info{
		Type: pipe.Type, Direction: pipe.Direction, MaxInstances: pipe.MaxInstances, Instances: count,
		InQuota: in.config.InQuota, OutQuota: in.config.OutQuota, Server: true, RejectRemote: in.config.RejectRemote,
	}
	if conn != nil {
		fillStatus(&info, conn.Status())
		return info, nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	info.Modes, info.State, info.WriteQuota = in.modes, npfs.Listening, in.config.OutQuota
	if in.state != listening {
		info.State = npfs.Disconnected
	}
	return info, nil
}

func fillStatus(info *npfs.Info, s npfs.Status) {
	info.State, info.Modes, info.Readable, info.WriteQuota = s.State, s.Modes, s.Readable, s.WriteQuota
}

// Peer tells who the client is; it is remembered until Disconnect.
func (in *Instance) Peer() (npfs.Peer, error) {
	client, err := in.who()
	if err != nil {
		return npfs.Peer{}, err
	}
	return client.peer(), nil
}

func (in *Instance) who() (*identity, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.state == closed:
		return nil, net.ErrClosed
	case in.client == nil:
		return nil, winerr.NotFound
	}
	return in.client, nil
}

// RunAsClient runs f on a thread that has the client's identity.
func (in *Instance) RunAsClient(f func() error) error {
	client, err := in.who()
	if errors.Is(err, winerr.NotFound) {
		return winerr.CannotImpersonate
	}
	if err != nil {
		return err
	}
	return runAs(client, f)
}

// SetReadDeadline sets the deadline of this connection and all that follow.
func (in *Instance) SetReadDeadline(t time.Time) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.state == closed {
		return net.ErrClosed
	}
	in.read = t
	if in.conn != nil {
		return in.conn.SetReadDeadline(t)
	}
	return nil
}

// SetWriteDeadline sets the deadline of this connection and all that follow.
func (in *Instance) SetWriteDeadline(t time.Time) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.state == closed {
		return net.ErrClosed
	}
	in.write = t
	if in.conn != nil {
		return in.conn.SetWriteDeadline(t)
	}
	return nil
}
