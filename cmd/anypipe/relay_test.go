package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/anypipe/anypipe"
)

// ends returns the two ends of a connected pipe.
func ends(t *testing.T, mode anypipe.Mode) (server *anypipe.Instance, client *anypipe.Conn) {
	t.Helper()
	t.Setenv("ANYPIPE_DIR", t.TempDir())
	config := anypipe.ListenConfig{Type: mode}
	server, err := config.Create(t.Context(), "relay")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if client, err = anypipe.Dial(t.Context(), "relay"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return server, client
}

// start runs a relay as connect does, and returns what it wrote, complete when the result has come.
func start(t *testing.T, ctx context.Context, c *anypipe.Conn, f framing, in io.Reader) (out *strings.Builder, result chan error) {
	t.Helper()
	out, result = new(strings.Builder), make(chan error, 1)
	r := &relay{conn: c, framing: f, in: newInput(ctx, f, in), emit: f.emitter(out), canRead: true, canWrite: true, ownInput: true}
	go func() { result <- r.run(ctx) }()
	return out, result
}

func expectRead(t *testing.T, c io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v, want %q", got, err, want)
	}
}

// A server that ended its direction still gets what comes from stdin; when it closes, the relay ends although stdin is
// still open.
func TestRelayAfterHalfClose(t *testing.T) {
	server, client := ends(t, anypipe.Byte)
	stdin, typing := io.Pipe()
	defer typing.Close()
	out, result := start(t, t.Context(), client, raw, stdin)
	if _, err := server.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	if err := server.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := server.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := typing.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	expectRead(t, server, "late")
	server.Close()
	if err := <-result; err != nil {
		t.Errorf("the relay ended with %v", err)
	}
	if out.String() != "answer" {
		t.Errorf("received %q", out)
	}
}

// The end of stdin ends one direction; what still comes is received.
func TestRelayHalfCloses(t *testing.T) {
	server, client := ends(t, anypipe.Message)
	out, result := start(t, t.Context(), client, lines, strings.NewReader("one\n\nthree\n"))
	for _, want := range []string{"one", "", "three"} {
		if got, err := server.ReadMessage(); err != nil || string(got) != want {
			t.Fatalf("message %q, %v, want %q", got, err, want)
		}
	}
	if _, err := server.ReadMessage(); !errors.Is(err, io.EOF) {
		t.Fatalf("after the end of stdin: %v", err)
	}
	if _, err := server.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if err := <-result; err != nil {
		t.Errorf("the relay ended with %v", err)
	}
	if out.String() != "answer\n" {
		t.Errorf("received %q", out)
	}
}

// endless is an input that never runs dry.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// What can't be sent because the server closed is an error.
func TestRelayUnsent(t *testing.T) {
	server, client := ends(t, anypipe.Byte)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, result := start(t, ctx, client, raw, endless{})
	expectRead(t, server, string(make([]byte, 100)))
	server.Close()
	if err := <-result; exitCode(err) != exitBroken {
		t.Errorf("the relay ended with %v", err)
	}
}

// Ctrl-C ends a relay that waits for both sides.
func TestRelayCancelled(t *testing.T) {
	server, client := ends(t, anypipe.Byte)
	stdin, typing := io.Pipe()
	defer typing.Close()
	ctx, cancel := context.WithCancel(t.Context())
	_, result := start(t, ctx, client, raw, stdin)
	if _, err := server.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := server.Flush(); err != nil { // it runs
		t.Fatal(err)
	}
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("the relay ended with %v", err)
	}
}

func TestACLWords(t *testing.T) {
	for flag, want := range map[string]string{
		"owner": "owner", "everyone": "everyone", "everyone-read": "everyone may read, owner", "group:4242424": "group 4242424, owner",
		"D:(A;;FR;;;AU)": "Authenticated Users may read",
	} {
		s, err := parseACL(flag)
		if err != nil {
			t.Errorf("%s: %v", flag, err)
			continue
		}
		for _, sddl := range []string{s.SDDL(), "O:S-1-22-1-0G:S-1-22-2-0" + s.SDDL()} {
			if got := aclWords(sddl); !strings.HasSuffix(got, want) {
				t.Errorf("%s: %q, want %q", flag, got, want)
			}
		}
	}
	for _, bad := range []string{"", "all", "group:", "group:-1", "group:no such group", "D:(A;;;)"} {
		if s, err := parseACL(bad); exitCode(err) != exitUsage {
			t.Errorf("--acl %q gives %v, %v", bad, s, err)
		}
	}
}
