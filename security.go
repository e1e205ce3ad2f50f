package anypipe

import (
	"fmt"

	"github.com/anypipe/anypipe/internal/sddl"
)

// Security says who may open a pipe and who may add instances to it: a Windows security descriptor. Make one with
// [OwnerOnly], [GroupAccess], [EveryoneAccess], [EveryoneRead] or [ParseSDDL]; the zero value is OwnerOnly. On Unix, users
// and groups are the SIDs S-1-22-1-UID and S-1-22-2-GID, and root counts as LocalSystem and Administrators. A Security is
// immutable. Of several creators of a name the first one's holds.
//
// Adding instances is a right of its own (FILE_CREATE_PIPE_INSTANCE, 0x4), as whoever has it gets a share of the clients.
// GENERIC_WRITE contains it: a descriptor that grants "GW" or "FW" lets others serve the pipe. Reading and writing without
// it is 0x12019b, and that is what the constructors grant to others.
type Security struct {
	descriptor *sddl.Descriptor
}

// The parts of the constructors' descriptors. OW stands for whoever owns the pipe, so none is needed beforehand.
const (
	fullAccess = "(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)"
	clientOnly = "0x12019b" // GENERIC_READ|GENERIC_WRITE without FILE_CREATE_PIPE_INSTANCE
)

// OwnerOnly lets the pipe's owner and the system's administrators do everything and nobody else anything. It is what a
// nil Security means.
func OwnerOnly() *Security { return constructed("D:P" + fullAccess) }

// GroupAccess lets the members of a Unix group open the pipe for reading and writing, besides the owner. They can't
// add instances. It panics if gid is negative. On Windows, which has no such groups, use [ParseSDDL] with the group's SID.
func GroupAccess(gid int) *Security {
	group := sddl.GroupSID(gid)
	if group.IsZero() {
		panic(fmt.Sprintf("anypipe: GroupAccess: %d is not a group id", gid))
	}
	return constructed("D:P" + fullAccess + "(A;;" + clientOnly + ";;;" + group.SDDL() + ")")
}

// EveryoneAccess lets every user of the machine (and of others, if the pipe accepts them) open the pipe for reading and
// writing. They can't add instances.
func EveryoneAccess() *Security {
	return constructed("D:P" + fullAccess + "(A;;" + clientOnly + ";;;WD)")
}

// EveryoneRead is what CreateNamedPipe gives to a pipe without a descriptor: everybody, even anonymous users, may open it for
// reading, and only the owner for writing. It suits pipes that the server writes to ([Outbound]).
func EveryoneRead() *Security { return constructed("D:" + fullAccess + "(A;;FR;;;WD)(A;;FR;;;AN)") }

// constructed parses a descriptor of this file; every one of them is tested.
func constructed(text string) *Security {
	s, err := ParseSDDL(text)
	if err != nil {
		panic(err)
	}
	return s
}

// ParseSDDL parses a descriptor in the Security Descriptor Definition Language, such as "D:(A;;GRGW;;;BU)". The error says at
// which byte it went wrong and what would be right there, and is [ErrInvalidParameter]. See "Security Descriptor String
// Format" (Win32).
//
// What the descriptor leaves out is filled in when a pipe is created: the creator becomes owner and group, and a missing
// DACL is OwnerOnly's. Audit ACEs and mandatory labels are kept and have an effect on Windows only. Object and
// conditional ACEs are errors, and so are aliases that mean another SID in each domain, such as DA.
func ParseSDDL(s string) (*Security, error) {
	d, err := sddl.Parse(s)
	if err != nil {
		return nil, err
	}
	return &Security{d}, nil
}

// SDDL returns the descriptor in its canonical text form.
func (s *Security) SDDL() string { return s.parsed().String() }

// String returns the descriptor in plain words, one line for each statement, such as "Everyone may read".
func (s *Security) String() string { return s.parsed().Words() }

// parsed makes the zero value work.
func (s *Security) parsed() *sddl.Descriptor {
	if s == nil || s.descriptor == nil {
		return OwnerOnly().descriptor
	}
	return s.descriptor
}
