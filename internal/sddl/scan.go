package sddl

import "strings"

// fail returns the error for what stands at the parser's place.
func (p *parser) fail(want string) error {
	return &SyntaxError{p.at, excerpt(p.text[p.at:]), want}
}

// excerpt shortens rest to one field: texts come from strangers and end up in logs.
func excerpt(rest string) string {
	const most = 16
	if i := strings.IndexAny(rest, ";:() \t\r\n"); i > 0 {
		rest = rest[:i]
	} else if i == 0 {
		rest = rest[:1]
	}
	return rest[:min(len(rest), most)]
}

func (p *parser) done() bool { return p.at == len(p.text) }

// next returns the byte at the parser's place, or 0 at the end.
func (p *parser) next() byte {
	if p.done() {
		return 0
	}
	return p.text[p.at]
}

// take steps over c if it is next.
func (p *parser) take(c byte) bool {
	if p.done() || p.text[p.at] != c {
		return false
	}
	p.at++
	return true
}

func (p *parser) space() {
	for !p.done() && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// hasFold reports whether word, in either case, is next.
func (p *parser) hasFold(word string) bool {
	rest := p.text[p.at:]
	return len(rest) >= len(word) && strings.EqualFold(rest[:len(word)], word)
}

// letters steps over ASCII letters and returns them in upper case.
func (p *parser) letters() string {
	start := p.at
	for !p.done() && isLetter(p.text[p.at]) {
		p.at++
	}
	return strings.ToUpper(p.text[start:p.at])
}

// peekPair returns the next two letters in upper case.
func (p *parser) peekPair() (string, bool) {
	rest := p.text[p.at:]
	if len(rest) < 2 || !isLetter(rest[0]) || !isLetter(rest[1]) {
		return "", false
	}
	return strings.ToUpper(rest[:2]), true
}

// digits steps over the digits of the base.
func (p *parser) digits(base int) string {
	start := p.at
	for !p.done() && digit(p.text[p.at]) < base {
		p.at++
	}
	return p.text[start:p.at]
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return 99
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
