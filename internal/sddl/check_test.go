package sddl

import (
	"errors"
	"testing"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

const (
	full  = npfs.Access(0x1F01FF)
	read  = npfs.GenericRead
	write = npfs.GenericWrite
	both  = npfs.GenericRead | npfs.GenericWrite
)

var (
	owner    = UnixToken(1000, []int{1000, 27})
	stranger = UnixToken(1001, []int{1001})
	member   = UnixToken(1002, []int{1002, 27})
	root     = UnixToken(0, []int{0})
	nobody   = UnixToken(-1, nil)
)

// live returns the descriptor that user 1000's pipe has when it is created with text.
func live(t *testing.T, text string) *Descriptor {
	t.Helper()
	return mustParse(t, text).ForOwner(UserSID(1000), GroupSID(1000))
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		why  string
		sddl string
		who  Token
		want npfs.Access
		got  npfs.Access // 0: denied
	}{
		{"a NULL DACL grants everything", "D:NO_ACCESS_CONTROL", nobody, full, full},
		{"… and is the whole of it", "D:NO_ACCESS_CONTROL", nobody, MaximumAllowed, full},
		{"… but not the SACL", "D:NO_ACCESS_CONTROL", root, 0x01000000, 0},
		{"… nor does an ACE give that", "D:(A;;0x01000001;;;WD)", root, 0x01000001, 0},
		{"an empty DACL grants nothing", "D:", stranger, npfs.Synchronize, 0},
		{"… to root neither", "D:", root, read, 0},
		{"… but the owner's two rights", "D:", owner, MaximumAllowed, npfs.ReadControl | npfs.WriteDAC},
		{"… and no more", "D:", owner, npfs.ReadControl | npfs.ReadData, 0},
		{"nothing asked is nothing granted", "D:(A;;FA;;;WD)", owner, 0, 0},
		{"no ACE for the token", "D:(A;;FA;;;S-1-22-1-1000)", stranger, npfs.ReadData, 0},
		{"ACE for the user", "D:(A;;FA;;;S-1-22-1-1000)", owner, both, 0x12019f},
		{"ACE for a group", "D:(A;;FR;;;S-1-22-2-27)", member, read, 0x120089},
		{"a user's number is not a group's", "D:(A;;FR;;;S-1-22-2-1001)(A;;FR;;;S-1-22-1-27)", UnixToken(1001, []int{5}), read, 0},
		{"Everyone", "D:(A;;FR;;;WD)", stranger, read, 0x120089},
		{"Authenticated Users", "D:(A;;FR;;;AU)", stranger, read, 0x120089},
		{"Users", "D:(A;;FR;;;BU)", stranger, read, 0x120089},
		{"Anonymous is not in Everyone", "D:(A;;FR;;;WD)(A;;FR;;;AU)", nobody, read, 0},
		{"… and has its own SID", "D:(A;;FR;;;AN)", nobody, read, 0x120089},
		{"root is LocalSystem", "D:(A;;FA;;;SY)", root, full, full},
		{"root is Administrators", "D:(A;;FA;;;BA)", root, full, full},
		{"nobody else is", "D:(A;;FA;;;SY)(A;;FA;;;BA)", stranger, npfs.ReadData, 0},
		{"local users are not of the network", "D:(D;;FA;;;NU)(A;;FR;;;WD)", stranger, read, 0x120089},
		{"rights add up over ACEs", "D:(A;;0x1;;;WD)(A;;0x2;;;S-1-22-2-27)", member, 0x3, 0x3},
		{"… and one missing is all missing", "D:(A;;0x1;;;WD)(A;;0x2;;;S-1-22-2-27)", stranger, 0x3, 0},
		{"a denial before counts", "D:(D;;0x2;;;S-1-22-2-27)(A;;0x3;;;WD)", member, 0x3, 0},
		{"… for the denied right only", "D:(D;;0x2;;;S-1-22-2-27)(A;;0x3;;;WD)", member, 0x1, 0x1},
		{"… for the denied group only", "D:(D;;0x2;;;S-1-22-2-27)(A;;0x3;;;WD)", stranger, 0x3, 0x3},
		{"a denial after a grant comes too late", "D:(A;;0x3;;;WD)(D;;0x2;;;S-1-22-2-27)", member, 0x3, 0x3},
		{"… also for MAXIMUM_ALLOWED", "D:(A;;0x3;;;WD)(D;;0x7;;;WD)(A;;0xf;;;WD)", member, MaximumAllowed, 0xb},
		{"MAXIMUM_ALLOWED takes denials out", "D:(D;;0x2;;;S-1-22-2-27)(A;;0x3;;;WD)", member, MaximumAllowed, 0x1},
		{"MAXIMUM_ALLOWED with a right that is there", "D:(A;;0x3;;;WD)", member, MaximumAllowed | 0x1, 0x3},
		{"MAXIMUM_ALLOWED with one that is not", "D:(A;;0x3;;;WD)", member, MaximumAllowed | 0x4, 0},
		{"MAXIMUM_ALLOWED of nothing", "D:(A;;0x3;;;SY)", member, MaximumAllowed, 0},
		{"inherit-only grants nothing", "D:(A;OICIIO;FA;;;WD)", stranger, npfs.ReadData, 0},
		{"inherit-only denies nothing", "D:(D;IO;FA;;;WD)(A;;FR;;;WD)", stranger, read, 0x120089},
		{"inherited counts", "D:(A;ID;FR;;;WD)", stranger, read, 0x120089},
		{"generic rights in an ACE", "D:(A;;GRGW;;;WD)", stranger, both, 0x12019f},
		{"… GA", "D:(A;;GA;;;WD)", stranger, full, full},
		{"… GX", "D:(A;;GX;;;WD)", stranger, 0x1200a0, 0x1200a0},
		{"a denied generic right", "D:(D;;GW;;;WD)(A;;FA;;;WD)", stranger, npfs.WriteData, 0},
		{"owner rights are implicit", "D:(D;;FA;;;WD)", owner, npfs.ReadControl | npfs.WriteDAC, npfs.ReadControl | npfs.WriteDAC},
		{"… for the owner only", "D:(A;;FR;;;WD)", stranger, npfs.WriteDAC, 0},
		{"OWNER RIGHTS replaces them", "D:(A;;0x1;;;OW)", owner, npfs.WriteDAC, 0},
		{"… and grants what it says", "D:(A;;FA;;;OW)", owner, full, full},
		{"… to the owner only", "D:(A;;FA;;;OW)", stranger, npfs.ReadData, 0},
		{"… and denies", "D:(D;;RC;;;OW)(A;;FA;;;WD)", owner, npfs.ReadControl, 0},
		{"… unless it is inherit-only", "D:(A;IO;0x1;;;OW)", owner, npfs.WriteDAC, npfs.WriteDAC},
		{"a group can own", "O:S-1-22-2-27D:(A;;FR;;;OW)", member, read, 0x120089},
		{"CREATOR OWNER is who created", "D:(A;;FA;;;CO)", owner, full, full},
		{"… nobody else", "D:(A;;FA;;;CO)", stranger, npfs.ReadData, 0},
		{"CREATOR GROUP is the creator's group", "D:(A;;FR;;;CG)", UnixToken(5, []int{1000}), read, 0x120089},
		{"without a DACL the default holds", "O:S-1-22-1-1000", stranger, npfs.ReadData, 0},
		{"… for the owner", "O:S-1-22-1-1000", owner, full, full},
		{"… for the owner that was named", "O:S-1-22-1-1001", stranger, full, full},
	} {
		checkGrant(t, c.why, c.got, func() (npfs.Access, error) { return live(t, c.sddl).Check(c.who, c.want) })
	}
}

