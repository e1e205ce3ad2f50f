package sddl

import (
	"math"
	"strconv"
	"strings"
)

// maxSubAuthorities is SID_MAX_SUB_AUTHORITIES.
const maxSubAuthorities = 15

// The authorities whose SIDs this package makes itself.
const (
	ntAuthority   = 5
	unixAuthority = 22 // Samba's convention: S-1-22-1-UID and S-1-22-2-GID
	unixUsers     = 1
	unixGroups    = 2
)

// A SID is a security identifier: a user, a group or one of Windows' well-known principals. SIDs are compared with ==.
// The zero SID stands for none.
type SID struct {
	authority uint64 // 48 bits
	count     uint8  // 1 to 15; 0 in the zero SID only
	sub       [maxSubAuthorities]uint32
}

// newSID returns the SID S-1-authority-sub…. It is for tables, whose values are right.
func newSID(authority uint64, sub ...uint32) SID {
	s := SID{authority: authority, count: uint8(len(sub))}
	copy(s.sub[:], sub)
	return s
}

// UserSID returns S-1-22-1-UID, the SID of a Unix user, or the zero SID if uid is no user id.
func UserSID(uid int) SID { return unixSID(unixUsers, uid) }

// GroupSID returns S-1-22-2-GID, the SID of a Unix group, or the zero SID if gid is no group id.
func GroupSID(gid int) SID { return unixSID(unixGroups, gid) }

func unixSID(kind uint32, id int) SID {
	if id < 0 || int64(id) > math.MaxUint32 {
		return SID{}
	}
	return newSID(unixAuthority, kind, uint32(id))
}

// IsZero reports whether s stands for no SID.
func (s SID) IsZero() bool { return s.count == 0 }

// UID returns the Unix user id in S-1-22-1-UID; ok is false for every other SID.
func (s SID) UID() (uid int, ok bool) { return s.unixID(unixUsers) }

// GID returns the Unix group id in S-1-22-2-GID; ok is false for every other SID.
func (s SID) GID() (gid int, ok bool) { return s.unixID(unixGroups) }

func (s SID) unixID(kind uint32) (id int, ok bool) {
	if s.authority != unixAuthority || s.count != 2 || s.sub[0] != kind || int64(s.sub[1]) > math.MaxInt {
		return -1, false
	}
	return int(s.sub[1]), true
}

// String returns the SID as ConvertSidToStringSid does, such as "S-1-5-32-544"; the zero SID is "".
func (s SID) String() string {
	if s.IsZero() {
		return ""
	}
	b := strings.Builder{}
	b.WriteString("S-1-")
	if s.authority <= math.MaxUint32 {
		b.WriteString(strconv.FormatUint(s.authority, 10))
	} else {
		b.WriteString("0x" + strings.ToUpper(strconv.FormatUint(s.authority, 16)))
	}
	for _, sub := range s.sub[:s.count] {
		b.WriteByte('-')
		b.WriteString(strconv.FormatUint(uint64(sub), 10))
	}
	return b.String()
}

// SDDL returns the SID as descriptors print it: the two-letter alias if there is one, else String.
func (s SID) SDDL() string {
	if w := s.wellKnown(); w != nil {
		return w.alias
	}
	return s.String()
}

// ParseSID parses "S-1-5-32-544" or a two-letter alias such as "BA". The error is a [*SyntaxError].
func ParseSID(text string) (SID, error) {
	if len(text) > MaxLength {
		return SID{}, tooLong(text)
	}
	p := parser{text: text}
	s, err := p.sid()
	if err == nil && !p.done() {
		err = p.fail("the end of the SID")
	}
	if err != nil {
		return SID{}, err
	}
	return s, nil
}

// sid reads an alias or a SID in its S-1 form. Both end by themselves: nothing need separate them from what follows.
func (p *parser) sid() (SID, error) {
	if p.hasFold("S-") {
		return p.numericSID()
	}
	pair, ok := p.peekPair()
	if !ok {
		return SID{}, p.fail("a SID such as WD, BA or S-1-22-1-1000")
	}
	if w := byAlias(pair); w != nil {
		p.at += 2
		return w.sid, nil
	}
	if who, ok := domainAliases[pair]; ok {
		return SID{}, p.fail("the SID in full: " + pair + " (" + who + ") depends on the domain or machine")
	}
	return SID{}, p.fail("a SID such as WD, BA or S-1-22-1-1000")
}

func (p *parser) numericSID() (SID, error) {
	if !p.hasFold("S-1-") {
		return SID{}, p.fail("S-1- followed by numbers")
	}
	p.at += len("S-1-")
	authority, err := p.sidNumber(48)
	if err != nil {
		return SID{}, err
	}
	s := SID{authority: authority}
	for p.take('-') {
		if s.count == maxSubAuthorities {
			return SID{}, p.fail("at most 15 numbers after the authority")
		}
		sub, err := p.sidNumber(32)
		if err != nil {
			return SID{}, err
		}
		s.sub[s.count] = uint32(sub)
		s.count++
	}
	if s.count == 0 {
		return SID{}, p.fail("a hyphen and at least one more number")
	}
	return s, nil
}

// sidNumber reads one number of a SID, decimal or with 0x. Windows clips numbers that are too large; here they are
// refused, as the SID would be somebody else's.
func (p *parser) sidNumber(bits int) (uint64, error) {
	start, base := p.at, 10
	if p.hasFold("0x") {
		p.at += 2
		base = 16
	}
	digits := p.digits(base)
	// In "O:S-1-2-0x20D:" the D begins the DACL.
	if p.next() == ':' && strings.HasSuffix(digits, "D") {
		digits = digits[:len(digits)-1]
		p.at--
	}
	n, err := strconv.ParseUint(digits, base, bits)
	if err != nil || base == 10 && len(digits) > 1 && digits[0] == '0' {
		p.at = start
		return 0, p.fail("a number of at most " + strconv.Itoa(bits) + " bits, without leading zeros")
	}
	return n, nil
}
