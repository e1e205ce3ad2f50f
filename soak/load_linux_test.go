package soak

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/anypipe/anypipe"
)

// A checked message is a sequence number, a body whose size and bytes follow from it, and a checksum of both.
const (
	checkedOverhead = 12
	largestBody     = 9000
)

// checked builds message seq of a stream into buf.
func checked(buf []byte, stream, seq uint64) []byte {
	size := int((seq*2654435761 + stream*97) % largestBody)
	if seq%8 != 0 {
		size %= 200 // mostly small
	}
	buf = binary.LittleEndian.AppendUint64(buf[:0], seq)
	for i := range size {
		buf = append(buf, byte(seq+stream+uint64(i)))
	}
	return binary.LittleEndian.AppendUint32(buf, crc32.ChecksumIEEE(buf))
}

// verify says whether msg is exactly message seq of the stream; scratch is for reuse.
func verify(msg, scratch []byte, stream, seq uint64) ([]byte, error) {
	scratch = checked(scratch, stream, seq)
	if bytes.Equal(msg, scratch) {
		return scratch, nil
	}
	if len(msg) < checkedOverhead {
		return scratch, fmt.Errorf("stream %d: %d bytes instead of message %d", stream, len(msg), seq)
	}
	return scratch, fmt.Errorf("stream %d: message %d (%d bytes) instead of %d (%d bytes)", stream, binary.LittleEndian.Uint64(msg), len(msg), seq, len(scratch))
}

// messages is the configuration of the servers here.
func messages() *anypipe.ListenConfig {
	return &anypipe.ListenConfig{Type: anypipe.Message, InBuffer: 4096, OutBuffer: 4096}
}

// A server serves clients whose first message says what they want: echo, sink (the client sends checked messages, stream 0)
// or source (the server does). What went wrong with any of them is in failures.
type server struct {
	listener *anypipe.Listener
	seen     func() // after each message of any client, if not nil
	done     sync.WaitGroup
	mu       sync.Mutex
	failures []error
	served   int
	refusals int // by Accept; counted by its goroutine, to be read after close
}

func newServer(name string, lc *anypipe.ListenConfig, seen func()) (*server, error) {
	l, err := lc.Listen(background, name)
	if err != nil {
		return nil, err
	}
	s := &server{listener: l, seen: seen}
	s.done.Go(s.accept)
	return s, nil
}

// startServer starts a server in the test's process and checks at the end that all its connections ended well.
func startServer(t *testing.T, name string, lc *anypipe.ListenConfig, seen func()) *server {
	t.Helper()
	s, err := newServer(name, lc, seen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, err := range s.close() {
			t.Error(err)
		}
	})
	return s
}

// close ends the server after its last client has gone, and returns what went wrong.
func (s *server) close() []error {
	s.listener.Close()
	s.done.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	failures := s.failures
	s.failures = nil
	return failures
}

func (s *server) accept() {
	for {
		c, err := s.listener.AcceptPipe(background)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if passing, ok := errors.AsType[temporary](err); ok && passing.Temporary() { // out of descriptors
			s.refusals++
			continue
		}
		if err != nil {
			s.fail(err)
			return
		}
		s.done.Go(func() {
			defer c.Close()
			s.fail(s.serve(c))
		})
	}
}

// temporary is how net/http knows that it can go on accepting.
type temporary interface {
	error
	Temporary() bool
}

// fail counts a connection's end, or notes what was wrong with it.
func (s *server) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served++
	if err != nil {
		s.failures = append(s.failures, err)
	}
}

// serve returns an error if the connection ended in a way that no death of the client explains.
func (s *server) serve(c *anypipe.Conn) error {
	first, err := c.ReadMessage()
	switch {
	case err != nil:
		return ended(c, err)
	case string(first) == "echo":
		return ended(c, s.echo(c))
	case string(first) == "sink":
		return ended(c, s.sink(c))
	case string(first) == "source":
		return ended(c, pour(c, s.count))
	}
	return fmt.Errorf("a client wants %q", first)
}

func (s *server) count() {
	if s.seen != nil {
		s.seen()
	}
}

func (s *server) echo(c *anypipe.Conn) error {
	var buf []byte
	for {
		msg, err := c.AppendMessage(buf[:0])
		if err != nil {
			return err
		}
		s.count()
		if _, err := c.Write(msg); err != nil {
			return err
		}
		buf = msg
	}
}

// sink reads checked messages until the end.
func (s *server) sink(c *anypipe.Conn) error { return drain(c, s.count) }

func drain(c *anypipe.Conn, count func()) error {
	var buf, scratch []byte
	for seq := uint64(0); ; seq++ {
		msg, err := c.AppendMessage(buf[:0])
		if err != nil {
			return err
		}
		if scratch, err = verify(msg, scratch, 0, seq); err != nil {
			return err
		}
		count()
		buf = msg
	}
}

// pour writes checked messages until that fails.
func pour(c *anypipe.Conn, count func()) error {
	var buf []byte
	for seq := uint64(0); ; seq++ {
		buf = checked(buf, 0, seq)
		if _, err := c.Write(buf); err != nil {
			return err
		}
		count()
	}
}

