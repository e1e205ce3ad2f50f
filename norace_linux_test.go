//go:build !race

package anypipe_test

import (
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/anypipe/anypipe"
)

// TestWaitingReadsNeedSmallStacks: a goroutine that answers and waits again has the smallest stack that there is, 2 KiB. A server
// with many resting connections pays for it with each.
func TestWaitingReadsNeedSmallStacks(t *testing.T) {
	if os.Getenv("GODEBUG") != fixedStacks {
		child := exec.Command(os.Args[0], "-test.run=^TestWaitingReadsNeedSmallStacks$")
		child.Env = append(os.Environ(), "GODEBUG="+fixedStacks)
		if out, err := child.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	const connections = 200
	l := listen(t, anypipe.ListenConfig{Type: anypipe.Message, ReadMode: anypipe.Message}, "stacks")
	var servers, clients [connections]net.Conn
	for i := range connections {
		var err error
		if clients[i], err = anypipe.Dial(t.Context(), "stacks"); err != nil {
			t.Fatal(err)
		}
		defer clients[i].Close()
		if servers[i], err = l.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	before := stacks()
	var echoing sync.WaitGroup
	defer echoing.Wait()
	for _, c := range servers {
		defer c.Close()
		echoing.Go(func() { echo(c) })
	}
	buf := make([]byte, 64)
	for _, c := range clients {
		if _, err := c.Write(buf); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(buf); err != nil {
			t.Fatal(err)
		}
	}
	for waiting := 0; waiting < connections; runtime.Gosched() { // all wait in the poller
		waiting = 0
		text := make([]byte, 4<<20)
		for goroutine := range strings.SplitSeq(string(text[:runtime.Stack(text, true)]), "\n\n") {
			if strings.Contains(goroutine, "[IO wait") && strings.Contains(goroutine, "anypipe_test.echo(") {
				waiting++
			}
		}
	}
	if each := (int64(stacks()) - int64(before)) / connections; each > 3<<10 {
		t.Errorf("a goroutine that waits has a stack of about %d bytes", each)
	}
}

// fixedStacks keeps the runtime from starting goroutines with the size that others needed lately, which only GODEBUG can.
const fixedStacks = "adaptivestackstart=0"

// stacks returns the memory that stacks have.
func stacks() uint64 {
	runtime.GC() // takes dead goroutines' stacks out of the figure
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.StackInuse
}

//go:noinline
func echo(c net.Conn) {
	buf := make([]byte, 64)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}