func checkGrant(t *testing.T, why string, want npfs.Access, check func() (npfs.Access, error)) {
	t.Helper()
	got, err := check()
	if want == 0 && (!errors.Is(err, winerr.AccessDenied) || got != 0) {
		t.Errorf("%s: got %#x, %v; want ERROR_ACCESS_DENIED", why, uint32(got), err)
	}
	if want != 0 && (err != nil || got != want) {
		t.Errorf("%s: got %#x, %v; want %#x", why, uint32(got), err, uint32(want))
	}
}

const (
	windowsDefault = "D:(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)(A;;FR;;;WD)(A;;FR;;;AN)"
	noInstances    = "D:P(A;;FA;;;OW)(A;;0x12019B;;;WD)"
)

func TestCheckOpen(t *testing.T) {
	for _, c := range []struct {
		why  string
		sddl string
		who  Token
		want npfs.Access
		got  npfs.Access
	}{
		{"case 48: the default lets others read", windowsDefault, stranger, read, 0x120089},
		{"case 48: … and not write", windowsDefault, stranger, both, 0},
		{"case 48: … the owner both", windowsDefault, owner, both, 0x12019b},
		{"case 48: … Anonymous read", windowsDefault, nobody, read, 0x120089},
		{"case 49: read and write without 0x4 is enough for a client", noInstances, stranger, both, 0x12019b},
		{"case 49: … GENERIC_ALL is not there", noInstances, stranger, npfs.GenericAll, 0},
		{"case 50: 0x1200FF has no WRITE_ATTRIBUTES", "D:P(A;;0x1200FF;;;WD)", stranger, both, 0},
		{"case 50: … for the owner neither", "D:P(A;;0x1200FF;;;WD)", owner, both, 0},
		{"case 50: … reading works", "D:P(A;;0x1200FF;;;WD)", stranger, read, 0x120089},
		{"case 59: access 0 gets what CreateFile adds", noInstances, stranger, 0, 0x100080},
		{"what CreateFile adds must be granted", "D:(A;;0x1;;;WD)", stranger, npfs.ReadData, 0},
		{"0x4 alone is nothing a client asks for", noInstances, stranger, npfs.CreatePipeInstance, 0x100080},
		{"writing only", "D:(A;;FW;;;WD)(A;;LO;;;WD)", stranger, write, 0x120192},
		{"GENERIC_WRITE alone lacks READ_ATTRIBUTES", "D:(A;;GW;;;WD)", stranger, write, 0},
		{"MAXIMUM_ALLOWED", noInstances, stranger, MaximumAllowed, 0x12019b},
	} {
		checkGrant(t, c.why, c.got, func() (npfs.Access, error) { return live(t, c.sddl).CheckOpen(c.who, c.want) })
	}
}

