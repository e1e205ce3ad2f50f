package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// pair returns both ends of a new pipe.
func pair(t *testing.T, cfg npfs.CreateConfig) (*Instance, *Client) {
	t.Helper()
	name := fmt.Sprintf("test-%d-%s", os.Getpid(), t.Name())
	cfg.MaxInstances = npfs.UnlimitedInstances
	in, err := Create(t.Context(), name, &cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	c, err := Open(t.Context(), ".", name, &npfs.OpenConfig{Access: npfs.GenericRead | npfs.GenericWrite})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return in, c
}

// until waits until cond holds; the test's own time limit ends it.
func until(cond func() bool) {
	for !cond() {
		runtime.Gosched()
	}
}

// waitingOn reports how many calls wait on the side.
func waitingOn(s *side) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting)
}

// threads counts the threads of this process.
func threads(t *testing.T) (n int) {
	t.Helper()
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(snapshot)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err = windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID == windows.GetCurrentProcessId() {
			n++
		}
	}
	return n
}

// A thousand ends that wait for data need few threads.
func TestManyWaitingReads(t *testing.T) {
	const ends = 1000
	var reading sync.WaitGroup
	var ins []*Instance
	for i := range ends {
		name := fmt.Sprintf("many-%d-%d", os.Getpid(), i)
		in, err := Create(t.Context(), name, &npfs.CreateConfig{MaxInstances: 1, InQuota: 100, OutQuota: 100})
		if err != nil {
			t.Fatal(err)
		}
		c, err := Open(t.Context(), ".", name, &npfs.OpenConfig{Access: npfs.GenericRead | npfs.GenericWrite})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ins = append(ins, in)
		reading.Go(func() {
			if _, err := in.Read(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("read: %v", err)
			}
		})
	}
	for _, in := range ins {
		until(func() bool { return waitingOn(in.reads) == 1 })
	}
	n := threads(t)
	t.Logf("%d waiting reads, %d threads", ends, n)
	if n >= 50 {
		t.Errorf("%d threads for %d waiting reads", n, ends)
	}
	for _, in := range ins {
		in.Close()
	}
	reading.Wait()
}

// A flush holds a thread inside the kernel; a deadline and Close end it all the same.
func TestFlushEnds(t *testing.T) {
	in, _ := pair(t, npfs.CreateConfig{InQuota: 100, OutQuota: 100})
	if _, err := in.Write([]byte("unread")); err != nil {
		t.Fatal(err)
	}
	for _, end := range []struct {
		by   func() error
		want error
	}{
		{func() error { return in.SetWriteDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		{in.Close, net.ErrClosed},
	} {
		flushed := make(chan error, 1)
		go func() { flushed <- in.Flush() }()
		until(func() bool { return waitingOn(in.writes) == 1 })
		if err := end.by(); err != nil {
			t.Fatal(err)
		}
		if err := <-flushed; !errors.Is(err, end.want) {
			t.Errorf("got %v, want %v", err, end.want)
		}
		in.SetWriteDeadline(time.Time{})
	}
}

// ReadMessage returns whole messages in both read modes, longer than any first buffer, and leaves the mode as it was.
func TestReadMessageAnyMode(t *testing.T) {
	for _, mode := range []npfs.Mode{npfs.Byte, npfs.Message} {
		in, c := pair(t, npfs.CreateConfig{Type: npfs.Message, InQuota: 1 << 20, OutQuota: 1 << 20})
		if err := c.SetModes(npfs.Modes{Read: mode}); err != nil {
			t.Fatal(err)
		}
		for _, want := range [][]byte{[]byte("short"), {}, bytes.Repeat([]byte("long"), 50_000), []byte("last")} {
			if _, err := in.Write(want); err != nil {
				t.Fatal(err)
			}
			got, err := c.ReadMessage(nil, 0)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v: %d bytes, %v; want %d", mode, len(got), err, len(want))
			}
		}
		if info, err := c.Info(); err != nil || info.Modes.Read != mode {
			t.Errorf("the mode is %v, %v; want %v", info.Modes.Read, err, mode)
		}
		c.Close()
		in.Close()
	}
}

// Concurrent ReadMessage and Read calls never split a message between them.
func TestReadersDoNotMix(t *testing.T) {
	in, c := pair(t, npfs.CreateConfig{Type: npfs.Message, InQuota: 1 << 20, OutQuota: 1 << 20})
	const readers, each = 4, 25
	var reading sync.WaitGroup
	for range readers {
		reading.Go(func() {
			for range each {
				got, err := c.ReadMessage(nil, 0)
				if err != nil || len(got) != 10_000 || strings.Trim(string(got), string(got[:1])) != "" {
					t.Errorf("%d bytes, %v: no whole message", len(got), err)
				}
			}
		})
	}
	for i := range readers * each {
		if _, err := in.Write(bytes.Repeat([]byte{byte('a' + i%26)}, 10_000)); err != nil {
			t.Fatal(err)
		}
	}
	reading.Wait()
}

// A call that waits for its turn behind a waiting ReadMessage ends by its deadline too.
func TestTurnEndsByDeadline(t *testing.T) {
	in, c := pair(t, npfs.CreateConfig{Type: npfs.Message, InQuota: 100, OutQuota: 100})
	ended := make(chan error, 2)
	go func() { _, err := c.ReadMessage(nil, 0); ended <- err }()
	reads := c.channel.(*end).reads
	until(func() bool { return waitingOn(reads) == 1 })
	go func() { _, err := c.Read(make([]byte, 10)); ended <- err }()
	until(func() bool { return waitingOn(reads) == 2 })
	c.SetReadDeadline(time.Unix(1, 0))
	for range 2 {
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}
	c.SetReadDeadline(time.Time{})
	if _, err := in.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if got, err := c.ReadMessage(nil, 0); err != nil || string(got) != "x" {
		t.Errorf("after it: %q, %v", got, err)
	}
}

// An instance whose client has gone is put to new use without its name ever being gone; one whose client is there is not.
func TestReplace(t *testing.T) {
	in, c := pair(t, npfs.CreateConfig{InQuota: 100, OutQuota: 100})
	if _, err := in.Replace(); !errors.Is(err, winerr.NotSupported) {
		t.Fatalf("with a client: %v", err)
	}
	c.Close()
	until(func() bool { info, err := in.Info(); return err != nil || info.State == npfs.Closing })
	fresh, err := in.Replace()
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if err := in.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closing the old one: %v", err)
	}
	connected := make(chan error, 1)
	go func() { connected <- fresh.Connect(context.Background()) }()
	until(func() bool { info, err := fresh.Info(); return err != nil || info.State == npfs.Listening })
	again, err := Open(t.Context(), ".", in.pipe, &npfs.OpenConfig{Access: npfs.GenericRead | npfs.GenericWrite})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := <-connected; err != nil {
		t.Error(err)
	}
	if _, err := again.Write([]byte("new")); err != nil {
		t.Error(err)
	}
	got := make([]byte, 10)
	if n, err := fresh.Read(got); string(got[:n]) != "new" || err != nil {
		t.Errorf("%q, %v", got[:n], err)
	}
}

