package anypipe

import (
	"context"
	"net"
	"time"

	"github.com/anypipe/anypipe/internal/npfs"
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
	// NoPolling makes waiting calls of the server ends sleep at once. Without it they poll for a moment first, which saves
	// the tens of microseconds of a wake-up when the other end answers soon, costs CPU for at most that moment, and stops by itself
	// when it does not pay. On Windows the kernel waits, which never polls.
	NoPolling bool
	// Transport carries the pipe; nil means this machine.
	Transport Transport
}

// createConfig checks the configuration and fills in what zero values mean.
func (lc *ListenConfig) createConfig() (*CreateConfig, error) {
	cfg := &CreateConfig{
		Type: lc.Type, Direction: lc.Direction, MaxInstances: lc.MaxInstances, First: lc.First,
		InQuota: quota(lc.InBuffer), OutQuota: quota(lc.OutBuffer), DefaultTimeout: lc.DefaultTimeout,
		Modes: Modes{Read: lc.ReadMode, NoWait: lc.NoWait}, RejectRemote: !lc.AcceptRemote, Foreign: !lc.NoForeign,
		NoPolling: lc.NoPolling,
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

// Listener is a [net.Listener] on a pipe name. It keeps instances LISTENING ahead, so that no client meets a gap. All
// methods may be called concurrently.
type Listener struct {
	config   *ListenConfig // immutable
	name     Name
	acceptor acceptor
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
	a, err := listenAhead(ctx, transportOr(lc.Transport), n, cfg, min(lc.backlog(), cfg.MaxInstances))
	if err != nil {
		return nil, opError("create", n, nil, err)
	}
	return &Listener{config: lc, name: n, acceptor: a}, nil
}

func (lc *ListenConfig) backlog() int {
	if lc.Backlog <= 0 {
		return DefaultBacklog
	}
	return lc.Backlog
}

// Accept waits for the next client. After Close the error is [net.ErrClosed].
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.AcceptPipe(context.Background())
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptPipe waits for the next client until ctx is done. A client that is there already is returned even then, and one
// that came and went too: what it left is readable. The caller owns the Conn; closing the Listener does not close it.
func (l *Listener) AcceptPipe(ctx context.Context) (*Conn, error) {
	in, err := l.AcceptInstance(ctx)
	if err != nil {
		return nil, err
	}
	return &in.Conn, nil
}

// AcceptInstance is AcceptPipe for servers that also want [Instance.Disconnect]. The instance is the caller's, as one of
// [ListenConfig.Create] is; the Listener has the next one ready already.
func (l *Listener) AcceptInstance(ctx context.Context) (*Instance, error) {
	end, err := l.acceptor.accept(ctx)
	if err != nil {
		return nil, opError("accept", l.name, nil, err)
	}
	return l.config.instance(l.name, end), nil
}

// Close closes the instances that nobody accepted; their clients get io.EOF. Connections that were accepted stay. Close
// waits until the listener's goroutines are gone. A second Close returns nil.
func (l *Listener) Close() error {
	return opError("close", l.name, nil, l.acceptor.close())
}

// Addr returns the pipe's name.
func (l *Listener) Addr() net.Addr { return l.name }
