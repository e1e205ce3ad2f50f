package sddl

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// A SyntaxError says where a text stops being a security descriptor. It is also winerr.InvalidParameter.
type SyntaxError struct {
	Offset int    // in bytes
	Found  string // what stands there, shortened; empty at the end of the text
	Want   string // what would be right there
}

// Error returns the place, what was found and what would be right.
func (e *SyntaxError) Error() string {
	found := "the end"
	if e.Found != "" {
		found = strconv.Quote(e.Found)
	}
	return fmt.Sprintf("security descriptor, byte %d: found %s, want %s (%s, %d)",
		e.Offset, found, e.Want, winerr.InvalidParameter.Name, winerr.InvalidParameter.Code)
}

// Unwrap returns winerr.InvalidParameter.
func (e *SyntaxError) Unwrap() error { return winerr.InvalidParameter }

// Parse parses a descriptor such as "O:BAD:P(A;;GRGW;;;BU)". Components may come in any order, each once; letters of ACEs
// may be lower case; white space may stand where Windows takes it. Numbers that overflow, which Windows clips,
// are errors. The error is a [*SyntaxError].
func Parse(text string) (*Descriptor, error) {
	if len(text) > MaxLength {
		return nil, tooLong(text)
	}
	p := parser{text: text}
	d := new(Descriptor)
	for p.space(); !p.done(); p.space() {
		if err := p.component(d); err != nil {
			return nil, err
		}
	}
	if *d == (Descriptor{}) {
		return nil, p.fail("O:, G:, D: or S:, such as D:(A;;GRGW;;;BU)")
	}
	return d, nil
}

func tooLong(text string) error {
	return &SyntaxError{MaxLength, excerpt(text[MaxLength:]), fmt.Sprintf("at most %d bytes", MaxLength)}
}

// parser walks over the text. Its methods leave at where the fault is when they fail.
type parser struct {
	text string
	at   int
}

// component reads one of O:, G:, D: and S: into d.
func (p *parser) component(d *Descriptor) error {
	key := p.next()
	if !strings.HasPrefix(p.text[p.at+1:], ":") || !strings.ContainsRune("OGDS", rune(key)) {
		return p.fail("O:, G:, D: or S:")
	}
	if d.has(key) {
		return p.fail("each of O:, G:, D: and S: only once")
	}
	p.at += 2
	p.space()
	var err error
	switch key {
	case 'O':
		d.Owner, err = p.sid()
	case 'G':
		d.Group, err = p.sid()
	case 'D':
		d.Dacl, err = p.acl(key)
	case 'S':
		d.Sacl, err = p.acl(key)
	}
	return err
}

func (d *Descriptor) has(key byte) bool {
	switch key {
	case 'O':
		return !d.Owner.IsZero()
	case 'G':
		return !d.Group.IsZero()
	case 'D':
		return d.Dacl != nil
	}
	return d.Sacl != nil
}

// acl reads flags and ACEs up to the next component.
func (p *parser) acl(key byte) (*ACL, error) {
	l := &ACL{Flags: p.aclFlags()}
	if p.hasFold(nullACL) {
		p.at += len(nullACL)
		l.Null = true
		return l, nil
	}
	for p.space(); p.next() == '('; p.space() {
		if len(l.ACEs) == MaxACEs {
			return nil, p.fail(fmt.Sprintf("at most %d ACEs", MaxACEs))
		}
		a, err := p.ace(key)
		if err != nil {
			return nil, err
		}
		l.ACEs = append(l.ACEs, a)
	}
	if c := p.next(); !p.done() && !strings.ContainsRune("OGDS", rune(c)) {
		return nil, p.fail("an ACE such as (A;;GRGW;;;BU), the flags P, AR, AI before it, or " + nullACL)
	}
	return l, nil
}

func (p *parser) aclFlags() ACLFlags {
	var flags ACLFlags
	for {
		p.space()
		i := 0
		for i < len(aclFlags) && !p.hasFold(aclFlags[i].letters) {
			i++
		}
		if i == len(aclFlags) {
			return flags
		}
		flags |= ACLFlags(aclFlags[i].bits)
		p.at += len(aclFlags[i].letters)
	}
}

