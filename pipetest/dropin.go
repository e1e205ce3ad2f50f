package pipetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anypipe/anypipe"
)

// dropInCases are the cases about Listener and Dial, what programs written for go-winio expect. They are Go, as a script
// would only repeat the calls.
var dropInCases = []struct {
	number int
	title  string
	run    func(*testing.T, *dropIn)
}{
	{224, "every instance taken: dial with a timeout ends with ErrTimeout", dialTimesOut},
	{225, "dial ends with context.Canceled when it is cancelled while the pipe is busy", dialIsCancelled},
	{226, "a read deadline in the past ends a read that waits", pastDeadlineEndsRead},
	{227, "Close of the listener ends Accept, and Accept after it fails, with net.ErrClosed", closeEndsAccept},
	{228, "after the other end closed Read returns io.EOF", closeIsEOF},
	{229, "CloseWrite on a message pipe is io.EOF for the other end, and the other direction works on", closeWriteIsEOF},
	{230, "message-read mode, one byte at a time: the whole message, then io.EOF", messageByteByByte},
	{231, "1000 times dial and close against a loop of Accept: no error on either side", connectRace},
	{232, "50 times Listen and Dial at once: Listen never fails", listenRace},
}

func (s *suite) runDropIn(t *testing.T) {
	for _, c := range dropInCases {
		t.Run(fmt.Sprint(c.number), func(t *testing.T) {
			s.count(&Case{Number: c.number}, func(sum *Summary) { sum.Runs++ })
			c.run(t, s.dropIn(c.number))
		})
	}
}

// dropIn gives one of the cases its pipe.
type dropIn struct {
	config                 anypipe.ListenConfig
	dialer                 anypipe.Dialer
	serverName, clientName string
	// emptyEnds: CloseWrite is an empty message and nothing else, as Windows' kernel has no half-close.
	emptyEnds bool
}

