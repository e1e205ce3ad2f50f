// Package sddl holds the security descriptors of pipes: it parses and prints the Security Descriptor Definition Language,
// says in words what a descriptor means, and decides who may open a pipe as Windows' AccessCheck does.
//
// The language is that of [MS-DTYP] 2.5.1 with what has a meaning for pipes: allowing and denying ACEs in the DACL, audit
// ACEs and mandatory labels in the SACL. The SACL is kept and printed and has no effect: there is no audit log and there are
// no integrity levels to compare with. Object and conditional ACEs are refused, not ignored. Unix users and groups
// are the SIDs S-1-22-1-UID and S-1-22-2-GID.
package sddl

import "strings"

// Bounds of what Parse accepts. A canonical descriptor of MaxACEs in both ACLs, each as long as an ACE can be, is still
// shorter than MaxLength.
const (
	MaxLength = 128 << 10 // bytes of text
	MaxACEs   = 256       // in each ACL
)

// A Descriptor is a security descriptor. What Parse returned may be shared by goroutines that don't modify it.
type Descriptor struct {
	Owner SID  // zero: the creator's
	Group SID  // zero: the creator's
	Dacl  *ACL // nil: none given, so ForOwner puts in the default
	Sacl  *ACL // nil: none given
}

// An ACL is an access control list. An empty list grants nothing; a Null one is no list at all and grants everything.
type ACL struct {
	Flags ACLFlags
	Null  bool // NO_ACCESS_CONTROL
	ACEs  []ACE
}

// ACLFlags are the control bits of a descriptor that belong to one ACL. They are about inheritance, which pipes don't have.
type ACLFlags uint8

// The flags, in the order in which Windows prints them.
const (
	Protected      ACLFlags = 1 << iota // P
	AutoInheritReq                      // AR
	AutoInherited                       // AI
)

var aclFlags = []letterBits{{"P", uint32(Protected)}, {"AR", uint32(AutoInheritReq)}, {"AI", uint32(AutoInherited)}}

// nullACL is SDDL_NULL_ACL.
const nullACL = "NO_ACCESS_CONTROL"

// String returns the descriptor in canonical form, as ConvertSecurityDescriptorToStringSecurityDescriptor does. Parse
// takes it back to an equal descriptor.
func (d *Descriptor) String() string {
	b := strings.Builder{}
	if !d.Owner.IsZero() {
		b.WriteString("O:" + d.Owner.SDDL())
	}
	if !d.Group.IsZero() {
		b.WriteString("G:" + d.Group.SDDL())
	}
	if d.Dacl != nil {
		b.WriteString("D:" + d.Dacl.String())
	}
	if d.Sacl != nil {
		b.WriteString("S:" + d.Sacl.String())
	}
	return b.String()
}

// String returns the list as it stands behind "D:" or "S:".
func (l *ACL) String() string {
	b := strings.Builder{}
	flags, _ := spell(uint32(l.Flags), aclFlags)
	b.WriteString(flags)
	if l.Null {
		b.WriteString(nullACL)
	}
	for i := range l.ACEs {
		b.WriteString(l.ACEs[i].String())
	}
	return b.String()
}
