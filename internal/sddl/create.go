package sddl

import (
	"slices"

	"github.com/anypipe/anypipe/internal/npfs"
)

// Default returns the descriptor of a pipe whose creator gave none: its owner, LocalSystem and Administrators may do
// everything, nobody else anything. (CreateNamedPipe's own default also lets Everyone read.)
func Default(owner, group SID) *Descriptor {
	all := npfs.GenericAll.Specific()
	return &Descriptor{Owner: owner, Group: group, Dacl: &ACL{Flags: Protected, ACEs: []ACE{
		{Type: Allowed, Mask: all, SID: owner},
		{Type: Allowed, Mask: all, SID: LocalSystem},
		{Type: Allowed, Mask: all, SID: Administrators},
	}}}
}

// ForOwner returns the descriptor that a new pipe gets when its creator gives d: an owner, group or DACL that d leaves
// out is the creator's or Default's, CREATOR OWNER and CREATOR GROUP become who they are, and generic rights become what
// they mean for a pipe. d stays as it is. Whether the creator may give away ownership is the caller's to check ([Token.MayOwn]).
func (d *Descriptor) ForOwner(owner, group SID) *Descriptor {
	n := *d
	if n.Owner.IsZero() {
		n.Owner = owner
	}
	if n.Group.IsZero() {
		n.Group = group
	}
	if d.Dacl == nil {
		n.Dacl = Default(n.Owner, n.Group).Dacl
		return &n
	}
	dacl := *d.Dacl
	dacl.ACEs = slices.Clone(dacl.ACEs)
	for i := range dacl.ACEs {
		a := &dacl.ACEs[i]
		a.Mask = a.Mask.Specific()
		switch a.SID {
		case CreatorOwner:
			a.SID = n.Owner
		case CreatorGroup:
			a.SID = n.Group
		}
	}
	n.Dacl = &dacl
	return &n
}

// OpenToOthers reports whether anybody but owner, LocalSystem, Administrators and root could be granted anything, so that
// the pipe must be found by other users. Denying ACEs are not weighed: true may be too cautious, false is certain.
func (d *Descriptor) OpenToOthers(owner SID) bool {
	if d.Dacl == nil || d.Dacl.Null {
		return true
	}
	private := func(s SID) bool {
		return s == owner || s == LocalSystem || s == Administrators || s == UserSID(0)
	}
	if !d.Owner.IsZero() && !private(d.Owner) { // owners may always read and change the permissions
		return true
	}
	return slices.ContainsFunc(d.Dacl.ACEs, func(a ACE) bool {
		toOwner := a.SID == OwnerRights || a.SID == CreatorOwner
		return a.Type == Allowed && a.inEffect() && a.Mask != 0 && !toOwner && !private(a.SID)
	})
}
