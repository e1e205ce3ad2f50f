package sddl

import (
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// canonical descriptors print as they are.
var canonical = []string{
	"D:",
	"D:P",
	"D:S:",
	"D:PS:",
	"O:BA",
	"O:BAG:SYD:P(A;;FA;;;SY)",
	"O:S-1-2-512D:",
	"O:S-1-5-21-1225132014-296224811-2507946102-512G:S-1-5-21-1225132014-296224811-2507946102-512D:P",
	"D:PARAI(A;;GA;;;SY)",
	"D:NO_ACCESS_CONTROL",
	"D:PNO_ACCESS_CONTROLS:NO_ACCESS_CONTROL",
	"D:P(A;;0x1200ff;;;WD)",
	"D:P(D;;0x12019b;;;AN)(A;OICINPIOID;FA;;;OW)(A;;;;;S-1-22-1-1000)(A;;CCRP;;;S-1-22-2-27)",
	"D:(A;;GAGXGWGR;;;BU)S:(ML;;NW;;;LW)(ML;;NWNRNX;;;HI)(ML;;0x8;;;ME)(AU;OICISAFA;SDRCWDWO;;;WD)",
	"D:(A;;GA;;;S-1-0x12A05F200-30-40)(A;;0xffffffff;;;S-1-3-4294967295-3-4)",
	"D:(A;;FA;;;S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15)",
	"D:(A;;KA;;;SY)(A;;KR;;;SY)(A;;KW;;;SY)(A;;FR;;;SY)(A;;FW;;;SY)(A;;FX;;;SY)",
}

func mustParse(t *testing.T, text string) *Descriptor {
	t.Helper()
	d, err := Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return d
}

func TestCanonicalIsKept(t *testing.T) {
	for _, text := range canonical {
		if got := mustParse(t, text).String(); got != text {
			t.Errorf("Parse(%q).String() = %q", text, got)
		}
	}
}

// What Windows repairs, as ConvertSecurityDescriptorToStringSecurityDescriptor prints it.
func TestCanonicalIsMade(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"S:D:P", "D:PS:"},
		{"S:(ML;;NW;;;LW)D:(A;;GA;;;SY)O:BA", "O:BAD:(A;;GA;;;SY)S:(ML;;NW;;;LW)"},
		{"D:ARPAI(A;;GA;;;SY)", "D:PARAI(A;;GA;;;SY)"},
		{"D:PPPP(A;;GA;;;SY)", "D:P(A;;GA;;;SY)"},
		{"D:(A;;123456789;;;BG)", "D:(A;;0x75bcd15;;;BG)"},
		{"D:(A;;01234567;;;BG)", "D:(A;;0x53977;;;BG)"},
		{"D:(A;;17;;;BG)", "D:(A;;CCRP;;;BG)"},
		{"D:(A;;0;;;BG)", "D:(A;;;;;BG)"},
		{"D:(A;;0xff;;;BG)", "D:(A;;CCDCLCSWRPWPDTLO;;;BG)"},
		{"D:(A;;0xf01ff;;;BG)", "D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BG)"},
		{"D:(A;;0xe00f0000;;;BG)", "D:(A;;SDRCWDWOGXGWGR;;;BG)"},
		{"D:(A;;0X1F01FF;;;BG)", "D:(A;;FA;;;BG)"},
		{"D:(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;SY)", "D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;SY)"},
		{"D:(A;;GRGW;;;BU)", "D:(A;;GWGR;;;BU)"},
		{"D:(A;;FRFW;;;BU)", "D:(A;;0x12019f;;;BU)"},
		{"D:(A;IDCIOI;GA;;;BU)", "D:(A;OICIID;GA;;;BU)"},
		{"D:(A;;CC;;;S-1-21474836480-32-579)", "D:(A;;CC;;;S-1-0x500000000-32-579)"},
		{"D:(A;;GA;;;S-1-0x20-3-4)", "D:(A;;GA;;;S-1-32-3-4)"},
		{"D:(A;;GA;;;S-1-3-0x00000002-3-4)", "D:(A;;GA;;;S-1-3-2-3-4)"},
		{"O:S-1-2-0x200D:", "O:S-1-2-512D:"},
		{"O:S-1-2-0x2D:(A;;GA;;;SY)", "O:S-1-2-2D:(A;;GA;;;SY)"},
		{"O:s-1-5-32-544", "O:BA"},
		{"D:(A;;FA;;;S-1-3-4)", "D:(A;;FA;;;OW)"},
		{"D:(a;oi;ga;;;ba)", "D:(A;OI;GA;;;BA)"},
		{"  O:AA G:WD ", "O:AAG:WD"},
		{"D: S:", "D:S:"},
		{"D: P (A; ; GA; ; ; SY)\n(A;;GX;;;AA )", "D:P(A;;GA;;;SY)(A;;GX;;;AA)"},
		{"D: no_access_control ", "D:NO_ACCESS_CONTROL"},
	} {
		if got := mustParse(t, c.in).String(); got != c.want {
			t.Errorf("Parse(%q).String() = %q, want %q", c.in, got, c.want)
		}
	}
}

