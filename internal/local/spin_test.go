//go:build linux || darwin || freebsd

package local

import (
	"testing"

	"github.com/anypipe/anypipe/internal/npfs"
)

// looks reports whether a waiting call of s looks at what changes, that is, polls.
func looks(s *spinner, end *npfs.End) (looked bool) {
	crowd.skip.Store(0)
	mark := end.ReadMark()
	s.poll(&mark, func() bool { looked = true; return true }, false)
	return looked
}

// Ends made with NoPolling never poll; their peers do as they please.
func TestNoPolling(t *testing.T) {
	for _, off := range []struct{ server, client bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		useDir(t)
		cfg := config()
		cfg.NoPolling = off.server
		in := mustCreate(t, "x", cfg)
		c, err := Open(t.Context(), ".", "x", &npfs.OpenConfig{Access: both, NoPolling: off.client})
		if err != nil {
			t.Fatal(err)
		}
		exchange(t, in, c) // so that the instance is CONNECTED
		server, client := (*in.live.Load()).(*link), c.connection.(*link)
		for _, s := range []*spinner{&server.reads, &server.writes} {
			if looks(s, server.end) == off.server {
				t.Errorf("%+v: the server end does the opposite", off)
			}
		}
		for _, s := range []*spinner{&client.reads, &client.writes} {
			if looks(s, client.end) == off.client {
				t.Errorf("%+v: the client end does the opposite", off)
			}
		}
		ok(t, "close the client", c.Close())
		ok(t, "close the instance", in.Close())
	}
}

// exchange sends a byte each way while the other end waits, so that both sleep.
func exchange(t *testing.T, in *Instance, c *Client) {
	t.Helper()
	for range 10 {
		echoed := background(func() error {
			p := make([]byte, 1)
			if _, err := in.Read(p); err != nil {
				return err
			}
			_, err := in.Write(p)
			return err
		})
		p := []byte{7}
		if _, err := c.Write(p); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(p); n != 1 || p[0] != 7 || err != nil {
			t.Fatal(n, p, err)
		}
		ok(t, "echo", <-echoed)
	}
}

// A read lingers only where polling may pay and would not keep the other end from running; and it gives its place back.
func TestWhoLingers(t *testing.T) {
	server, client := linkPair(t, npfs.Message, 4096)
	for what, x := range map[string]struct {
		prepare func(s *spinner)
		lingers bool
	}{
		"usual":            {func(*spinner) {}, true},
		"polling off":      {func(s *spinner) { s.off = true }, false},
		"polling in vain":  {func(s *spinner) { s.doubts.Store(spinDoubts) }, false},
		"one CPU":          {func(s *spinner) { s.sharing.Store(true) }, false},
		"CPUs in demand":   {func(*spinner) { crowd.skip.Store(1) }, false},
		"others poll, too": {func(*spinner) { crowd.spinning.Add(1 << 20) }, false},
	} {
		var s spinner
		mark := client.end.ReadMark()
		if _, err := server.Write([]byte("m")); err != nil {
			t.Fatal(err)
		}
		crowd.skip.Store(0)
		crowd.penalty.Store(maxPenalty)
		x.prepare(&s)
		before := crowd.spinning.Load()
		s.linger(&mark, true)
		if lingers := crowd.penalty.Load() < maxPenalty; lingers != x.lingers || crowd.spinning.Load() != before {
			t.Errorf("%s: lingers: %t, %d places left", what, lingers, crowd.spinning.Load()-before)
		}
		crowd.spinning.Store(0)
		crowd.skip.Store(0)
		crowd.penalty.Store(0)
	}
}
