//go:build linux || darwin || freebsd

package local

import (
	"bytes"
	"testing"

	"github.com/anypipe/anypipe/internal/wire"
)

// openKeepingRegion opens the pipe by hand, so that the region stays mapped whatever happens to the connection.
func openKeepingRegion(t *testing.T, in *Instance) []byte {
	t.Helper()
	conn := knockRaw(t, in)
	ok(t, "open", wire.Write(conn, &wire.Open{Access: both}))
	r := &frameReader{conn: conn}
	opened, err := wire.ReadAs[*wire.Opened](r)
	ok(t, "opened", err)
	if opened.Status != 0 || r.file == nil {
		t.Fatalf("refused: %#x", opened.Status)
	}
	defer r.file.Close()
	mem, err := mapFile(r.file, int(opened.RegionSize))
	ok(t, "map", err)
	t.Cleanup(func() { unmapRegion(mem) })
	ok(t, "hang up", conn.Close())
	return mem
}

// A client that keeps its region mapped sees nothing of the connections that come after its own, also where the server makes
// regions ahead.
func TestRegionsAreNotReused(t *testing.T) {
	useDir(t)
	spare := mustCreate(t, "x", config()) // keeps the name, so that regions are made ahead
	secret := []byte("nobody else's business")
	for range 5 {
		in := mustCreate(t, "x", config())
		kept := openKeepingRegion(t, spare)
		ok(t, "close", spare.Close())
		client := open(t, "x")
		_, err := client.Write(secret)
		ok(t, "client's write", err)
		_, err = in.Write(secret)
		ok(t, "server's write", err)
		if bytes.Contains(kept, secret[:8]) {
			t.Fatal("an earlier client sees what a later one exchanges")
		}
		ok(t, "close", client.Close())
		spare = mustCreate(t, "x", config())
		ok(t, "close", in.Close())
		s := spare.server
		s.mu.Lock()
		ahead := s.spare != nil
		s.mu.Unlock()
		if !ahead {
			t.Error("no region was made ahead, so this proves little")
		}
	}
}