// ace reads (type;flags;rights;;;sid) of the component key.
func (p *parser) ace(key byte) (a ACE, err error) {
	p.at++ // the parenthesis
	if a.Type, err = p.aceType(key); err != nil {
		return a, err
	}
	if !p.take(';') {
		return a, p.fail("a semicolon after the ACE type")
	}
	if a.Flags, err = p.aceFlags(a.Type); err != nil {
		return a, err
	}
	if a.Mask, err = p.rights(a.Type); err != nil {
		return a, err
	}
	for range 2 {
		p.space()
		if !p.take(';') {
			return a, p.fail("an empty field: GUIDs are for directory objects")
		}
	}
	p.space()
	byAlias := !p.hasFold("S-")
	if a.SID, err = p.sid(); err != nil {
		return a, err
	}
	if byAlias { // behind a number Windows takes no space
		p.space()
	}
	if !p.take(')') {
		return a, p.fail("the closing parenthesis of the ACE")
	}
	return a, nil
}

func (p *parser) aceType(key byte) (ACEType, error) {
	const dacl, sacl = "A (allow) or D (deny)", "AU (audit) or ML (mandatory label)"
	want := dacl
	if key == 'S' {
		want = sacl
	}
	p.space()
	start := p.at
	letters := p.letters()
	for _, e := range aceTypes {
		if e.letters == letters && e.acl == key {
			return e.typ, nil
		}
	}
	p.at = start
	if why, ok := refusedTypes[letters]; ok {
		want += "; " + why
	}
	return 0, p.fail(want)
}

// aceFlags reads the flags and the semicolon behind them.
func (p *parser) aceFlags(typ ACEType) (ACEFlags, error) {
	const want = "the ACE flags OI, CI, NP, IO, ID, or a semicolon"
	const audit = "the ACE flags OI, CI, NP, IO, ID, SA, FA, or a semicolon"
	if typ == Audit {
		flags, err := p.pairs(audit, aceFlags)
		return ACEFlags(flags), err
	}
	flags, err := p.pairs(want, aceFlags[:5])
	return ACEFlags(flags), err
}

// rights reads the rights and the semicolon behind them: a number, or codes in any order and number.
func (p *parser) rights(typ ACEType) (npfs.Access, error) {
	p.space()
	if c := p.next(); c >= '0' && c <= '9' {
		return p.rightsNumber()
	}
	if typ == MandatoryLabel {
		mask, err := p.pairs("NW, NR, NX, a number, or a semicolon", labelRights)
		return npfs.Access(mask), err
	}
	mask, err := p.pairs("rights such as GA, GR, GW, FA, FR, FW, RC, a number such as 0x12019b, or a semicolon",
		singleRights, wholeRights)
	return npfs.Access(mask), err
}

// pairs reads two-letter codes of the tables up to a semicolon, and takes that.
func (p *parser) pairs(want string, tables ...[]letterBits) (mask uint32, err error) {
	p.space()
	for !p.take(';') {
		pair, ok := p.peekPair()
		bits := find(pair, tables...)
		if !ok || bits == 0 {
			return 0, p.fail(want)
		}
		mask |= bits
		p.at += 2
	}
	return mask, nil
}

// rightsNumber reads a C number: 0x is hexadecimal, a leading 0 octal.
func (p *parser) rightsNumber() (npfs.Access, error) {
	start, base := p.at, 10
	switch {
	case p.hasFold("0x"):
		p.at += 2
		base = 16
	case p.next() == '0':
		base = 8
	}
	n, err := strconv.ParseUint(p.digits(base), base, 32)
	if err != nil {
		p.at = start
		return 0, p.fail(fmt.Sprintf("a number up to %#x, decimal, octal (0…) or hexadecimal (0x…)", uint32(math.MaxUint32)))
	}
	if !p.take(';') {
		return 0, p.fail("a semicolon after the rights")
	}
	return npfs.Access(n), nil
}
