package npfs

import (
	"fmt"
	"time"

	"github.com/anypipe/anypipe/internal/winerr"
)

// Mode is a pipe's type (fixed by its first creator) or an end's read mode.
type Mode uint8

// The two pipe types and read modes, with their NT numbers.
const (
	Byte    Mode = 0
	Message Mode = 1
)

// String returns "byte" or "message".
func (m Mode) String() string {
	if m == Message {
		return "message"
	}
	return "byte"
}

// Direction says which way data flows in a pipe, with the NT numbers of FILE_PIPE_LOCAL_INFORMATION.
// The zero value of the public configuration means Duplex, so Duplex is 0 here and NTDirection converts.
type Direction uint8

// The three directions.
const (
	Duplex   Direction = iota // both ways (PIPE_ACCESS_DUPLEX)
	Inbound                   // client to server only (PIPE_ACCESS_INBOUND)
	Outbound                  // server to client only (PIPE_ACCESS_OUTBOUND)
)

// String returns "duplex", "inbound" or "outbound".
func (d Direction) String() string {
	return [...]string{"duplex", "inbound", "outbound"}[min(d, Outbound)]
}

// State is the state of an instance as one end sees it, with the numbers of FILE_PIPE_LOCAL_INFORMATION.
type State uint8

// The four states.
const (
	Disconnected State = 1
	Listening    State = 2
	Connected    State = 3
	Closing      State = 4
)

// String returns the state's Windows name.
func (s State) String() string {
	if s < Disconnected || s > Closing {
		return "UNKNOWN"
	}
	return [...]string{"DISCONNECTED", "LISTENING", "CONNECTED", "CLOSING"}[s-1]
}

// Access is a set of file access rights as Windows numbers them.
type Access uint32

// The rights that pipes know. See "Named Pipe Security and Access Rights" in the Win32 documentation.
const (
	ReadData           Access = 0x1
	WriteData          Access = 0x2
	CreatePipeInstance Access = 0x4
	ReadEA             Access = 0x8
	WriteEA            Access = 0x10
	Execute            Access = 0x20
	ReadAttributes     Access = 0x80
	WriteAttributes    Access = 0x100
	Delete             Access = 0x10000
	ReadControl        Access = 0x20000
	WriteDAC           Access = 0x40000
	WriteOwner         Access = 0x80000
	Synchronize        Access = 0x100000
	GenericAll         Access = 0x10000000
	GenericExecute     Access = 0x20000000
	GenericWrite       Access = 0x40000000
	GenericRead        Access = 0x80000000

	fileRead    Access = 0x120089
	fileWrite   Access = 0x120116
	fileExecute Access = 0x1200A0
	fileAll     Access = 0x1F01FF
)

// Specific replaces the generic rights in a by what they mean for a pipe.
func (a Access) Specific() Access {
	out := a &^ (GenericAll | GenericExecute | GenericWrite | GenericRead)
	for _, m := range [...]struct{ generic, specific Access }{
		{GenericRead, fileRead}, {GenericWrite, fileWrite}, {GenericExecute, fileExecute}, {GenericAll, fileAll},
	} {
		if a&m.generic != 0 {
			out |= m.specific
		}
	}
	return out
}

// Modes are the two settings of one end that SetNamedPipeHandleState changes together.
type Modes struct {
	// Read is the end's read mode. Message is valid on message-type pipes only.
	Read Mode
	// NoWait is PIPE_NOWAIT: operations that would wait fail or do nothing instead.
	NoWait bool
}

// Info is what GetNamedPipeInfo, GetNamedPipeHandleState and FILE_PIPE_LOCAL_INFORMATION tell of one end.
type Info struct {
	Type         Mode      // the pipe's type
	Direction    Direction // the pipe's direction
	MaxInstances int       // as the first creator gave it; 255 means unlimited
	Instances    int       // server instances of the name now
	InQuota      int       // client-to-server buffer in bytes, the same number on both ends
	OutQuota     int       // server-to-client buffer in bytes
	Modes        Modes     // this end's modes
	State        State     // the instance's state as this end sees it
	Server       bool      // this is the server end
	Readable     int       // bytes that this end can read now
	WriteQuota   int       // bytes that this end can write without waiting
	RejectRemote bool      // the instance refuses clients of other machines
}

