package anypipe

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// Unbuffered as a buffer size is a quota of 0: every write waits until it has been read.
const Unbuffered = -1

// DefaultBuffer is the buffer size (quota) in bytes that a zero InBuffer or OutBuffer means.
const DefaultBuffer = 64 << 10

// DefaultBacklog is how many instances a Listener keeps ready unless its configuration says otherwise.
const DefaultBacklog = 8

// ListenConfig holds options for creating pipes. The zero value makes a duplex byte-type pipe with unlimited
// instances that only the owner can open. It must not be modified after first use.
type ListenConfig struct {
	// Type is Byte or Message. The name's first creator decides; a later creator's Type is ignored, as Windows does.
	Type Mode
	// ReadMode is the server ends' read mode. Message needs Type Message.
	ReadMode Mode
	// NoWait is PIPE_NOWAIT for the server ends: what would wait fails or does nothing. Rarely wanted.
	NoWait bool
	// Direction is Duplex, Inbound or Outbound, seen from the server. A later creator must give the same.
	Direction Direction
	// MaxInstances limits the instances of the name over all processes: 1 to 254; 0 and 255 mean unlimited. The first
	// creator decides.
	MaxInstances int
	// First makes creation fail with ErrAccessDenied if the name exists already (FILE_FLAG_FIRST_PIPE_INSTANCE).
	First bool
	// InBuffer and OutBuffer are the quotas in bytes, client to server and server to client: how much may be written
	// and not yet read before a write waits. 0 means DefaultBuffer, Unbuffered means 0.
	InBuffer, OutBuffer int
	// DefaultTimeout is what a client's Wait with UseDefaultWait waits; 0 means 50 ms. The first creator decides.
	DefaultTimeout time.Duration
	// Security says who may open the pipe; nil means the owner (and the system's administrator) only.
	Security *Security
	// AcceptRemote lets clients of other machines in (no PIPE_REJECT_REMOTE_CLIENTS).
	AcceptRemote bool
	// NoForeign stops a byte-type pipe from also serving programs that know only Unix sockets (.NET, Node, Python, socat).
	NoForeign bool
	// Backlog is how many instances a Listener keeps LISTENING; as many clients more may be connected and wait for Accept.
	// 0 means DefaultBacklog.
	Backlog int
	// MaxMessage limits what ReadMessage, Messages and Transact of the server ends accept, in bytes; 0 means no limit.
	MaxMessage int
	// Transport carries the pipe; nil means this machine.
	Transport Transport
}

// createConfig checks the configuration and fills in what zero values mean.
func (lc *ListenConfig) createConfig() (*CreateConfig, error) {
	cfg := &CreateConfig{
		Type: lc.Type, Direction: lc.Direction, MaxInstances: lc.MaxInstances, First: lc.First,
		InQuota: quota(lc.InBuffer), OutQuota: quota(lc.OutBuffer), DefaultTimeout: lc.DefaultTimeout,
		Modes: Modes{Read: lc.ReadMode, NoWait: lc.NoWait}, RejectRemote: !lc.AcceptRemote, Foreign: !lc.NoForeign,
	}
	if cfg.MaxInstances == 0 {
		cfg.MaxInstances = UnlimitedInstances
	}
	if cfg.DefaultTimeout == 0 {
		cfg.DefaultTimeout = npfs.DefaultWait
	}
	if lc.Security != nil {
		cfg.SDDL = lc.Security.SDDL()
	}
	return cfg, cfg.Check()
}

// quota translates the public buffer size, in which zero means the default.
func quota(n int) int {
	switch n {
	case 0:
		return DefaultBuffer
	case Unbuffered:
		return 0
	}
	return n
}

// Create makes one instance of the pipe, as CreateNamedPipe does: it is LISTENING at once and clients can open it before
// Connect is called. The checks of a later instance come in Windows' order: access, limit ([ErrPipeBusy]), First, direction
// (both [ErrAccessDenied]).
func (lc *ListenConfig) Create(ctx context.Context, name string) (*Instance, error) {
	n, cfg, err := lc.prepare(name)
	if err != nil {
		return nil, err
	}
	return lc.create(ctx, n, cfg)
}