func TestCheckCreate(t *testing.T) {
	for _, c := range []struct {
		why  string
		sddl string
		who  Token
		got  npfs.Access
	}{
		{"case 48: by default others can't add instances", windowsDefault, stranger, 0},
		{"case 48: … the owner can", windowsDefault, owner, 0x12019f},
		{"case 49: without 0x4 a client can't either", noInstances, stranger, 0},
		{"case 49: … the owner can", noInstances, owner, 0x12019f},
		{"plain GENERIC_WRITE lets anybody squat", "D:(A;;GRGW;;;WD)", stranger, 0x12019f},
		{"root by LocalSystem", windowsDefault, root, 0x12019f},
	} {
		checkGrant(t, c.why, c.got, func() (npfs.Access, error) { return live(t, c.sddl).CheckCreate(c.who, both) })
	}
	checkGrant(t, "an inbound pipe's create asks for 0x4 too", 0, func() (npfs.Access, error) {
		return live(t, noInstances).CheckCreate(stranger, read)
	})
}

func TestDefaultIsTheOwnersAlone(t *testing.T) {
	d := Default(UserSID(1000), GroupSID(1000))
	if got := d.String(); got != "O:S-1-22-1-1000G:S-1-22-2-1000D:P(A;;FA;;;S-1-22-1-1000)(A;;FA;;;SY)(A;;FA;;;BA)" {
		t.Error(got)
	}
	for who, token := range map[string]Token{"owner": owner, "root": root} {
		checkGrant(t, who, full, func() (npfs.Access, error) { return d.Check(token, npfs.GenericAll) })
	}
	for who, token := range map[string]Token{"stranger": stranger, "member": member, "nobody": nobody} {
		checkGrant(t, who, 0, func() (npfs.Access, error) { return d.Check(token, MaximumAllowed) })
	}
}