func (s *suite) dropIn(number int) *dropIn {
	pipe := fmt.Sprintf("t%s-go%d", s.unique, number)
	d := &dropIn{serverName: localPrefix + pipe, clientName: localPrefix + pipe}
	if s.backend.Host != "" {
		d.clientName = `\\` + s.backend.Host + `\pipe\` + pipe
	}
	d.config.Transport, d.dialer.Transport = s.backend.Server, s.backend.Client
	d.config.NoForeign = true
	if e := s.halfCloseException(number); e != nil {
		d.emptyEnds = true
		s.count(&Case{Number: number}, func(sum *Summary) { sum.except(number, e) })
	}
	return d
}

// halfCloseException is the exception of the two cases with CloseWrite, for the kernel of Windows.
func (s *suite) halfCloseException(number int) *Exception {
	const trait = "windows"
	if (number != 229 && number != 230) || !slices.Contains(s.backend.Traits, trait) {
		return nil
	}
	return &Exception{Backend: trait, Reason: "the kernel has no half-close: CloseWrite is an empty message, which reads as 0 bytes"}
}

// wantEnd checks that Read tells the end that CloseWrite made.
func (d *dropIn) wantEnd(c *anypipe.Conn) error {
	n, err := c.Read(make([]byte, 1))
	if n != 0 || d.emptyEnds && err != nil || !d.emptyEnds && err != io.EOF {
		return fmt.Errorf("at the end: got %d, %v, want 0 and io.EOF (on Windows nil)", n, err)
	}
	return nil
}

func (d *dropIn) listen(t *testing.T) *anypipe.Listener {
	t.Helper()
	l, err := d.config.Listen(t.Context(), d.serverName)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func (d *dropIn) dial(t *testing.T) *anypipe.Conn {
	t.Helper()
	c, err := d.dialer.Dial(t.Context(), d.clientName)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// pair returns both ends of a new connection, which end with the test.
func (d *dropIn) pair(t *testing.T) (server, client *anypipe.Conn) {
	t.Helper()
	l := d.listen(t)
	client = d.dial(t)
	server, err := l.AcceptPipe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, client
}

// waiting runs f in a goroutine and returns when f is blocked. finish waits for its error.
func waiting(t *testing.T, f func() error) (finish func() error) {
	t.Helper()
	id, done := make(chan string), make(chan struct{})
	var err error
	go func() {
		defer close(done)
		id <- goroutineID()
		err = f()
	}()
	if p := parked(t.Context(), <-id, done); p != nil {
		t.Fatalf("%v: %v", p, err)
	}
	return func() error { <-done; return err }
}

func dialTimesOut(t *testing.T, d *dropIn) {
	d.config.MaxInstances = 1
	d.listen(t)
	d.dial(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := d.dialer.Dial(ctx, d.clientName)
	if !errors.Is(err, anypipe.ErrTimeout) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v, want ErrTimeout", err)
	}
	if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() {
		t.Fatalf("%v is not a net.Error with Timeout", err)
	}
}

func dialIsCancelled(t *testing.T, d *dropIn) {
	d.config.MaxInstances = 1
	d.listen(t)
	d.dial(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dialing := waiting(t, func() error {
		_, err := d.dialer.Dial(ctx, d.clientName)
		return err
	})
	cancel()
	if err := dialing(); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
}

func pastDeadlineEndsRead(t *testing.T, d *dropIn) {
	server, client := d.pair(t)
	for _, c := range []*anypipe.Conn{server, client} {
		reading := waiting(t, func() error {
			_, err := c.Read(make([]byte, 10))
			return err
		})
		if err := c.SetReadDeadline(longAgo); err != nil {
			t.Fatal(err)
		}
		err := reading()
		if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v, want a timeout", err)
		}
	}
}

func closeEndsAccept(t *testing.T, d *dropIn) {
	l := d.listen(t)
	accepting := waiting(t, func() error {
		_, err := l.Accept()
		return err
	})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := accepting(); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("waiting Accept: got %v, want net.ErrClosed", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("Accept after Close: got %v, want net.ErrClosed", err)
	}
	if _, err := d.dialer.Dial(t.Context(), d.clientName); !errors.Is(err, anypipe.ErrNotExist) {
		t.Fatalf("Dial after Close: got %v, want ErrNotExist", err)
	}
}

func closeIsEOF(t *testing.T, d *dropIn) {
	l := d.listen(t)
	for _, serverCloses := range []bool{true, false} {
		client := d.dial(t)
		server, err := l.AcceptPipe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		closer, reader := server, client
		if !serverCloses {
			closer, reader = client, server
		}
		reading := waiting(t, func() error {
			n, err := reader.Read(make([]byte, 10))
			if n != 0 {
				return fmt.Errorf("read %d bytes that nobody wrote", n)
			}
			return err
		})
		if err := closer.Close(); err != nil {
			t.Fatal(err)
		}
		if err := reading(); err != io.EOF {
			t.Fatalf("server closes %v: got %v, want io.EOF", serverCloses, err)
		}
		if n, err := reader.Read(make([]byte, 10)); n != 0 || err != io.EOF {
			t.Fatalf("server closes %v, second read: got %d, %v, want io.EOF", serverCloses, n, err)
		}
		reader.Close()
	}
}

func closeWriteIsEOF(t *testing.T, d *dropIn) {
	d.config.Type = anypipe.Message
	server, client := d.pair(t)
	if _, err := client.Write([]byte("request")); err != nil {
		t.Fatal(err)
	}
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len("request"))
	if _, err := io.ReadFull(server, got); err != nil || string(got) != "request" {
		t.Fatalf("server read %q, %v", got, err)
	}
	if err := d.wantEnd(server); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Write([]byte("reply")); err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(client); err != nil || string(got) != "reply" {
		t.Fatalf("client read %q, %v", got, err)
	}
}

func messageByteByByte(t *testing.T, d *dropIn) {
	d.config.Type, d.dialer.ReadMode = anypipe.Message, anypipe.Message
	server, client := d.pair(t)
	const message = "hello world"
	if _, err := server.Write([]byte(message)); err != nil {
		t.Fatal(err)
	}
	if err := server.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for i := range message {
		p := make([]byte, 1)
		n, err := client.Read(p)
		if wantMore := i < len(message)-1; n != 1 || errors.Is(err, anypipe.ErrMoreData) != wantMore || (!wantMore && err != nil) {
			t.Fatalf("byte %d: got %d bytes, %v", i, n, err)
		}
		got = append(got, p...)
	}
	if string(got) != message {
		t.Fatalf("got %q", got)
	}
	if err := d.wantEnd(client); err != nil {
		t.Fatal(err)
	}
}

func connectRace(t *testing.T, d *dropIn) {
	const dials = 1000
	l := d.listen(t)
	var accepting sync.WaitGroup
	defer accepting.Wait()
	accepting.Go(func() {
		for i := range dials {
			c, err := l.AcceptPipe(t.Context())
			if err != nil {
				t.Errorf("accept %d: %v", i, err)
				return
			}
			c.Close()
		}
	})
	for i := range dials {
		c, err := d.dialer.Dial(t.Context(), d.clientName)
		if err != nil {
			t.Errorf("dial %d: %v", i, err)
			l.Close()
			return
		}
		c.Close()
	}
}

func listenRace(t *testing.T, d *dropIn) {
	for i := range 50 {
		var dialing sync.WaitGroup
		dialing.Go(func() {
			c, err := d.dialer.Dial(t.Context(), d.clientName)
			if err == nil {
				c.Close()
			} else if !errors.Is(err, anypipe.ErrNotExist) {
				t.Errorf("dial %d: got %v, want success or ErrNotExist", i, err)
			}
		})
		l, err := d.config.Listen(t.Context(), d.serverName)
		if err != nil {
			t.Fatalf("listen %d: %v", i, err)
		}
		if err := l.Close(); err != nil {
			t.Errorf("close %d: %v", i, err)
		}
		dialing.Wait()
	}
}