// A refused text: the place, what stands there, and a part of the advice.
func TestSyntaxErrors(t *testing.T) {
	for _, c := range []struct {
		in     string
		offset int
		found  string
		want   string
	}{
		{"", 0, "", "O:, G:, D: or S:"},
		{"   ", 3, "", "such as D:("},
		{"Z:(A;;GA;;;SY)", 0, "Z", "O:, G:, D: or S:"},
		{"d:(A;;GA;;;SY)", 0, "d", "O:, G:, D: or S:"},
		{"D :S:", 0, "D", "O:, G:, D: or S:"},
		{"D", 0, "D", "O:, G:, D: or S:"},
		{"D:D:", 2, "D", "only once"},
		{"O:BAO:BA", 4, "O", "only once"},
		{"O:", 2, "", "a SID"},
		{"O:B", 2, "B", "a SID"},
		{"O:ZZ", 2, "ZZ", "a SID"},
		{"O:1000", 2, "1000", "a SID"},
		{"O:DAD:", 2, "DAD", "DA (Domain Admins) depends on the domain"},
		{"O:S-2-5-18", 2, "S-2-5-18", "S-1-"},
		{"O:S-1-", 6, "", "a number of at most 48 bits"},
		{"O:S-1-5", 7, "", "at least one more number"},
		{"O:S-1-5-", 8, "", "at most 32 bits"},
		{"O:S-1-5-0x", 8, "0x", "at most 32 bits"},
		{"O:S-1-5-0xD:", 8, "0xD", "at most 32 bits"},
		{"O:S-1-5-018", 8, "018", "without leading zeros"},
		{"O:S-1-5-4294967296", 8, "4294967296", "at most 32 bits"},
		{"O:S-1-0x1000000000000-1", 6, "0x1000000000000-", "at most 48 bits"},
		{"O:S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16", 44, "16", "at most 15 numbers"},
		{"D:P:S:", 3, ":", "an ACE such as"},
		{"D:((A;;GA;;;SY))", 3, "(", "A (allow) or D (deny)"},
		{"D:(A;;GA;;)", 10, ")", "GUIDs"},
		{"D:(A;;GA;a;;SY)", 9, "a", "GUIDs"},
		{"D:(A;;GA;;;)", 11, ")", "a SID"},
		{"D:(A;;GA;;;SY", 13, "", "closing parenthesis"},
		{"D:(A;;GA;;;S-1-3-4 )", 18, " ", "closing parenthesis"},
		{"D:(Antlers;;GA;;;SY)", 3, "Antlers", "A (allow) or D (deny)"},
		{"D:(\u0100;;GA;;;SY)", 3, "\u0100", "A (allow) or D (deny)"},
		{"D:(OA;;GA;;;SY)", 3, "OA", "object ACEs are for directory objects"},
		{"D:(XA;;GA;;;SY)", 3, "XA", "conditional ACEs are not supported"},
		{"D:(AU;SA;GA;;;SY)", 3, "AU", "A (allow) or D (deny)"},
		{"S:(A;;GA;;;SY)", 3, "A", "AU (audit) or ML"},
		{"S:(SP;;GA;;;SY)", 3, "SP", "central access policies"},
		{"D:(A GA;;;SY)", 4, " ", "a semicolon after the ACE type"},
		{"D:(A;SA;GA;;;SY)", 5, "SA", "the ACE flags OI"},
		{"D:(A;O;GA;;;SY)", 5, "O", "the ACE flags OI"},
		{"D:(A;;GA ;;;SY)", 8, " ", "rights such as"},
		{"D:(A;;GQ;;;SY)", 6, "GQ", "rights such as"},
		{"D:(A;;NW;;;SY)", 6, "NW", "rights such as"},
		{"S:(ML;;GA;;;LW)", 7, "GA", "NW, NR, NX"},
		{"D:(A;;-99;;;SY)", 6, "-99", "rights such as"},
		{"D:(A;;0x123456789;;;SY)", 6, "0x123456789", "a number up to 0xffffffff"},
		{"D:(A;;0x;;;SY)", 6, "0x", "a number up to"},
		{"D:(A;;0x12 ;;;SY)", 10, " ", "a semicolon after the rights"},
		{"D:(A;;089;;;SY)", 7, "89", "a semicolon after the rights"},
		{"D:(A;;12GA;;;SY)", 8, "GA", "a semicolon after the rights"},
		{"D:(A;;GA;;;SY)x", 14, "x", "an ACE such as"},
		{"D:NO_ACCESS_CONTROL(A;;GA;;;SY)", 19, "(", "O:, G:, D: or S:"},
		{strings.Repeat(" ", MaxLength) + "D:", MaxLength, "D", "at most 131072 bytes"},
		{"D:" + strings.Repeat("(A;;;;;WD)", MaxACEs+1), 2 + 10*MaxACEs, "(", "at most 256 ACEs"},
	} {
		d, err := Parse(c.in)
		var syntax *SyntaxError
		if d != nil || !errors.As(err, &syntax) {
			t.Errorf("Parse(%.60q) = %v, %v; want a SyntaxError", c.in, d, err)
			continue
		}
		if syntax.Offset != c.offset || syntax.Found != c.found || !strings.Contains(syntax.Want, c.want) {
			t.Errorf("Parse(%.60q) = %+v; want byte %d, found %q, advice %q", c.in, *syntax, c.offset, c.found, c.want)
		}
	}
}

