package sddl

import (
	"slices"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// MaximumAllowed asks for every right that the token can have.
const MaximumAllowed npfs.Access = 0x02000000

// accessSystemSecurity is the right to the SACL. A privilege gives it, never an ACE, and nobody has privileges here.
const accessSystemSecurity npfs.Access = 0x01000000

// A Token says who asks: a user and the groups that the user is in.
type Token struct {
	User   SID
	Groups []SID
}

// UnixToken returns the token of a Unix process with what Windows puts into that of every local user: Everyone,
// Authenticated Users and Users. Root is LocalSystem and Administrators too. A process whose user is unknown (-1) is
// Anonymous, in no group, not even Everyone.
func UnixToken(uid int, gids []int) Token {
	t := Token{User: UserSID(uid)}
	if t.User.IsZero() {
		return Token{User: Anonymous}
	}
	t.Groups = []SID{Everyone, AuthenticatedUsers, Users}
	if uid == 0 {
		t.Groups = append(t.Groups, LocalSystem, Administrators)
	}
	for _, gid := range gids {
		if g := GroupSID(gid); !g.IsZero() {
			t.Groups = append(t.Groups, g)
		}
	}
	return t
}

// Holds reports whether the token's user is s or in s.
func (t *Token) Holds(s SID) bool {
	return !s.IsZero() && (t.User == s || slices.Contains(t.Groups, s))
}

// MayOwn reports whether the token's user may create a pipe that is owned by s: oneself, and for administrators anybody.
// Windows fails with ERROR_INVALID_OWNER otherwise.
func (t *Token) MayOwn(s SID) bool { return t.User == s || t.Holds(Administrators) }

// Check is AccessCheck: it returns the rights granted, which are want or, with MaximumAllowed, all there are. The error
// is winerr.AccessDenied if any right of want is missing, or if there is nothing to grant. A descriptor without DACL
// grants everything. Privileges don't exist.
func (d *Descriptor) Check(t Token, want npfs.Access) (granted npfs.Access, err error) {
	maximum := want&MaximumAllowed != 0
	want = want.Specific() &^ MaximumAllowed
	granted = d.grants(&t) & (want | npfs.GenericAll.Specific())
	if !maximum {
		granted &= want
	}
	if granted == 0 || want&^granted != 0 || want&accessSystemSecurity != 0 {
		return 0, winerr.AccessDenied
	}
	return granted, nil
}

// grants returns every right that the DACL gives the token. A right belongs to the first ACE that names it: an earlier
// allowing ACE wins over a later denying one, and the other way round. That is AccessCheck's own rule said for all rights
// at once, so one walk serves both requests for certain rights and MaximumAllowed.
func (d *Descriptor) grants(t *Token) npfs.Access {
	if d.Dacl == nil || d.Dacl.Null {
		return ^accessSystemSecurity
	}
	var granted, denied npfs.Access
	owns := t.Holds(d.Owner)
	if owns && !d.Dacl.limitsOwner() {
		granted = npfs.ReadControl | npfs.WriteDAC
	}
	for i := range d.Dacl.ACEs {
		a := &d.Dacl.ACEs[i]
		if !a.inEffect() || !(t.Holds(a.SID) || owns && a.SID == OwnerRights) {
			continue
		}
		switch mask := a.Mask.Specific(); a.Type {
		case Allowed:
			granted |= mask &^ denied
		case Denied:
			denied |= mask // what was granted before stays granted
		}
	}
	return granted
}

// limitsOwner reports whether an ACE for OWNER RIGHTS takes the place of what owners can do by themselves.
func (l *ACL) limitsOwner() bool {
	return slices.ContainsFunc(l.ACEs, func(a ACE) bool { return a.inEffect() && a.SID == OwnerRights })
}

// CheckOpen is the check when a client opens the pipe: CreateFile asks for SYNCHRONIZE and READ_ATTRIBUTES on top of
// want, and NPFS does not ask for CREATE_PIPE_INSTANCE, which GENERIC_WRITE contains: it is the server's right.
func (d *Descriptor) CheckOpen(t Token, want npfs.Access) (granted npfs.Access, err error) {
	want = want.Specific()&^npfs.CreatePipeInstance | npfs.Synchronize | npfs.ReadAttributes
	return d.Check(t, want)
}

// CheckCreate is the check when a server adds an instance to an existing pipe: NPFS asks for CREATE_PIPE_INSTANCE on top
// of want.
func (d *Descriptor) CheckCreate(t Token, want npfs.Access) (granted npfs.Access, err error) {
	return d.Check(t, want.Specific()|npfs.CreatePipeInstance)
}