func TestForOwner(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"D:P(A;;GA;;;CO)(A;;GRGW;;;CG)(D;IO;GX;;;WD)", "O:S-1-22-1-7G:S-1-22-2-8D:P(A;;FA;;;S-1-22-1-7)(A;;0x12019f;;;S-1-22-2-8)(D;IO;FX;;;WD)"},
		{"O:BAG:BUD:(A;;FA;;;CO)(A;;FA;;;CG)", "O:BAG:BUD:(A;;FA;;;BA)(A;;FA;;;BU)"},
		{"D:NO_ACCESS_CONTROL", "O:S-1-22-1-7G:S-1-22-2-8D:NO_ACCESS_CONTROL"},
		{"D:S:(ML;;NW;;;LW)", "O:S-1-22-1-7G:S-1-22-2-8D:S:(ML;;NW;;;LW)"},
		{"G:BU", "O:S-1-22-1-7G:BUD:P(A;;FA;;;S-1-22-1-7)(A;;FA;;;SY)(A;;FA;;;BA)"},
	} {
		d := mustParse(t, c.in)
		before := d.String()
		if got := d.ForOwner(UserSID(7), GroupSID(8)).String(); got != c.want {
			t.Errorf("%s for 7:8 = %s, want %s", c.in, got, c.want)
		}
		if d.String() != before {
			t.Errorf("ForOwner changed %s to %s", before, d)
		}
	}
}

func TestOpenToOthers(t *testing.T) {
	for sddl, want := range map[string]bool{
		"D:":                  false,
		"D:NO_ACCESS_CONTROL": true,
		"D:P(A;;FA;;;OW)":     false,
		"D:P(A;;FA;;;CO)(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;S-1-22-1-1000)(A;;FA;;;S-1-22-1-0)": false,
		"D:(D;;FA;;;WD)":                           false,
		"D:(A;IO;FA;;;WD)":                         false,
		"D:(A;;;;;WD)":                             false,
		"D:(A;;RC;;;WD)":                           true,
		"D:(A;;FA;;;AN)":                           true,
		"D:(A;;FA;;;S-1-22-2-27)":                  true,
		"O:S-1-22-1-1001D:":                        true,
		"O:S-1-22-1-1001D:(A;;FA;;;S-1-22-1-1001)": true,
		"O:BAD:(A;;FA;;;SY)":                       false,
		"O:S-1-22-1-1000":                          false,
		windowsDefault:                             true,
		noInstances:                                true,
	} {
		if got := live(t, sddl).OpenToOthers(UserSID(1000)); got != want {
			t.Errorf("%s: open to others = %v", sddl, got)
		}
	}
	if d := Default(UserSID(5), SID{}); d.OpenToOthers(UserSID(5)) || !d.OpenToOthers(UserSID(6)) {
		t.Error("the default is its owner's alone")
	}
}

func TestMayOwn(t *testing.T) {
	if !owner.MayOwn(UserSID(1000)) || owner.MayOwn(UserSID(1001)) || owner.MayOwn(GroupSID(27)) || owner.MayOwn(LocalSystem) {
		t.Error("a user may own as itself only")
	}
	if !root.MayOwn(UserSID(1000)) || !root.MayOwn(LocalSystem) {
		t.Error("root may own as anybody")
	}
}
