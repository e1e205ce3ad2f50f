package sddl

import (
	"math/bits"
	"strconv"
	"strings"

	"github.com/anypipe/anypipe/internal/npfs"
)

// ACEType says what an ACE does. The numbers are those of ACE_HEADER.
type ACEType uint8

// The types that mean something for a pipe. Allowed and Denied stand in DACLs, the others in SACLs.
const (
	Allowed        ACEType = 0x00
	Denied         ACEType = 0x01
	Audit          ACEType = 0x02
	MandatoryLabel ACEType = 0x11
)

// ACEFlags are the flags of ACE_HEADER.
type ACEFlags uint8

// The flags. On a pipe, which has no children, only InheritOnly matters: it makes the ACE have no effect.
const (
	ObjectInherit    ACEFlags = 0x01
	ContainerInherit ACEFlags = 0x02
	NoPropagate      ACEFlags = 0x04
	InheritOnly      ACEFlags = 0x08
	Inherited        ACEFlags = 0x10
	AuditSuccess     ACEFlags = 0x40
	AuditFailure     ACEFlags = 0x80
)

// An ACE is one access control entry.
type ACE struct {
	Type  ACEType
	Flags ACEFlags
	Mask  npfs.Access // generic rights allowed; of a MandatoryLabel the policy: 1 no write up, 2 no read up, 4 no execute up
	SID   SID
}

// inEffect reports whether the ACE takes part in access checks.
func (a *ACE) inEffect() bool { return a.Flags&InheritOnly == 0 }

var aceTypes = []struct {
	letters string
	typ     ACEType
	acl     byte // the component that may hold it: 'D' or 'S'
}{
	{"A", Allowed, 'D'},
	{"D", Denied, 'D'},
	{"AU", Audit, 'S'},
	{"ML", MandatoryLabel, 'S'},
}

// refusedTypes are the ACE types that Windows knows and pipes have no use for, with the reason.
var refusedTypes = map[string]string{
	"OA": "object ACEs are for directory objects",
	"OD": "object ACEs are for directory objects",
	"OU": "object ACEs are for directory objects",
	"OL": "object ACEs are for directory objects",
	"XA": "conditional ACEs are not supported",
	"XD": "conditional ACEs are not supported",
	"XU": "conditional ACEs are not supported",
	"ZA": "conditional ACEs are not supported",
	"RA": "resource attributes are not supported",
	"SP": "central access policies are not supported",
	"TL": "trust labels are not supported",
	"FL": "access filters are not supported",
	"AL": "alarms are not supported, by Windows neither",
}

// letterBits ties a two-letter code to what it stands for.
type letterBits struct {
	letters string
	bits    uint32
}

// aceFlags is in the order in which Windows prints them.
var aceFlags = []letterBits{
	{"OI", uint32(ObjectInherit)}, {"CI", uint32(ContainerInherit)}, {"NP", uint32(NoPropagate)},
	{"IO", uint32(InheritOnly)}, {"ID", uint32(Inherited)}, {"SA", uint32(AuditSuccess)}, {"FA", uint32(AuditFailure)},
}

// wholeRights are sets of rights with a code of their own; Windows prints one only if the mask is exactly this set.
var wholeRights = []letterBits{
	{"FA", 0x1F01FF}, {"FR", 0x120089}, {"FW", 0x120116}, {"FX", 0x1200A0},
	{"KA", 0x0F003F}, {"KR", 0x020019}, {"KW", 0x020006}, {"KX", 0x020019},
}

// singleRights have one bit each, in the order in which Windows prints them. The first nine are named for directory
// objects; on a pipe CC is READ_DATA, DC is WRITE_DATA, LC is CREATE_PIPE_INSTANCE, and so on.
var singleRights = []letterBits{
	{"CC", 0x1}, {"DC", 0x2}, {"LC", 0x4}, {"SW", 0x8}, {"RP", 0x10}, {"WP", 0x20}, {"DT", 0x40}, {"LO", 0x80}, {"CR", 0x100},
	{"SD", 0x10000}, {"RC", 0x20000}, {"WD", 0x40000}, {"WO", 0x80000},
	{"GA", 0x10000000}, {"GX", 0x20000000}, {"GW", 0x40000000}, {"GR", 0x80000000},
}

// labelRights are the policy bits of a mandatory label.
var labelRights = []letterBits{{"NW", 0x1}, {"NR", 0x2}, {"NX", 0x4}}

// find returns the bits of a code, or 0.
func find(code string, tables ...[]letterBits) uint32 {
	for _, table := range tables {
		for _, e := range table {
			if e.letters == code {
				return e.bits
			}
		}
	}
	return 0
}

// spell returns the codes of the bits, and whether there is one for each.
func spell(mask uint32, table []letterBits) (text string, complete bool) {
	b := strings.Builder{}
	for _, e := range table {
		if mask&e.bits == e.bits {
			b.WriteString(e.letters)
			mask &^= e.bits
		}
	}
	return b.String(), mask == 0
}

// rightsText prints a mask as Windows does: one code for a whole set, else a code for each bit, else hexadecimal.
func (a *ACE) rightsText() string {
	mask := uint32(a.Mask)
	singles := singleRights
	if a.Type == MandatoryLabel {
		singles = labelRights
	} else if bits.OnesCount32(mask) > 1 {
		for _, e := range wholeRights {
			if e.bits == mask {
				return e.letters
			}
		}
	}
	if text, complete := spell(mask, singles); complete {
		return text
	}
	return "0x" + strconv.FormatUint(uint64(mask), 16)
}

// String returns the ACE as it stands in a descriptor, such as "(A;;FA;;;SY)".
func (a *ACE) String() string {
	flags, _ := spell(uint32(a.Flags), aceFlags)
	return "(" + a.Type.String() + ";" + flags + ";" + a.rightsText() + ";;;" + a.SID.SDDL() + ")"
}

// String returns the type's letters in a descriptor.
func (t ACEType) String() string {
	for _, e := range aceTypes {
		if e.typ == t {
			return e.letters
		}
	}
	return "0x" + strconv.FormatUint(uint64(t), 16)
}
