package sddl

import (
	"math"
	"testing"
)

func TestEveryAlias(t *testing.T) {
	seen := map[SID]string{}
	for _, w := range wellKnowns {
		if other, ok := seen[w.sid]; ok {
			t.Errorf("%s and %s are both %v", w.alias, other, w.sid)
		}
		seen[w.sid] = w.alias
		if w.words == "" || domainAliases[w.alias] != "" || byAlias(w.alias) == nil {
			t.Errorf("%s: %q", w.alias, w.words)
		}
		for _, text := range []string{w.alias, w.sid.String()} {
			s, err := ParseSID(text)
			if err != nil || s != w.sid || s.SDDL() != w.alias {
				t.Errorf("ParseSID(%q) = %v (%s), %v; want %v (%s)", text, s, s.SDDL(), err, w.sid, w.alias)
			}
		}
		if d := mustParse(t, "O:"+w.alias+"G:"+w.alias+"D:(A;;GA;;;"+w.alias+")"); d.Owner != w.sid || d.Group != w.sid || d.Dacl.ACEs[0].SID != w.sid {
			t.Errorf("%s in a descriptor = %+v", w.alias, d)
		}
	}
}

// The aliases that pipes use most, against [MS-DTYP] 2.4.2.4.
func TestAliasNumbers(t *testing.T) {
	for alias, want := range map[string]string{
		"WD": "S-1-1-0", "CO": "S-1-3-0", "CG": "S-1-3-1", "OW": "S-1-3-4", "NU": "S-1-5-2", "IU": "S-1-5-4", "SU": "S-1-5-6",
		"AN": "S-1-5-7", "AU": "S-1-5-11", "RC": "S-1-5-12", "SY": "S-1-5-18", "LS": "S-1-5-19", "NS": "S-1-5-20",
		"BA": "S-1-5-32-544", "BU": "S-1-5-32-545", "BG": "S-1-5-32-546", "PU": "S-1-5-32-547", "AC": "S-1-15-2-1",
		"LW": "S-1-16-4096", "ME": "S-1-16-8192", "HI": "S-1-16-12288", "SI": "S-1-16-16384",
	} {
		if s, err := ParseSID(alias); err != nil || s.String() != want {
			t.Errorf("%s = %v, %v; want %s", alias, s, err, want)
		}
	}
}

func TestUnixSIDs(t *testing.T) {
	if s := UserSID(1000); s.String() != "S-1-22-1-1000" || s.SDDL() != s.String() {
		t.Error(s)
	}
	if s := GroupSID(27); s.String() != "S-1-22-2-27" {
		t.Error(s)
	}
	if uid, ok := UserSID(0).UID(); uid != 0 || !ok {
		t.Error(uid, ok)
	}
	if gid, ok := GroupSID(math.MaxInt32).GID(); gid != math.MaxInt32 || !ok {
		t.Error(gid, ok)
	}
	for _, s := range []SID{{}, GroupSID(5), Everyone, newSID(unixAuthority, unixUsers), newSID(unixAuthority, unixUsers, 1, 2)} {
		if uid, ok := s.UID(); ok || uid != -1 {
			t.Errorf("%v is user %d", s, uid)
		}
	}
	if _, ok := UserSID(5).GID(); ok {
		t.Error("a user is no group")
	}
	if s := UserSID(-1); !s.IsZero() || s.String() != "" {
		t.Errorf("user -1 is %v", s)
	}
}

func TestParseSIDTakesOneSIDOnly(t *testing.T) {
	for _, text := range []string{"", " BA", "BA ", "BAD", "S-1-5-18x", "S-1-5-18;", "root", "1000"} {
		if s, err := ParseSID(text); err == nil || !s.IsZero() {
			t.Errorf("ParseSID(%q) = %v, %v", text, s, err)
		}
	}
}
