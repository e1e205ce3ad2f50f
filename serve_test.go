package anypipe_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anypipe/anypipe"
)

// listen makes a listener that is closed with the test.
func listen(t *testing.T, config anypipe.ListenConfig, name string) *anypipe.Listener {
	t.Helper()
	l, err := config.Listen(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestHTTP runs net/http over a pipe, both sides unchanged.
func TestHTTP(t *testing.T) {
	l := listen(t, anypipe.ListenConfig{}, "http")
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, r.URL.Path+" "+string(body))
	})}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve ended with %v", err)
		}
	})
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return anypipe.Dial(ctx, "http")
	}}
	client := &http.Client{Transport: transport}
	for range 20 {
		var requests sync.WaitGroup
		for range 5 {
			requests.Go(func() {
				big := strings.Repeat("x", 300_000)
				resp, err := client.Post("http://pipe/echo", "text/plain", strings.NewReader(big))
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "/echo "+big {
					t.Errorf("got %d bytes, %v", len(body), err)
				}
			})
		}
		requests.Wait()
	}
	transport.CloseIdleConnections()
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	serving.Wait()
}

// Arith is a net/rpc service.
type Arith int

// Multiply is a remote procedure.
func (Arith) Multiply(args [2]int, product *int) error {
	*product = args[0] * args[1]
	return nil
}

func TestRPC(t *testing.T) {
	l := listen(t, anypipe.ListenConfig{}, "rpc")
	server := rpc.NewServer()
	if err := server.Register(Arith(0)); err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { server.ServeConn(c) })
		}
	})
	conn, err := anypipe.Dial(t.Context(), "rpc")
	if err != nil {
		t.Fatal(err)
	}
	client := rpc.NewClient(conn)
	for i := range 100 {
		var product int
		if err := client.Call("Arith.Multiply", [2]int{i, 7}, &product); err != nil || product != 7*i {
			t.Fatal(product, err)
		}
	}
	client.Close()
	l.Close()
	serving.Wait()
}