// Both ends know who the other is, and a client can insist on the pipe's owner.
func TestPeerAndOwner(t *testing.T) {
	in, c := pair(t, npfs.CreateConfig{InQuota: 100, OutQuota: 100})
	us, _, err := ourselves()
	if err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]func() (npfs.Peer, error){"client": in.Peer, "server": c.Peer} {
		p, err := ask()
		if err != nil || p.PID != os.Getpid() || p.SID != us.String() || p.User == "" {
			t.Errorf("%s: %+v, %v; want pid %d, SID %v", name, p, err, os.Getpid(), us)
		}
	}
	second, err := in.Another(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	open := &npfs.OpenConfig{Access: npfs.GenericRead | npfs.GenericWrite, ExpectOwner: "S-1-5-7"}
	if _, err := Open(t.Context(), ".", in.pipe, open); !errors.Is(err, winerr.AccessDenied) {
		t.Errorf("another owner: %v", err)
	}
	third, err := in.Another(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	open.ExpectOwner = us.String()
	owned, err := Open(t.Context(), ".", in.pipe, open)
	if err != nil {
		t.Fatal(err)
	}
	owned.Close()
}

// Closing and using an end at once never crashes, hangs or touches another handle.
func TestCloseRace(t *testing.T) {
	for range 200 {
		in, c := pair(t, npfs.CreateConfig{InQuota: 10, OutQuota: 10})
		var using sync.WaitGroup
		for _, use := range []func() error{
			func() error { _, err := c.Read(make([]byte, 10)); return err },
			func() error { _, err := c.Write(make([]byte, 100)); return err },
			func() error { _, err := c.Peek(nil); return err },
			func() error { _, err := c.Info(); return err },
			c.Flush,
			c.Close,
		} {
			using.Go(func() {
				err := use()
				known := err == nil || err == io.EOF || errors.Is(err, net.ErrClosed) || winerr.Code(err) != 0
				if !known {
					t.Errorf("got %v", err)
				}
			})
		}
		using.Wait()
		in.Close()
	}
}

// A client that asks for no data learns type and descriptor, and takes an instance.
func TestDescriptor(t *testing.T) {
	const dacl = "D:P(A;;FA;;;OW)(A;;0x12019b;;;WD)"
	cfg := &npfs.CreateConfig{Type: npfs.Message, Direction: npfs.Inbound, MaxInstances: 1, SDDL: dacl}
	in, err := Create(t.Context(), fmt.Sprintf("test-%d-%s", os.Getpid(), t.Name()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	c, err := Open(context.Background(), ".", in.pipe, &npfs.OpenConfig{Access: npfs.ReadControl | npfs.ReadAttributes})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if text, err := c.Descriptor(); err != nil || !strings.HasSuffix(text, dacl) || !strings.HasPrefix(text, "O:") {
		t.Errorf("got %q, %v; want an owner and %s", text, err, dacl)
	}
	if info, err := c.Info(); err != nil || info.Type != npfs.Message || info.Direction != npfs.Inbound {
		t.Errorf("got %+v, %v", info, err)
	}
	if _, err := Open(context.Background(), ".", in.pipe, &npfs.OpenConfig{Access: npfs.ReadAttributes}); err != winerr.PipeNotAvailable {
		t.Errorf("a second open: %v, want %v", err, winerr.PipeNotAvailable)
	}
}
