package anypipe_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/anypipe/anypipe"
)

// ends makes an instance and its client.
func ends(t *testing.T, config anypipe.ListenConfig) (*anypipe.Instance, *anypipe.Conn) {
	t.Helper()
	ctx := t.Context()
	in, err := config.Create(ctx, t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	client, err := anypipe.Dial(ctx, t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return in, client
}

// wants waits for an operation and checks how it ended.
func wants(t *testing.T, what string, o *anypipe.Operation, n int, want error) {
	t.Helper()
	if got, err := o.Wait(t.Context()); got != n || !errors.Is(err, want) {
		t.Errorf("%s: %d, %v; want %d, %v", what, got, err, n, want)
	}
	if !o.Done() {
		t.Errorf("%s: not done after Wait", what)
	}
}

// pendingAll checks that operations were started and wait.
func pendingAll(t *testing.T, ops ...*anypipe.Operation) {
	t.Helper()
	for i, o := range ops {
		if o.Done() {
			t.Fatalf("operation %d did not wait", i)
		}
	}
}

var message = anypipe.ListenConfig{Type: anypipe.Message, ReadMode: anypipe.Message}

// Reads that wait are served in the order they were started, whatever the order of waiting for them; one can be cancelled alone.
func TestStartedReadsKeepTheirOrder(t *testing.T) {
	in, client := ends(t, message)
	var bufs [4][8]byte
	var ops [4]*anypipe.Operation
	for i := range ops {
		ops[i] = in.StartRead(bufs[i][:])
	}
	pendingAll(t, ops[:]...)
	if err := ops[1].Cancel(); err != nil {
		t.Fatal(err)
	}
	for _, m := range []string{"a", "bb", "ccc"} {
		if err := client.WriteMessage([]byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, "last", ops[3], 3, nil)
	wants(t, "third", ops[2], 2, nil)
	wants(t, "cancelled", ops[1], 0, anypipe.ErrAborted)
	wants(t, "first", ops[0], 1, nil)
	if got := string(bufs[0][:1]) + string(bufs[2][:2]) + string(bufs[3][:3]); got != "abbccc" {
		t.Errorf("read %q", got)
	}
	if err := ops[0].Cancel(); !errors.Is(err, anypipe.ErrNotFound) {
		t.Errorf("cancelling what is over: %v", err)
	}
	wants(t, "once more", ops[0], 1, nil)
}

// Writes that wait can be cancelled alone: what follows comes directly after what was before.
func TestStartedWritesCancelOne(t *testing.T) {
	config := message
	config.InBuffer = anypipe.Unbuffered
	in, client := ends(t, config)
	first, second, third := client.StartWrite([]byte("one")), client.StartWrite([]byte("two")), client.StartWrite([]byte("three"))
	pendingAll(t, first, second, third)
	if err := second.Cancel(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "three"} {
		if got, err := in.ReadMessage(); string(got) != want || err != nil {
			t.Fatalf("read %q, %v; want %q", got, err, want)
		}
	}
	wants(t, "third", third, 5, nil)
	wants(t, "second", second, 0, anypipe.ErrAborted)
	wants(t, "first", first, 3, nil)
}

// A context ends the operation that it waits for, and no other; what is there counts more.
func TestContextCancelsOneOperation(t *testing.T) {
	in, client := ends(t, message)
	ended, cancel := context.WithCancel(t.Context())
	first, second := in.StartRead(make([]byte, 8)), in.StartRead(make([]byte, 8))
	done := make(chan error)
	go func() {
		_, err := first.Wait(ended)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("waited: %v", err)
	}
	if err := client.WriteMessage([]byte("for two")); err != nil {
		t.Fatal(err)
	}
	if n, err := second.Wait(ended); n != 7 || err != nil {
		t.Errorf("second: %d, %v", n, err)
	}
	wants(t, "flush", in.StartFlush(), 0, nil)
}

// Cancel ends blocking calls, operations and Connect.
func TestCancelEndsAllThatWaits(t *testing.T) {
	in, _ := ends(t, message)
	if err := in.Cancel(); !errors.Is(err, anypipe.ErrNotFound) {
		t.Errorf("nothing waited: %v", err)
	}
	blocked := make(chan error)
	go func() {
		_, err := in.Read(make([]byte, 1))
		blocked <- err
	}()
	read := in.StartRead(make([]byte, 8))
	flushed := in.StartFlush()
	if !flushed.Done() && runtime.GOOS != "windows" { // there a thread has to ask the kernel
		t.Error("a flush of nothing waits")
	}
	wants(t, "flush", flushed, 0, nil)
	for ended := false; !ended; { // the goroutine's Read may come later
		if err := in.Cancel(); err != nil && !errors.Is(err, anypipe.ErrNotFound) {
			t.Fatal(err)
		}
		select {
		case err := <-blocked:
			if !errors.Is(err, anypipe.ErrAborted) {
				t.Errorf("blocked: %v", err)
			}
			ended = true
		default:
			runtime.Gosched()
		}
	}
	wants(t, "read", read, 0, anypipe.ErrAborted)
	if err := in.Disconnect(); err != nil {
		t.Fatal(err)
	}
	connect := in.StartConnect()
	pendingAll(t, connect)
	if err := in.Cancel(); err != nil {
		t.Fatal(err)
	}
	wants(t, "connect", connect, 0, anypipe.ErrAborted)
}

// An instance is LISTENING when StartConnect returns, and stays so when the operation is cancelled.
func TestStartConnect(t *testing.T) {
	in, client := ends(t, message)
	wants(t, "with a client", in.StartConnect(), 0, anypipe.ErrPipeConnected)
	client.Close()
	if err := in.Disconnect(); err != nil {
		t.Fatal(err)
	}
	cancelled, second := in.StartConnect(), in.StartConnect()
	pendingAll(t, cancelled, second)
	if err := cancelled.Cancel(); err != nil {
		t.Fatal(err)
	}
	again, err := anypipe.Dial(t.Context(), t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	wants(t, "second", second, 0, nil)
	wants(t, "cancelled", cancelled, 0, anypipe.ErrAborted)
}

func TestStartTransact(t *testing.T) {
	in, client := ends(t, message)
	if err := client.SetReadMode(anypipe.Message); err != nil {
		t.Fatal(err)
	}
	reply := make([]byte, 4)
	ask := client.StartTransact([]byte("question"), reply)
	pendingAll(t, ask)
	if m, err := in.ReadMessage(); string(m) != "question" || err != nil {
		t.Fatalf("%q, %v", m, err)
	}
	if err := in.WriteMessage([]byte("long answer")); err != nil {
		t.Fatal(err)
	}
	wants(t, "reply", ask, 4, anypipe.ErrMoreData)
	rest, err := client.ReadMessage()
	if got := string(reply) + string(rest); got != "long answer" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	whole := client.StartTransactMessage([]byte("once more"))
	if err := in.WriteMessage(nil); err != nil {
		t.Fatal(err)
	}
	wants(t, "whole", whole, 0, nil)
	if m := whole.Message(); m == nil || len(m) > 0 {
		t.Errorf("an empty reply is %v", m)
	}
	cancelled := client.StartTransactMessage([]byte("stays"))
	if err := cancelled.Cancel(); err != nil {
		t.Fatal(err)
	}
	wants(t, "cancelled", cancelled, 0, anypipe.ErrAborted)
	if m, err := in.ReadMessage(); string(m) != "once more" || err != nil {
		t.Errorf("%q, %v", m, err)
	}
	if m, err := in.ReadMessage(); string(m) != "stays" || err != nil { // case 194
		t.Errorf("%q, %v", m, err)
	}
}

func TestCloseEndsOperations(t *testing.T) {
	in, client := ends(t, message)
	read, whole := in.StartRead(make([]byte, 1)), client.StartReadMessage()
	pendingAll(t, read, whole)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	wants(t, "of the closed end", read, 0, net.ErrClosed)
	wants(t, "of the other end", whole, 0, io.EOF)
	wants(t, "later", in.StartRead(make([]byte, 1)), 0, net.ErrClosed)
}

// Operations of a plain byte stream keep their order and are cancelled alone too.
func TestStartedOnSpawnedEnd(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), shoutVariable+"=1")
	c, err := anypipe.Spawn(cmd)
	if err != nil {
		t.Fatal(err)
	}
	var a, b [5]byte
	first, second, third := c.StartRead(a[:]), c.StartRead(make([]byte, 5)), c.StartRead(b[:])
	pendingAll(t, first, second, third)
	if err := second.Cancel(); err != nil {
		t.Fatal(err)
	}
	wants(t, "cancelled", second, 0, anypipe.ErrAborted)
	wants(t, "write", c.StartWrite([]byte("namedpipes")), 10, nil)
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	wants(t, "third", third, 5, nil)
	wants(t, "first", first, 5, nil)
	if got := string(a[:]) + string(b[:]); got != "NAMEDPIPES" {
		t.Errorf("read %q", got)
	}
	wants(t, "message", c.StartReadMessage(), 0, anypipe.ErrBadPipe)
	wants(t, "end", c.StartRead(a[:]), 0, io.EOF)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// The first of a stream's waiting reads, which holds the turn, can be cancelled without a trace: the deadline is what it was.
func TestCancelFirstOnSpawnedEnd(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), shoutVariable+"=1")
	c, err := anypipe.Spawn(cmd)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		first, second := c.StartRead(make([]byte, 9)), c.StartRead(make([]byte, 9))
		if err := first.Cancel(); err != nil {
			t.Fatal(err)
		}
		pendingAll(t, second)
		if err := c.Cancel(); err != nil {
			t.Fatal(err)
		}
		wants(t, "second", second, 0, anypipe.ErrAborted)
		wants(t, "first", first, 0, anypipe.ErrAborted)
	}
	io.WriteString(c, "still")
	c.CloseWrite()
	if got, err := io.ReadAll(c); string(got) != "STILL" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	c.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// Cancelling races with what comes: every message is read once, by one read or the next.
func TestCancelLosesNothing(t *testing.T) {
	in, client := ends(t, message)
	const count = 2000
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := range count {
			if err := client.WriteMessage([]byte{byte(i), byte(i >> 8)}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	buf := make([]byte, 8)
	for next := 0; next < count && !t.Failed(); {
		o := in.StartRead(buf)
		cancelled := o.Cancel() == nil
		n, err := o.Wait(t.Context())
		switch {
		case err == nil && n == 2:
			if got := int(buf[0]) | int(buf[1])<<8; got != next {
				t.Fatalf("message %d came instead of %d", got, next)
			}
			next++
		case !cancelled || !errors.Is(err, anypipe.ErrAborted):
			t.Fatalf("%d, %v", n, err)
		}
	}
	sending.Wait()
}

// plain is an end of a transport that can't start operations.
type plain struct{ anypipe.Endpoint }

func TestTransportWithoutStarter(t *testing.T) {
	read, write, err := anypipe.Pipe(0)
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	c := anypipe.NewConn(plain{}, read.LocalAddr(), read.RemoteAddr())
	wants(t, "read", c.StartRead(nil), 0, anypipe.ErrNotSupported)
	if err := c.Cancel(); !errors.Is(err, anypipe.ErrNotSupported) || !strings.Contains(err.Error(), "cancel") {
		t.Error(err)
	}
	read.Close()
}