// TestMessagesEndToEnd sends messages of every kind of size both ways at once.
func TestMessagesEndToEnd(t *testing.T) {
	l := listen(t, anypipe.ListenConfig{Type: anypipe.Message, InBuffer: 1000, OutBuffer: anypipe.Unbuffered}, "messages")
	sizes := []int{0, 1, 999, 1000, 1001, 0, 65536, 3_000_000, 0}
	var serving sync.WaitGroup
	serving.Go(func() {
		c, err := l.AcceptPipe(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		for m, err := range c.Messages() {
			if err != nil {
				t.Error(err)
				return
			}
			if err := c.WriteMessage(m); err != nil {
				t.Error(err)
				return
			}
		}
	})
	c, err := anypipe.Dial(t.Context(), `\\.\pipe\MESSAGES`)
	if err != nil {
		t.Fatal(err)
	}
	serving.Go(func() {
		for i, size := range sizes {
			if err := c.WriteMessage([]byte(strings.Repeat(string(rune('a'+i)), size))); err != nil {
				t.Error(err)
			}
		}
	})
	for i, size := range sizes {
		m, err := c.ReadMessage()
		if err != nil || string(m) != strings.Repeat(string(rune('a'+i)), size) {
			t.Fatalf("message %d: %d bytes, %v; want %d", i, len(m), err, size)
		}
	}
	c.Close()
	serving.Wait()
}

// TestCloseUnblocks checks that Close ends every kind of waiting call with net.ErrClosed.
func TestCloseUnblocks(t *testing.T) {
	in, err := (&anypipe.ListenConfig{Type: anypipe.Message, InBuffer: anypipe.Unbuffered, OutBuffer: anypipe.Unbuffered}).Create(t.Context(), "unblock")
	if err != nil {
		t.Fatal(err)
	}
	c, err := anypipe.Dial(t.Context(), "unblock")
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]func() error{
		"read":    func() error { _, err := c.Read(make([]byte, 1)); return err },
		"message": func() error { _, err := c.ReadMessage(); return err },
		"write":   func() error { _, err := c.Write([]byte("x")); return err },
		"flush":   func() error { _, err := c.Write([]byte("y")); return err },
	}
	var calling sync.WaitGroup
	for name, call := range calls {
		calling.Go(func() {
			if err := call(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	for { // until both writes wait
		if p, err := in.Peek(nil); err != nil || p.Available == 2 {
			break
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	calling.Wait()
	if err := c.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := in.ReadMessage(); err != io.EOF {
		t.Errorf("the withdrawn writes left %v", err)
	}
	in.Close()
}

// TestWriteDeadline checks that a write that timed out leaves nothing behind but what was read.
func TestWriteDeadline(t *testing.T) {
	in, err := (&anypipe.ListenConfig{InBuffer: anypipe.Unbuffered}).Create(t.Context(), "deadline")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	c, err := anypipe.Dial(t.Context(), "deadline")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	type result struct {
		n   int
		err error
	}
	written := make(chan result)
	go func() {
		n, err := c.Write([]byte("0123456789"))
		written <- result{n, err}
	}()
	buf := make([]byte, 4)
	if n, err := in.Read(buf); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	c.SetWriteDeadline(time.Now())
	taken := 4
	if runtime.GOOS == "windows" { // the kernel takes back the rest too, and does not tell how much had been read
		taken = 0
	}
	if r := <-written; r.n != taken || !errors.Is(r.err, os.ErrDeadlineExceeded) {
		t.Fatalf("Write gave %d, %v", r.n, r.err)
	}
	c.SetWriteDeadline(time.Time{})
	go c.Write([]byte("next"))
	if n, err := in.Read(buf); string(buf[:n]) != "next" || err != nil {
		t.Fatalf("read %q, %v", buf[:n], err)
	}
}

// TestManyConns opens and uses a hundred connections at a time.
func TestManyConns(t *testing.T) {
	l := listen(t, anypipe.ListenConfig{}, "many")
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				io.Copy(c, c)
				c.Close()
			})
		}
	})
	var clients sync.WaitGroup
	for range 100 {
		clients.Go(func() {
			c, err := anypipe.Dial(t.Context(), "many")
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for range 50 {
				if _, err := io.WriteString(c, "ping"); err != nil {
					t.Error(err)
				}
				buf := make([]byte, 4)
				if _, err := io.ReadFull(c, buf); err != nil || string(buf) != "ping" {
					t.Errorf("%q %v", buf, err)
				}
			}
		})
	}
	clients.Wait()
	l.Close()
	running.Wait()
}

// TestLimitedListener: a listener at its instance limit serves clients one after another, and the name never vanishes.
func TestLimitedListener(t *testing.T) {
	for _, limit := range []int{1, 2} {
		l := listen(t, anypipe.ListenConfig{MaxInstances: limit}, "limited")
		var serving sync.WaitGroup
		serving.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				io.Copy(c, c)
				c.Close()
			}
		})
		for i := range 300 {
			c, err := anypipe.Dial(t.Context(), "limited")
			if err != nil {
				t.Fatalf("dial %d: %v", i, err)
			}
			if _, err := io.WriteString(c, "x"); err != nil {
				t.Fatal(err)
			}
			if info, err := c.Info(); err != nil || info.Instances > limit {
				t.Fatalf("%d instances of %d, %v", info.Instances, limit, err)
			}
			c.Close()
		}
		l.Close()
		serving.Wait()
	}
}

// TestSentHappensBeforeReceived checks that the race detector knows that what is read was written before, as it does for
// other connections. Without -race it can't fail.
func TestSentHappensBeforeReceived(t *testing.T) {
	l := listen(t, anypipe.ListenConfig{}, "before")
	client, err := anypipe.Dial(t.Context(), "before")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.AcceptPipe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	var shared int // guarded by nothing but the pipe
	var writing sync.WaitGroup
	writing.Go(func() {
		shared = 1
		if _, err := client.Write([]byte("x")); err != nil {
			t.Error(err)
		}
	})
	for peeked, err := server.Peek(nil); peeked.Available == 0; peeked, err = server.Peek(nil) { // so that no bell rings
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := server.Read(make([]byte, 1)); err != nil || shared != 1 {
		t.Errorf("read: %v, shared: %d", err, shared)
	}
	writing.Wait()
}

// A connection tells the pipe's descriptor where ends have it; elsewhere the listing does.
func TestConnSecurity(t *testing.T) {
	name := "security-" + strconv.Itoa(os.Getpid())
	listen(t, anypipe.ListenConfig{Security: anypipe.EveryoneAccess()}, name)
	c, err := anypipe.Dial(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	told := ""
	if s, err := c.Security(); err == nil {
		told = s.SDDL()
	} else if !errors.Is(err, anypipe.ErrNotSupported) {
		t.Fatal(err)
	} else {
		pipes, err := anypipe.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pipes {
			if p.Name == name {
				told = p.SDDL
			}
		}
	}
	if want := anypipe.EveryoneAccess().SDDL(); !strings.HasSuffix(told, want) {
		t.Errorf("got %q, want %s at its end", told, want)
	}
}
