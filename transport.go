package anypipe

import (
	"context"
	"time"

	"github.com/anypipe/anypipe/internal/local"
	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// The words of named pipes, shared by the package and by every [Transport].
type (
	// Mode is a pipe's type or an end's read mode: [Byte] or [Message].
	Mode = npfs.Mode
	// Direction is [Duplex], [Inbound] or [Outbound].
	Direction = npfs.Direction
	// State is the state of an instance as one end sees it.
	State = npfs.State
	// Access is a set of Windows access rights, generic or specific.
	Access = npfs.Access
	// Modes are an end's read mode and wait mode, which SetNamedPipeHandleState changes together. Its fields:
	//
	//	// Read is the end's read mode. Message is valid on message-type pipes only.
	//	Read Mode
	//	// NoWait is PIPE_NOWAIT: operations that would wait fail or do nothing instead.
	//	NoWait bool
	Modes = npfs.Modes
	// Info is what GetNamedPipeInfo and GetNamedPipeHandleState tell of one end and its pipe. Its fields:
	//
	//	Type         Mode      // the pipe's type
	//	Direction    Direction // the pipe's direction
	//	MaxInstances int       // as the first creator gave it; 255 means unlimited
	//	Instances    int       // server instances of the name now
	//	InQuota      int       // client-to-server buffer in bytes, the same number on both ends
	//	OutQuota     int       // server-to-client buffer in bytes
	//	Modes        Modes     // this end's modes
	//	State        State     // the instance's state as this end sees it
	//	Server       bool      // this is the server end
	//	Readable     int       // bytes that this end can read now
	//	WriteQuota   int       // bytes that this end can write without waiting
	//	RejectRemote bool      // the instance refuses clients of other machines
	Info = npfs.Info
	// Peeked is what PeekNamedPipe tells. Its fields:
	//
	//	Read      int   // bytes copied into the buffer
	//	Available int   // bytes that can be read in all, blocked writes included
	//	Left      int   // bytes of the first message that were not copied; on byte pipes minus Read (Windows' wrap-around)
	//	Messages  int   // queued messages; 0 on byte pipes
	//	Length    int   // unread length of the first message; 0 on byte pipes
	//	State     State // CONNECTED or CLOSING
	Peeked = npfs.Peeked
	// Peer identifies the process at the other end. Its fields:
	//
	//	PID     int    // process id; 0 if the system does not tell
	//	Session int    // session id (Unix: the process's session leader); 0 if unknown
	//	UID     int    // Unix user id, -1 where there is none
	//	GID     int    // Unix group id, -1 where there is none
	//	Groups  []int  // supplementary Unix groups, as the kernel reports them; may be empty
	//	SID     string // security identifier; on Unix S-1-22-1-UID
	//	User    string // user name; the number if the name can't be found
	Peer = npfs.Peer
	// PipeInfo describes a live pipe in a listing. Its fields:
	//
	//	Name           string        // as its first creator spelled it, without prefix
	//	Type           Mode          // the pipe's type
	//	Direction      Direction     // the pipe's direction
	//	MaxInstances   int           // 255 means unlimited
	//	Instances      int           // server instances now, in all processes
	//	DefaultTimeout time.Duration // what WaitNamedPipe waits by default
	//	SDDL           string        // the security descriptor
	//	Owner          string        // user name of the creator
	//	OwnerUID       int           // Unix user id of the creator, -1 where there is none
	//	Servers        []int         // process ids of the server processes
	//	Path           string        // socket path for programs that know only Unix sockets; empty if there is none
	PipeInfo = npfs.PipeInfo
	// CreateConfig is what a Transport needs to create one instance. Its fields:
	//
	//	Type           Mode
	//	Direction      Direction
	//	MaxInstances   int // 1 to 255; 255 is unlimited
	//	First          bool
	//	InQuota        int // bytes; 0 makes every write wait until it has been read
	//	OutQuota       int
	//	DefaultTimeout time.Duration // 0 means DefaultWait
	//	Modes          Modes
	//	RejectRemote   bool
	//	SDDL           string // empty means the owner only
	//	Foreign        bool   // byte type: also serve programs that know only Unix sockets
	//	NoPolling      bool   // waiting calls of this end sleep at once, where they would poll for a moment
	CreateConfig = npfs.CreateConfig
	// OpenConfig is what a Transport needs to open a pipe as client. Its fields:
	//
	//	Access      Access // generic rights allowed
	//	ExpectOwner string // SID or user name that must own the pipe; empty means any
	//	NoPolling   bool   // waiting calls of this end sleep at once, where they would poll for a moment
	OpenConfig = npfs.OpenConfig
)

// Types, directions, states and the rights that Dial and descriptors use most.
const (
	Byte    = npfs.Byte
	Message = npfs.Message

	Duplex   = npfs.Duplex
	Inbound  = npfs.Inbound
	Outbound = npfs.Outbound

	Disconnected = npfs.Disconnected
	Listening    = npfs.Listening
	Connected    = npfs.Connected
	Closing      = npfs.Closing

	GenericRead     = npfs.GenericRead
	GenericWrite    = npfs.GenericWrite
	GenericAll      = npfs.GenericAll
	ReadAttributes  = npfs.ReadAttributes
	WriteAttributes = npfs.WriteAttributes
	ReadControl     = npfs.ReadControl

	// UnlimitedInstances is PIPE_UNLIMITED_INSTANCES, 255.
	UnlimitedInstances = npfs.UnlimitedInstances
)

// Transport carries pipes: it creates instances of a name and opens them. The nil Transport of a [Dialer] or
// [ListenConfig] is this machine's. A Transport is safe for concurrent use.
type Transport interface {
	// Create makes one instance, which is LISTENING at once. The errors are those of CreateNamedPipe.
	Create(ctx context.Context, name Name, cfg *CreateConfig) (ServerEndpoint, error)
	// Open opens the instance that has been LISTENING longest, or fails at once with ErrPipeBusy or ErrNotExist.
	Open(ctx context.Context, name Name, cfg *OpenConfig) (Endpoint, error)
	// Wait returns nil as soon as an instance is LISTENING; it reserves nothing. timeout is UseDefaultWait,
	// WaitForever or a positive time; the errors are ErrTimeout, ErrNotExist and ctx's.
	Wait(ctx context.Context, name Name, timeout time.Duration) error
	// List returns the live pipes, ordered by name.
	List(ctx context.Context) ([]PipeInfo, error)
}

// Endpoint is one open end. Its methods return bare conditions (the Err variables, io.EOF, net.ErrClosed,
// os.ErrDeadlineExceeded), which [Conn] wraps. All methods may be called concurrently; concurrent reads are
// served in order, and so are concurrent writes. Close unblocks everything with net.ErrClosed.
type Endpoint interface {
	// Type returns the pipe's type, which never changes. It asks nobody and works after Close.
	Type() Mode
	// Read is ReadFile: at most one message in message-read mode, with ErrMoreData if it goes on. A zero-length p
	// waits for data. The end of the data after the peer closed is io.EOF (ERROR_BROKEN_PIPE).
	Read(p []byte) (int, error)
	// ReadMessage appends the next whole message (or the unread rest of a partly read one) to buf, whatever the read
	// mode. If limit is not 0 and the message is longer, limit bytes and ErrMoreData are returned and the rest stays.
	ReadMessage(buf []byte, limit int) ([]byte, error)
	// Write is WriteFile. It returns when all of p is within the quota or read. On error n tells what was taken.
	Write(p []byte) (int, error)
	// Peek is PeekNamedPipe; it never waits. p may be nil.
	Peek(p []byte) (Peeked, error)
	// Transact is TransactNamedPipe: writes request, then appends the reply to buf as ReadMessage does.
	Transact(request, buf []byte, limit int) ([]byte, error)
	// Flush is FlushFileBuffers: waits until the peer has read all that this end wrote before. It obeys the write deadline.
	Flush() error
	// CloseWrite ends this direction: the peer reads what is buffered, then io.EOF. The other direction stays open.
	CloseWrite() error
	// SetModes is SetNamedPipeHandleState.
	SetModes(m Modes) error
	// Info is GetNamedPipeInfo.
	Info() (Info, error)
	// Peer tells who is at the other end. ErrNotFound if there is no client.
	Peer() (Peer, error)
	// SetReadDeadline and SetWriteDeadline are those of net.Conn: they also end calls that are already waiting.
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	// Close closes the end. What it wrote and the peer has not read stays readable; writes still waiting are withdrawn.
	Close() error
}

// ServerEndpoint is an instance: an Endpoint that clients come to.
type ServerEndpoint interface {
	Endpoint
	// Connect is ConnectNamedPipe. nil: a client came while it waited; ErrPipeConnected: one was there already;
	// ErrNoData: one came and went, and what it wrote is still readable. With NoWait it never waits (ErrPipeListening).
	Connect(ctx context.Context) error
	// Disconnect is DisconnectNamedPipe: unread data of both directions is gone and the client gets ErrNotConnected.
	Disconnect() error
	// RunAsClient runs f on a thread that acts as the client (ImpersonateNamedPipeClient … RevertToSelf).
	RunAsClient(f func() error) error
}

// Timeouts for Wait, with the meaning of NMPWAIT_USE_DEFAULT_WAIT and NMPWAIT_WAIT_FOREVER.
const (
	UseDefaultWait time.Duration = 0
	WaitForever    time.Duration = -1
)

// thisMachine is the nil Transport: the kernel's pipes on Windows, our engine elsewhere.
type thisMachine struct{}

var (
	_ ServerEndpoint = (*local.Instance)(nil)
	_ Endpoint       = (*local.Client)(nil)
)

func (thisMachine) Create(ctx context.Context, name Name, cfg *CreateConfig) (ServerEndpoint, error) {
	if !name.IsLocal() {
		return nil, winerr.InvalidName // a server can't create a pipe on another machine
	}
	in, err := local.Create(ctx, name.Pipe, cfg)
	if err != nil {
		return nil, err
	}
	return in, nil
}

func (thisMachine) Open(ctx context.Context, name Name, cfg *OpenConfig) (Endpoint, error) {
	c, err := local.Open(ctx, name.Server, name.Pipe, cfg)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (thisMachine) Wait(ctx context.Context, name Name, timeout time.Duration) error {
	return local.Wait(ctx, name.Server, name.Pipe, timeout)
}

func (thisMachine) List(ctx context.Context) ([]PipeInfo, error) { return local.List(ctx) }

// acceptor keeps instances of a pipe LISTENING ahead for a Listener.
type acceptor interface {
	// accept returns the next instance that a client came to. It ends with net.ErrClosed after close.
	accept(ctx context.Context) (ServerEndpoint, error)
	// close closes the instances that nobody accepted and joins what the acceptor started.
	close() error
}

// machineAcceptor is this machine's acceptor, where it has one.
type machineAcceptor struct{ *local.Acceptor }

func (a machineAcceptor) accept(ctx context.Context) (ServerEndpoint, error) {
	in, err := a.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return in, nil
}

func (a machineAcceptor) close() error { return a.Close() }

// listenAhead returns an acceptor of the transport's own if it has one, else one made of workers.
func listenAhead(ctx context.Context, t Transport, n Name, cfg *CreateConfig, ahead int) (acceptor, error) {
	if _, ours := t.(thisMachine); !ours || !local.KeepsAhead || !n.IsLocal() {
		return newWorkers(ctx, t, n, cfg, ahead)
	}
	a, err := local.Listen(ctx, n.Pipe, cfg, ahead)
	if err != nil {
		return nil, err
	}
	return machineAcceptor{a}, nil
}

// transportOr returns t, or this machine's transport if t is nil.
func transportOr(t Transport) Transport {
	if t == nil {
		return thisMachine{}
	}
	return t
}