// Peeked is what PeekNamedPipe tells.
type Peeked struct {
	Read      int   // bytes copied into the buffer
	Available int   // bytes that can be read in all, blocked writes included
	Left      int   // bytes of the first message that were not copied; on byte pipes minus Read (Windows' wrap-around)
	Messages  int   // queued messages; 0 on byte pipes
	Length    int   // unread length of the first message; 0 on byte pipes
	State     State // CONNECTED or CLOSING
}

// Peer is what is known of the process at the other end.
type Peer struct {
	PID     int    // process id; 0 if the system does not tell
	Session int    // session id (Unix: the process's session leader); 0 if unknown
	UID     int    // Unix user id, -1 where there is none
	GID     int    // Unix group id, -1 where there is none
	Groups  []int  // supplementary Unix groups, as the kernel reports them; may be empty
	SID     string // security identifier; on Unix S-1-22-1-UID
	User    string // user name; the number if the name can't be found
}

// PipeInfo describes one live pipe for a listing.
type PipeInfo struct {
	Name           string        // as its first creator spelled it, without prefix
	Type           Mode          // the pipe's type
	Direction      Direction     // the pipe's direction
	MaxInstances   int           // 255 means unlimited
	Instances      int           // server instances now, in all processes
	DefaultTimeout time.Duration // what WaitNamedPipe waits by default
	SDDL           string        // the security descriptor
	Owner          string        // user name of the creator
	OwnerUID       int           // Unix user id of the creator, -1 where there is none
	Servers        []int         // process ids of the server processes
	Path           string        // socket path for programs that know only Unix sockets; empty if there is none
}

// UnlimitedInstances is PIPE_UNLIMITED_INSTANCES.
const UnlimitedInstances = 255

// DefaultWait is the default timeout of a pipe whose creator gave 0 (CreateNamedPipe's nDefaultTimeOut).
const DefaultWait = 50 * time.Millisecond

// CreateConfig is what CreateNamedPipe is given for one instance. What the name's first creator gave for Type,
// Direction, MaxInstances, DefaultTimeout and SDDL holds for all instances; the rest is each instance's own.
type CreateConfig struct {
	Type           Mode
	Direction      Direction
	MaxInstances   int // 1 to 255; 255 is unlimited
	First          bool
	InQuota        int // bytes; 0 makes every write wait until it has been read
	OutQuota       int
	DefaultTimeout time.Duration // 0 means DefaultWait
	Modes          Modes
	RejectRemote   bool
	SDDL           string // empty means the owner only
	Foreign        bool   // byte type: also serve programs that know only Unix sockets
	NoPolling      bool   // waiting calls of this end sleep at once, where they would poll for a moment
}

// OpenConfig is what a client gives to CreateFile.
type OpenConfig struct {
	Access      Access // generic rights allowed
	ExpectOwner string // SID or user name that must own the pipe; empty means any
	NoPolling   bool   // waiting calls of this end sleep at once, where they would poll for a moment
}

// Check says whether CreateNamedPipe would take the configuration.
func (c *CreateConfig) Check() error {
	switch {
	case c.Type > Message || c.Modes.Read > Message || c.Direction > Outbound:
		return fmt.Errorf("unknown type, read mode or direction: %w", winerr.InvalidParameter)
	case c.Type == Byte && c.Modes.Read == Message:
		return fmt.Errorf("message-read mode needs a message-type pipe: %w", winerr.InvalidParameter)
	case c.MaxInstances < 1 || c.MaxInstances > UnlimitedInstances:
		return fmt.Errorf("%d instances, allowed are 1 to %d: %w", c.MaxInstances, UnlimitedInstances, winerr.InvalidParameter)
	case c.InQuota < 0 || c.OutQuota < 0 || c.InQuota > MaxQuota || c.OutQuota > MaxQuota:
		return fmt.Errorf("buffer sizes are 0 to %d bytes: %w", MaxQuota, winerr.InvalidParameter)
	case c.DefaultTimeout < 0:
		return fmt.Errorf("negative default timeout: %w", winerr.InvalidParameter)
	}
	return nil
}

// MaxQuota is the largest buffer size in bytes.
const MaxQuota = 64 << 20

// Status is the part of Info that changes while a connection lives.
type Status struct {
	State      State
	Modes      Modes
	Readable   int // bytes that this end can read now
	WriteQuota int // bytes that this end can write without waiting
}