func (lc *ListenConfig) prepare(name string) (Name, *CreateConfig, error) {
	n, err := ParseName(name)
	if err != nil {
		return n, nil, opError("create", nil, nil, err)
	}
	cfg, err := lc.createConfig()
	return n, cfg, opError("create", n, nil, err)
}

func (lc *ListenConfig) create(ctx context.Context, n Name, cfg *CreateConfig) (*Instance, error) {
	end, err := transportOr(lc.Transport).Create(ctx, n, cfg)
	if err != nil {
		return nil, opError("create", n, nil, err)
	}
	return lc.instance(n, end), nil
}

func (lc *ListenConfig) instance(n Name, end ServerEndpoint) *Instance {
	return &Instance{Conn: Conn{end: end, local: n, remote: n, maxMessage: lc.MaxMessage}, server: end}
}

// Listener is a [net.Listener] on a pipe name. It keeps instances LISTENING ahead, so that no client meets a gap.
type Listener struct {
	config  *ListenConfig // immutable, as are all fields up to mu
	name    Name
	create  *CreateConfig
	renewer renewer            // nil if the transport offers none
	conns   chan *Conn         // from the workers to Accept
	freed   chan struct{}      // one token: an instance of this listener was closed
	renewed chan *Instance     // instances that took the place of closed ones, for workers that lack one
	ctx     context.Context    // ends when Close is called
	stop    context.CancelFunc // Close
	workers sync.WaitGroup     // joined by Close
	fatal   chan error         // one error that ended a worker

	mu      sync.Mutex
	lacking int // workers that found the limit reached and wait for an instance
}

var _ net.Listener = (*Listener)(nil)

// Listen makes a byte-type pipe that serves this user's clients; see [ListenConfig].
func Listen(name string) (*Listener, error) {
	return new(ListenConfig).Listen(context.Background(), name)
}

// Listen creates the first instance and returns a Listener that keeps Backlog instances ready. ctx bounds the
// creation only.
func (lc *ListenConfig) Listen(ctx context.Context, name string) (*Listener, error) {
	n, cfg, err := lc.prepare(name)
	if err != nil {
		return nil, err
	}
	first, err := lc.create(ctx, n, cfg)
	if err != nil {
		return nil, err
	}
	later := *cfg
	later.First = false
	workers := min(lc.backlog(), cfg.MaxInstances)
	l := &Listener{config: lc, name: n, create: &later, conns: make(chan *Conn), freed: make(chan struct{}, 1),
		renewed: make(chan *Instance, workers), fatal: make(chan error, 1)}
	l.renewer, _ = transportOr(lc.Transport).(renewer)
	l.ctx, l.stop = context.WithCancel(context.Background())
	l.workers.Go(func() { l.serve(first) })
	for range workers - 1 {
		l.workers.Go(func() { l.serve(l.another(first)) })
	}
	return l, nil
}

func (lc *ListenConfig) backlog() int {
	if lc.Backlog <= 0 {
		return DefaultBacklog
	}
	return lc.Backlog
}

// serve is one worker: it holds one LISTENING instance and, while Accept is awaited, one connection. It ends with l.ctx.
func (l *Listener) serve(in *Instance) {
	for {
		if in == nil {
			if in = l.awaitInstance(); in == nil {
				return
			}
		}
		conn := l.connect(in)
		if conn == nil {
			in.Close()
			return
		}
		in = l.another(in) // before this one is given away: its closing must not end the name
		select {
		case l.conns <- conn:
		case <-l.ctx.Done():
			conn.Close()
			if in != nil {
				in.Close()
			}
			return
		}
	}
}

