package wine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/anypipe/anypipe"
)

// expected reports whether an error is one that a pipe may end with when the other end goes at any moment.
func expected(err error) bool {
	return err == nil || err == io.EOF || errors.Is(err, net.ErrClosed) || anypipe.Win32Code(err) != 0
}

// A thousand clients that come and go at once meet a server that closes what it accepts.
func TestConnectCloseRace(t *testing.T) {
	name := pipeName(t)
	l, err := anypipe.Listen(name)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	})
	const dialers, each = 10, 100
	var dialing sync.WaitGroup
	for range dialers {
		dialing.Go(func() {
			for i := range each {
				c, err := anypipe.Dial(t.Context(), name)
				if err != nil {
					t.Errorf("dial %d: %v", i, err)
					return
				}
				c.Close()
			}
		})
	}
	dialing.Wait()
	l.Close()
	running.Wait()
}

// Closing a listener while clients come in ends it and them, always.
func TestCloseDuringConnect(t *testing.T) {
	for i := range 50 {
		name := fmt.Sprintf("%s-%d", pipeName(t), i)
		l, err := anypipe.Listen(name)
		if err != nil {
			t.Fatal(err)
		}
		var dialing sync.WaitGroup
		for range 4 {
			dialing.Go(func() {
				c, err := anypipe.Dial(t.Context(), name)
				if err != nil {
					if !expected(err) {
						t.Errorf("dial: %v", err)
					}
					return
				}
				defer c.Close()
				if _, err := c.Read(make([]byte, 1)); !expected(err) {
					t.Errorf("read: %v", err)
				}
			})
		}
		l.Close()
		dialing.Wait()
	}
}

// Five hundred clients at once are all served.
func TestFiveHundredClients(t *testing.T) {
	name := pipeName(t)
	echo(t, new(anypipe.ListenConfig), name)
	var calling sync.WaitGroup
	for i := range 500 {
		calling.Go(func() {
			c, err := anypipe.Dial(t.Context(), name)
			if err != nil {
				t.Errorf("client %d: %v", i, err)
				return
			}
			defer c.Close()
			want := message(i, i)
			if _, err := c.Write(want); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
			got := make([]byte, len(want))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != string(want) {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	calling.Wait()
}

// victim returns a command that runs this binary in a role.
func victim(t *testing.T, role string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

// A killed server is the end of the data for its client, and its name is free.
func TestKilledServer(t *testing.T) {
	name := pipeName(t)
	cmd := victim(t, "sink "+name)
	wait := startServer(t, cmd)
	c, err := anypipe.Dial(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ended := make(chan error, 1)
	go func() { _, err := c.Read(make([]byte, 1)); ended <- err }()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	wait() // the error says that it was killed
	if err := <-ended; err != io.EOF {
		t.Errorf("read: %v, want io.EOF", err)
	}
	if _, err := anypipe.Dial(t.Context(), name); !errors.Is(err, anypipe.ErrNotExist) {
		t.Errorf("dial: %v, want ErrNotExist", err)
	}
}

// A killed client is the end of the data for its server, also in the middle of a write.
func TestKilledClient(t *testing.T) {
	name := pipeName(t)
	in, err := (&anypipe.ListenConfig{Type: anypipe.Message, InBuffer: 100}).Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd := victim(t, "pour "+name+" 1000000 64")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := in.Connect(context.Background()); err != nil && !errors.Is(err, anypipe.ErrPipeConnected) {
		t.Fatal(err)
	}
	if _, err := in.ReadMessage(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // the error says that it was killed
	for err = nil; err == nil; {
		var p []byte
		if p, err = in.ReadMessage(); err == nil && len(p) != 64 {
			t.Errorf("a message of %d bytes", len(p))
		}
	}
	if err != io.EOF {
		t.Errorf("at the end: %v, want io.EOF", err)
	}
}