// pingPong exchanges n checked messages, from number seq on.
func pingPong(c *anypipe.Conn, stream, seq uint64, n int, count func()) error {
	var buf, msg, scratch []byte
	for range n {
		buf = checked(buf, stream, seq)
		if _, err := c.Write(buf); err != nil {
			return err
		}
		var err error
		if msg, err = c.AppendMessage(msg[:0]); err != nil {
			return err
		}
		if scratch, err = verify(msg, scratch, stream, seq); err != nil {
			return err
		}
		seq++
		count()
	}
	return nil
}

// ended checks that err is what an end gets whose peer was killed or closed, and that everything it does from then on gets
// what semantics.md says: reads what is left and then io.EOF, writes ERROR_NO_DATA, the state CLOSING.
func ended(c *anypipe.Conn, err error) error {
	// EOF: a read. BROKEN_PIPE: a write that waited. NO_DATA: a write that began later.
	if !errors.Is(err, io.EOF) && !errors.Is(err, anypipe.ErrBrokenPipe) && !errors.Is(err, anypipe.ErrNoData) {
		return fmt.Errorf("the other end has gone: %w", err)
	}
	for {
		if _, err = c.ReadMessage(); err != nil {
			break
		}
	}
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading after the other end has gone: %w", err)
	}
	if _, err := c.Write([]byte("anybody?")); !errors.Is(err, anypipe.ErrNoData) {
		return fmt.Errorf("writing after the other end has gone: %w", err)
	}
	info, err := c.Info()
	if errors.Is(err, syscall.EMFILE) {
		return nil // it counts instances, which takes descriptors
	}
	if err != nil || info.State != anypipe.Closing {
		return fmt.Errorf("after the other end has gone: state %v, %w", info.State, err)
	}
	return nil
}

// dialFor opens the pipe for one of a server's services.
func dialFor(ctx context.Context, name, service string) (*anypipe.Conn, error) {
	c, err := anypipe.Dial(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, err := c.Write([]byte(service)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// use does what the service is for until the connection ends or n messages were exchanged, n < 0 meaning for ever.
func use(c *anypipe.Conn, service string, n int, count func()) error {
	switch service {
	case "sink":
		return pour(c, count)
	case "source":
		return drain(c, count)
	}
	for seq := uint64(0); n < 0; seq += 100 {
		if err := pingPong(c, 1, seq, 100, count); err != nil {
			return err
		}
	}
	return pingPong(c, 1, 0, n, count)
}

var services = []string{"echo", "sink", "source", "echo"}

// agentServe NAME BACKLOG: a server for others.
func agentServe(args []string, in *bufio.Scanner) error {
	lc := messages()
	lc.Backlog, _ = strconv.Atoi(args[1])
	if len(args) > 2 && args[2] == "public" {
		lc.Security = anypipe.EveryoneAccess()
	}
	s, err := newServer(args[0], lc, nil)
	if err != nil {
		return err
	}
	say("ready")
	in.Scan()
	s.listener.Close()
	say("closed")
	if failures := s.close(); len(failures) > 0 { // when the last client has gone
		return errors.Join(failures...)
	}
	say("gone")
	return nil
}

// agentLoad NAME: a client that uses all services at once, until it is killed.
func agentLoad(args []string, _ *bufio.Scanner) error {
	results := make(chan error)
	for _, service := range services {
		c, err := dialFor(background, args[0], service)
		if err != nil {
			return err
		}
		go func() { results <- use(c, service, -1, func() {}) }()
	}
	say("ready")
	return <-results
}

// agentChurn NAME: a client that comes and goes, until it is killed.
func agentChurn(args []string, _ *bufio.Scanner) error {
	for {
		c, err := dialFor(background, args[0], "echo")
		if err != nil {
			return err
		}
		if err := pingPong(c, 1, 0, 2, func() {}); err != nil {
			return err
		}
		if err := c.Close(); err != nil {
			return err
		}
	}
}

// agentHonest NAME: a client that exchanges checked messages all the time while others are attacked. It answers each line with the
// number of messages exchanged since the last one, all of them intact.
func agentHonest(args []string, in *bufio.Scanner) error {
	var conns []*anypipe.Conn
	for range 3 {
		c, err := dialFor(background, args[0], "echo")
		if err != nil {
			return err
		}
		defer c.Close()
		conns = append(conns, c)
	}
	say("ready")
	asked := make(chan struct{})
	go func() {
		for in.Scan() {
			asked <- struct{}{}
		}
		close(asked)
	}()
	total := 0
	for seq := uint64(0); ; seq += 10 {
		for i, c := range conns {
			if err := pingPong(c, uint64(i), seq, 10, func() { total++ }); err != nil {
				return err
			}
		}
		select {
		case _, more := <-asked:
			if !more {
				return nil
			}
			say("intact %d", total)
			total = 0
		default:
		}
	}
}

// bystander is an honest client whose connections must be untouched by what happens to others.
type bystander struct{ *agent }

func startBystander(t *testing.T, name string) *bystander {
	t.Helper()
	b := &bystander{startAgent(t, "honest", name)}
	b.expect("ready")
	return b
}

// untouched fails the test unless messages go through now.
func (b *bystander) untouched() int {
	b.t.Helper()
	b.intact()
	n := b.intact()
	if n == 0 {
		b.t.Error("no messages went through")
	}
	return n
}

// intact returns how many messages went through since the last question.
func (b *bystander) intact() int {
	b.t.Helper()
	n, err := strconv.Atoi(b.ask("since?", "intact"))
	if err != nil {
		b.t.Error(err)
	}
	return n
}
