package main

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/anypipe/anypipe"
)

// pipeLinks returns both ends of a pipe as bench has them.
func pipeLinks(t *testing.T) (here, there link) {
	t.Helper()
	t.Setenv("ANYPIPE_DIR", t.TempDir())
	config := anypipe.ListenConfig{Type: anypipe.Message}
	in, err := config.Create(t.Context(), "bench")
	if err != nil {
		t.Fatal(err)
	}
	if there, err = dialLink(t.Context(), transportPipe, "bench", false); err != nil {
		t.Fatal(err)
	}
	if here, err = newPipeLink(&in.Conn); err != nil {
		t.Fatal(err)
	}
	return here, there
}

func socketLinks(t *testing.T) (here, there link) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if there, err = dialLink(t.Context(), transportUnix, path, false); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return newSocketLink(c), there
}

// What bench measures allocates nothing per message, at either end, and the child answers what was agreed.
func TestBenchLinks(t *testing.T) {
	for name, links := range map[string]func(*testing.T) (here, there link){"pipe": pipeLinks, "unix": socketLinks} {
		t.Run(name, func(t *testing.T) {
			here, there := links(t)
			served := make(chan error, 1)
			go func() { served <- servePeer(there) }()
			msg, count, buf := []byte{askEcho, 1, 2, 3}, []byte{askCount}, make([]byte, 64)
			allocs := testing.AllocsPerRun(1000, func() {
				if err := here.send(msg); err != nil {
					t.Fatal(err)
				}
				if back, err := here.receive(buf); err != nil || string(back) != string(msg) {
					t.Fatalf("came back: %x, %v", back, err)
				}
				if err := here.send(count); err != nil {
					t.Fatal(err)
				}
			})
			if countsAllocations && allocs >= 1 {
				t.Errorf("%v allocations for a round trip", allocs)
			}
			if err := here.send([]byte{askTotal}); err != nil {
				t.Fatal(err)
			}
			total, err := here.receive(buf)
			if want := "\x00\x00\x00\x00\x00\x00\x03\xe9"; err != nil || string(total) != want { // and one to warm up
				t.Errorf("total %x, %v", total, err)
			}
			if err := here.Close(); err != nil {
				t.Error(err)
			}
			if err := notEOF(<-served); err != nil {
				t.Errorf("the child ended with %v", err)
			}
			there.Close()
		})
	}
}

// The child refuses what bench never sends.
func TestBenchPeerRefuses(t *testing.T) {
	for _, bad := range []string{"", "x"} {
		here, there := pipeLinks(t)
		if err := here.send([]byte(bad)); err != nil {
			t.Fatal(err)
		}
		if err := servePeer(there); err == nil {
			t.Errorf("%q was accepted", bad)
		}
		here.Close()
		there.Close()
	}
	here, there := socketLinks(t)
	defer here.Close()
	defer there.Close()
	if _, err := there.(*socketLink).Write([]byte{0xff, 0xff, 0xff, 0xff}); err != nil {
		t.Fatal(err)
	}
	if _, err := here.receive(make([]byte, 64)); err == nil {
		t.Error("a frame of 4 GiB was accepted")
	}
}
