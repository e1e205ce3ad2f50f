package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/anypipe/anypipe"
)

// loopbackPair returns both sides of a loopback connection.
func loopbackPair(t *testing.T) (listener, dialer channel) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bridge")
	l, err := listenLoopback(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.close() })
	opening := make(chan channel, 1)
	go func() {
		open, err := l.accept(t.Context())
		if err == nil {
			var c channel
			if c, err = open(t.Context()); err == nil {
				opening <- c
				return
			}
		}
		t.Error(err)
		close(opening)
	}()
	d, err := dialLoopback(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.close() })
	c := <-opening
	if c == nil {
		t.FailNow()
	}
	t.Cleanup(func() { c.close() })
	return c, d
}

// Messages, the empty one included, keep their boundaries over loopback, and the end of one direction leaves the other.
func TestLoopbackMessages(t *testing.T) {
	a, b := loopbackPair(t)
	want := []string{"first", "", strings.Repeat("long", 100_000), "last"}
	go func() {
		for _, m := range want {
			a.send([]byte(m))
		}
		a.endSend()
	}()
	for i, m := range want {
		if got, err := b.receive(); err != nil || string(got) != m {
			t.Fatalf("message %d: %d bytes, %v", i, len(got), err)
		}
	}
	if _, err := b.receive(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if err := b.send([]byte("reply")); err != nil {
		t.Fatal(err)
	}
	if got, err := a.receive(); err != nil || string(got) != "reply" {
		t.Errorf("%q, %v", got, err)
	}
}

// Who does not know the secret is not let in, and learns nothing that helps.
func TestLoopbackNeedsTheSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bridge")
	l, err := listenLoopback(file)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if info, err := os.Stat(file); err != nil || os.PathSeparator == '/' && info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
	refused := make(chan error, 1)
	go func() {
		open, err := l.accept(t.Context())
		if err == nil {
			_, err = open(t.Context())
		}
		refused <- err
	}()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	port, _, _ := strings.Cut(string(text), " ")
	if err := os.WriteFile(file, fmt.Appendf(nil, "%s %s\n", port, strings.Repeat("00", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dialLoopback(t.Context(), file); err == nil {
		t.Error("the wrong secret was good enough")
	}
	if err := <-refused; !errors.Is(err, anypipe.ErrAccessDenied) {
		t.Errorf("the listener says %v", err)
	}
}

// A proof of one role is no proof of the other, so it can't be sent back.
func TestProofsDiffer(t *testing.T) {
	secret, nonce := []byte("secret"), []byte("nonce")
	if bytes.Equal(proof(secret, "listener", nonce), proof(secret, "dialer", nonce)) {
		t.Error("the proofs are the same")
	}
}

// A stream of frames that is cut anywhere is an error or, between frames, the end; never a shorter message.
func TestFramesCutAnywhere(t *testing.T) {
	whole := []byte{0, 0, 0, 3, 'a', 'b', 'c', 0, 0, 0, 0, 0, 0, 0, 1, 'd'}
	ends := map[int]bool{0: true, 7: true, 11: true, 16: true}
	for cut := range len(whole) + 1 {
		err := receiveAll(t, whole[:cut])
		if ends[cut] != (err == io.EOF) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	if err := receiveAll(t, []byte{0xff, 0xff, 0xff, 0xff}); err == nil || !strings.Contains(err.Error(), "allowed are") {
		t.Errorf("a frame of 4 GiB: %v", err)
	}
}

// receiveAll feeds bytes to a frame channel and returns what ends it.
func receiveAll(t *testing.T, input []byte) error {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := net.Dial("tcp4", l.Addr().String())
		if err == nil {
			c.Write(input)
			c.Close()
		}
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f := &frameChannel{conn: c.(*net.TCPConn)}
	for {
		if _, err := f.receive(); err != nil {
			return err
		}
	}
}

// A pipe and a loopback port are joined in both directions, with messages and the end of each.
func TestJoin(t *testing.T) {
	near, far := loopbackPair(t)
	in, c := pipePair(t, anypipe.Message)
	type outcome struct {
		sent, received int64
		err            error
	}
	joined := make(chan outcome, 1)
	go func() {
		var o outcome
		o.sent, o.received, o.err = join(context.Background(), &pipeChannel{conn: in}, near)
		joined <- o
	}()
	if _, err := c.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	if got, err := far.receive(); err != nil || string(got) != "question" {
		t.Fatalf("%q, %v", got, err)
	}
	for _, m := range []string{"one", "two"} {
		if err := far.send([]byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"one", "two"} {
		if got, err := c.ReadMessage(); err != nil || string(got) != want {
			t.Fatalf("%q, %v", got, err)
		}
	}
	c.Close()
	if _, err := far.receive(); err != io.EOF {
		t.Errorf("the end: %v", err)
	}
	far.endSend()
	if o := <-joined; o.sent != 8 || o.received != 6 || o.err != nil {
		t.Errorf("join: %+v", o)
	}
}

// pipePair returns both ends of a pipe.
func pipePair(t *testing.T, typ anypipe.Mode) (server, client *anypipe.Conn) {
	t.Helper()
	name := fmt.Sprintf("join-%d-%s", os.Getpid(), t.Name())
	in, err := (&anypipe.ListenConfig{Type: typ, NoForeign: true}).Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	c, err := anypipe.Dial(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &in.Conn, c
}