func TestSyntaxErrorIsInvalidParameter(t *testing.T) {
	_, err := Parse("D:(A;;GQ;;;SY)")
	if !errors.Is(err, winerr.InvalidParameter) || !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("%v is not ERROR_INVALID_PARAMETER", err)
	}
	const want = `security descriptor, byte 6: found "GQ", want rights such as GA, GR, GW, FA, FR, FW, RC, a number such as 0x12019b, or a semicolon (ERROR_INVALID_PARAMETER, 87)`
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	_, err = Parse("O:")
	if got := err.Error(); !strings.Contains(got, "byte 2: found the end, want a SID") {
		t.Error(got)
	}
}

func TestEveryRight(t *testing.T) {
	for _, e := range append(append([]letterBits{}, singleRights...), wholeRights...) {
		a := mustParse(t, "D:(A;;"+e.letters+";;;WD)").Dacl.ACEs[0]
		if uint32(a.Mask) != e.bits {
			t.Errorf("%s = %#x, want %#x", e.letters, uint32(a.Mask), e.bits)
		}
	}
	all := ""
	var bits npfs.Access
	for _, e := range singleRights {
		all = e.letters + all
		bits |= npfs.Access(e.bits)
	}
	if a := mustParse(t, "D:(A;;"+all+";;;WD)").Dacl.ACEs[0]; a.Mask != bits {
		t.Errorf("%s = %#x, want %#x", all, uint32(a.Mask), uint32(bits))
	}
}