// another makes the next instance for a worker that had in. If that fails the worker is counted as lacking one, and nil
// is returned.
func (l *Listener) another(in *Instance) *Instance {
	fresh, err := l.make(in)
	if err == nil {
		return fresh
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lacking++
	return nil
}

// make makes an instance like in.
func (l *Listener) make(in *Instance) (*Instance, error) {
	if l.renewer == nil {
		return l.config.create(l.ctx, l.name, l.create)
	}
	end, err := l.renewer.another(l.ctx, in.server)
	if err != nil {
		return nil, err
	}
	return l.config.instance(l.name, end), nil
}

// awaitInstance waits for an instance: one that takes the place of a closed one, or a new one when the limit allows it
// again. It returns nil when the listener is closed or creation fails for good.
func (l *Listener) awaitInstance() *Instance {
	for {
		in, err := l.config.create(l.ctx, l.name, l.create)
		switch {
		case err == nil && l.noLongerLacking():
			return in
		case err == nil: // Close was faster and has one for us
			in.Close()
			return <-l.renewed
		case l.ctx.Err() != nil:
			return nil
		case !errors.Is(err, winerr.InstanceLimit):
			l.fail(err)
			return nil
		}
		// Our own closed instance wakes us; another process's can't, so look again now and then.
		retry := time.NewTimer(100 * time.Millisecond)
		select {
		case in := <-l.renewed:
			retry.Stop()
			return in
		case <-l.freed:
		case <-retry.C:
		case <-l.ctx.Done():
		}
		retry.Stop()
	}
}

// noLongerLacking takes one off the workers that lack an instance. It reports false if there is none.
func (l *Listener) noLongerLacking() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lacking == 0 {
		return false
	}
	l.lacking--
	return true
}

// renew closes an accepted connection's instance by putting a new one in its place for a worker that lacks one. It reports
// false if it did nothing.
func (l *Listener) renew(end ServerEndpoint) (bool, error) {
	if l.renewer == nil || l.ctx.Err() != nil || !l.noLongerLacking() {
		return false, nil
	}
	fresh, err := l.renewer.replace(end)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case fresh == nil: // not possible now: close it the usual way
		l.lacking++
		return false, nil
	case l.ctx.Err() != nil:
		return true, errors.Join(err, fresh.Close())
	}
	l.renewed <- l.config.instance(l.name, fresh) // has room for all workers
	return true, err
}

// fail lets Accept return what ended a worker, unless that is Close.
func (l *Listener) fail(err error) {
	if l.ctx.Err() != nil {
		return
	}
	select {
	case l.fatal <- err:
	default: // one such error is enough
	}
}

// connect waits for a client and returns the connection, also when the client is gone already: it may have left data.
func (l *Listener) connect(in *Instance) *Conn {
	err := in.server.Connect(l.ctx)
	if err != nil && !errors.Is(err, winerr.PipeConnected) && !errors.Is(err, winerr.NoData) {
		l.fail(err)
		return nil
	}
	c := in.Conn
	c.end = &accepted{ServerEndpoint: in.server, listener: l}
	return &c
}

// accepted tells the listener when the connection is closed, as that makes room for another instance.
type accepted struct {
	ServerEndpoint
	listener *Listener
}

func (a *accepted) Close() error {
	if done, err := a.listener.renew(a.ServerEndpoint); done {
		return err
	}
	err := a.ServerEndpoint.Close()
	select {
	case a.listener.freed <- struct{}{}:
	default:
	}
	return err
}

// Accept waits for the next client. After Close the error is [net.ErrClosed].
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.AcceptPipe(context.Background())
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptPipe waits for the next client until ctx is done. A client that is there already is returned even then. The
// caller owns the Conn; closing the Listener does not close it.
func (l *Listener) AcceptPipe(ctx context.Context) (*Conn, error) {
	select {
	case <-l.ctx.Done():
		return nil, opError("accept", l.name, nil, net.ErrClosed)
	case c := <-l.conns:
		return c, nil
	default:
	}
	select {
	case c := <-l.conns:
		return c, nil
	case err := <-l.fatal:
		return nil, opError("accept", l.name, nil, err)
	case <-l.ctx.Done():
		return nil, opError("accept", l.name, nil, net.ErrClosed)
	case <-ctx.Done():
		return nil, opError("accept", l.name, nil, ctx.Err())
	}
}

// Close closes the instances that nobody accepted; their clients get io.EOF. Connections that were accepted stay. Close
// waits until the listener's goroutines are gone. A second Close returns nil.
func (l *Listener) Close() error {
	l.stop()
	l.workers.Wait()
	l.mu.Lock() // after this no Close renews any more
	defer l.mu.Unlock()
	for {
		select {
		case in := <-l.renewed:
			in.Close()
		default:
			return nil
		}
	}
}

// Addr returns the pipe's name.
func (l *Listener) Addr() net.Addr { return l.name }
