package npfs

import (
	"bytes"
	"testing"
)

// newSmallPair makes both ends over their first page; each maps the rest when map is asked for the first time.
func newSmallPair(t *testing.T, typ Mode, quota int, mapped func() error) (server, client *End, asked *int) {
	t.Helper()
	server, client = newPair(t, typ, quota, quota)
	asked = new(int)
	for _, e := range []*End{server, client} {
		memory := e.config.Map
		e.config.Map = func() ([]byte, error) {
			*asked++
			if err := mapped(); err != nil {
				return nil, err
			}
			return memory()
		}
	}
	return server, client, asked
}

// An end needs more than the first page when a ring's first part is used up, not earlier, and in its own direction only.
func TestMappedWhenNeeded(t *testing.T) {
	for direction, pick := range map[string]func(server, client *End) (from, to *End){
		"inbound":  func(server, client *End) (*End, *End) { return client, server },
		"outbound": func(server, client *End) (*End, *End) { return server, client },
	} {
		server, client, asked := newSmallPair(t, Message, 1<<16, func() error { return nil })
		from, to := pick(server, client)
		message := string(bytes.Repeat([]byte("m"), 100))
		for n := range firstPart / 104 * 3 {
			wantWritten(t, from, startWrite(from, message), 100, nil)
			wantRead(t, to, 200, message, nil)
			if n+1 == firstPart/104 && *asked != 0 {
				t.Errorf("%s: mapped for %d bytes", direction, firstPart)
			}
		}
		if *asked != 2 || from.in.ring.rest != nil || to.out.ring.rest != nil {
			t.Errorf("%s: %d mappings instead of one for the writer and one for the reader", direction, *asked)
		}
	}
}

// Where memory can't be mapped the operation that needs it fails, and nothing else: it can be tried again.
func TestMappingFails(t *testing.T) {
	for typ, name := range []string{"byte", "message"} {
		failure := errTest
		s, c, _ := newSmallPair(t, Mode(typ), 1<<16, func() error { return failure })
		large := string(bytes.Repeat([]byte(name), 1000))
		wantWritten(t, s, startWrite(s, "small"), 5, nil)
		wantWritten(t, s, startWrite(s, large), 0, errTest)
		wantWritten(t, s, startWrite(s, "also small"), 10, nil)
		wantRead(t, c, 5, "small", nil)
		wantRead(t, c, 10, "also small", nil)
		pending := startRead(c, 10_000)
		failure = nil
		wantWritten(t, s, startWrite(s, large), len(large), nil)
		failure = errTest
		want(t, c, pending, "", errTest)
		if _, err := c.Peek(make([]byte, 10)); err != failure {
			t.Errorf("%s: peek: %v", name, err)
		}
		wantRead(t, c, 10_000, "", errTest)
		failure = nil
		wantRead(t, c, 10_000, large, nil)
		if len(s.out.pending) > 0 || s.Status().WriteQuota != 1<<16 {
			t.Errorf("%s: %d writes pending, quota %d", name, len(s.out.pending), s.Status().WriteQuota)
		}
	}
}

// Starting over takes nothing from the quota: as many writes as it allows complete while nobody reads, wherever the ring stands.
func TestStartingOverKeepsTheQuota(t *testing.T) {
	const quota = 1 << 16
	text := string(bytes.Repeat([]byte("q"), quota/4))
	var s, c *End
	for carried := 1 << 10; carried <= quota; carried += 5 << 10 {
		s, c = newPair(t, Message, quota, quota)
		wantWritten(t, s, startWrite(s, string(make([]byte, carried))), carried, nil)
		wantRead(t, c, quota, string(make([]byte, carried)), nil)
		for range 4 {
			wantWritten(t, s, startWrite(s, text), len(text), nil)
		}
		for range 4 {
			wantRead(t, c, quota, text, nil)
		}
	}
	over := 0
	for range 1000 {
		before := s.out.tail & s.out.ring.mask
		read := startRead(c, quota)
		wantWritten(t, s, startWrite(s, text[:500]), 500, nil)
		want(t, c, read, text[:500], nil)
		if s.out.tail&s.out.ring.mask < before {
			over++
		}
	}
	if over < 1000*500/restartAfter/2 {
		t.Errorf("started over %d times although reads waited", over)
	}
}
