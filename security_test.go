package anypipe

import (
	"errors"
	"testing"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/sddl"
)

func TestSecurityConstructors(t *testing.T) {
	const readWrite = GenericRead | GenericWrite
	owner, member := sddl.UnixToken(1000, []int{1000}), sddl.UnixToken(1001, []int{27})
	stranger, anonymous, root := sddl.UnixToken(1002, []int{1002}), sddl.UnixToken(-1, nil), sddl.UnixToken(0, nil)
	for _, c := range []struct {
		name     string
		security *Security
		sddl     string
		readers  []sddl.Token // may open for reading
		clients  []sddl.Token // may open for reading and writing
	}{
		{"zero", new(Security), "D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)", nil, nil},
		{"OwnerOnly", OwnerOnly(), "D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)", nil, nil},
		{"GroupAccess", GroupAccess(27), "D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x12019b;;;S-1-22-2-27)",
			[]sddl.Token{member}, []sddl.Token{member}},
		{"EveryoneAccess", EveryoneAccess(), "D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x12019b;;;WD)",
			[]sddl.Token{member, stranger}, []sddl.Token{member, stranger}},
		{"EveryoneRead", EveryoneRead(), "D:(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;WD)(A;;FR;;;AN)",
			[]sddl.Token{member, stranger, anonymous}, nil},
	} {
		if got := c.security.SDDL(); got != c.sddl {
			t.Errorf("%s is %s, want %s", c.name, got, c.sddl)
		}
		live := c.security.parsed().ForOwner(sddl.UserSID(1000), sddl.GroupSID(1000))
		if live.OpenToOthers(sddl.UserSID(1000)) != (c.readers != nil) {
			t.Errorf("%s: OpenToOthers is wrong", c.name)
		}
		for who, token := range map[string]sddl.Token{"owner": owner, "root": root, "member": member, "stranger": stranger, "anonymous": anonymous} {
			privileged := who == "owner" || who == "root"
			checkOpen(t, c.name+", reading by "+who, live, token, GenericRead, privileged || holds(c.readers, token))
			checkOpen(t, c.name+", reading and writing by "+who, live, token, readWrite, privileged || holds(c.clients, token))
			if _, err := live.CheckCreate(token, readWrite); (err == nil) != privileged {
				t.Errorf("%s: adding instances by %s: %v", c.name, who, err)
			}
		}
	}
}

func holds(tokens []sddl.Token, t sddl.Token) bool {
	for _, other := range tokens {
		if other.User == t.User {
			return true
		}
	}
	return false
}

func checkOpen(t *testing.T, what string, d *sddl.Descriptor, token sddl.Token, want npfs.Access, may bool) {
	t.Helper()
	if _, err := d.CheckOpen(token, want); (err == nil) != may || err != nil && !errors.Is(err, ErrAccessDenied) {
		t.Errorf("%s: %v, want allowed=%v", what, err, may)
	}
}

func TestGroupAccessRefusesNegativeGroups(t *testing.T) {
	defer func() {
		if got := recover(); got != "anypipe: GroupAccess: -1 is not a group id" {
			t.Errorf("recovered %v", got)
		}
	}()
	GroupAccess(-1)
}

func TestParseSDDLError(t *testing.T) {
	s, err := ParseSDDL("D:(A;;GRGW;;;DU)")
	if s != nil || !errors.Is(err, ErrInvalidParameter) || Win32Code(err) != 87 {
		t.Errorf("got %v, %v", s, err)
	}
}
