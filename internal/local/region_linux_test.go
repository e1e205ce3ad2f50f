package local

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/anypipe/anypipe/internal/npfs"
)

// mappings returns the sizes of this process's mappings of regions.
func mappings(t *testing.T) (sizes []uint64) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	ok(t, "maps", err)
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		if !strings.Contains(line, "memfd:anypipe") {
			continue
		}
		_, err := fmt.Sscanf(line, "%x-%x", &from, &to)
		ok(t, "a line of maps", err)
		sizes = append(sizes, to-from)
	}
	return sizes
}

// An end maps one page until it carries more, then the whole region, and lets go of both.
func TestWholeRegionIsMappedWhenNeeded(t *testing.T) {
	before := len(mappings(t))
	for _, carried := range []int{0, 100, 1600, 2000, 50_000} {
		server, client := linkPair(t, npfs.Message, 1<<16)
		message, got := bytes.Repeat([]byte("m"), carried), make([]byte, 1<<16)
		for _, way := range []struct{ from, to *link }{{client, server}, {server, client}} {
			_, err := way.from.Write(message)
			ok(t, "write", err)
			n, err := way.to.Read(got)
			ok(t, "read", err)
			if !bytes.Equal(got[:n], message) {
				t.Errorf("%d bytes arrived changed", carried)
			}
		}
		want := 2 // the pair's first pages
		if carried > 1660 {
			want = 4
		}
		sizes := mappings(t)
		if got := len(sizes) - before; got != want {
			t.Errorf("%d mappings after %d bytes each way, not %d", got, carried, want)
		}
		for _, end := range []*link{server, client} {
			if whole := len(end.whole) > 0; whole != (want == 4) || len(end.mem) != npfs.PageSize {
				t.Errorf("after %d bytes an end has %d and %d bytes mapped", carried, len(end.mem), len(end.whole))
			}
		}
		ok(t, "close", server.Close())
		ok(t, "close", client.Close())
		if got := len(mappings(t)) - before; got != 0 {
			t.Errorf("%d mappings are left after %d bytes", got, carried)
		}
	}
}