// The rights' numbers as the Windows headers have them, written down here a second time on purpose.
func TestRightNumbers(t *testing.T) {
	for codes, want := range map[string]npfs.Access{
		"CC": npfs.ReadData, "DC": npfs.WriteData, "LC": npfs.CreatePipeInstance, "SW": npfs.ReadEA, "RP": npfs.WriteEA,
		"WP": npfs.Execute, "LO": npfs.ReadAttributes, "CR": npfs.WriteAttributes, "SD": npfs.Delete, "RC": npfs.ReadControl,
		"WD": npfs.WriteDAC, "WO": npfs.WriteOwner, "GA": npfs.GenericAll, "GX": npfs.GenericExecute,
		"GW": npfs.GenericWrite, "GR": npfs.GenericRead, "FA": npfs.GenericAll.Specific(),
		"FR": npfs.GenericRead.Specific(), "FW": npfs.GenericWrite.Specific(), "FX": npfs.GenericExecute.Specific(),
	} {
		if a := mustParse(t, "D:(A;;"+codes+";;;WD)").Dacl.ACEs[0]; a.Mask != want {
			t.Errorf("%s = %#x, want %#x", codes, uint32(a.Mask), uint32(want))
		}
	}
}

func TestNullIsNotEmptyIsNotAbsent(t *testing.T) {
	if d := mustParse(t, "O:BA"); d.Dacl != nil {
		t.Errorf("absent DACL = %+v", d.Dacl)
	}
	if d := mustParse(t, "D:"); d.Dacl == nil || d.Dacl.Null || len(d.Dacl.ACEs) != 0 {
		t.Errorf("empty DACL = %+v", d.Dacl)
	}
	if d := mustParse(t, "D:NO_ACCESS_CONTROL"); d.Dacl == nil || !d.Dacl.Null {
		t.Errorf("NULL DACL = %+v", d.Dacl)
	}
}

// checkRoundTrip holds for everything that Parse takes.
func checkRoundTrip(t *testing.T, text string) {
	t.Helper()
	d, err := Parse(text)
	if err != nil {
		var syntax *SyntaxError
		if d != nil || !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(text) || syntax.Want == "" {
			t.Fatalf("Parse(%q) = %v, %#v", text, d, err)
		}
		return
	}
	printed := d.String()
	again, err := Parse(printed)
	if err != nil {
		t.Fatalf("Parse(%q) printed %q, which fails: %v", text, printed, err)
	}
	if !reflect.DeepEqual(d, again) || again.String() != printed {
		t.Fatalf("%q printed %q, which is %+v, not %+v", text, printed, again, d)
	}
	if d.Words() == "" {
		t.Fatalf("%q has no words", printed)
	}
	alice := UnixToken(1000, []int{27})
	granted, err := d.Check(alice, MaximumAllowed)
	if (granted == 0) != (err != nil) {
		t.Fatalf("%q: granted %#x, %v", printed, uint32(granted), err)
	}
	if granted != 0 && !d.OpenToOthers(UserSID(1)) {
		t.Fatalf("%q grants a stranger %#x and is not open to others", printed, uint32(granted))
	}
}

func TestCutAtEveryByte(t *testing.T) {
	for _, text := range canonical {
		for i := range text {
			checkRoundTrip(t, text[:i])
			checkRoundTrip(t, text[i:])
		}
	}
}

// The longest canonical descriptor stays below MaxLength, so that what was parsed can always be parsed again.
func TestLongestDescriptorParses(t *testing.T) {
	sid := SID{authority: 1<<48 - 1, count: maxSubAuthorities}
	for i := range sid.sub {
		sid.sub[i] = 1<<32 - 1
	}
	acl := func(typ ACEType, flags ACEFlags) *ACL {
		l := &ACL{Flags: Protected | AutoInherited | AutoInheritReq}
		var mask uint32
		for _, e := range singleRights {
			mask |= e.bits
		}
		for range MaxACEs {
			l.ACEs = append(l.ACEs, ACE{typ, flags, npfs.Access(mask), sid})
		}
		return l
	}
	d := &Descriptor{Owner: sid, Group: sid, Dacl: acl(Allowed, 0x1f), Sacl: acl(Audit, 0xdf)}
	again, err := Parse(d.String())
	if err != nil || !reflect.DeepEqual(d, again) {
		t.Fatalf("%d bytes: %v", len(d.String()), err)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range canonical {
		f.Add(text)
	}
	f.Add("D: P (A; ; GA; ; ; SY) (a;;0x12;;;S-1-0x20-3)")
	f.Add("O:S-1-2-0x200D:")
	f.Fuzz(checkRoundTrip)
}
