package main

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/anypipe/anypipe"
)

// relayFlags are the flags of relay.
type relayFlags struct {
	mode, acl string
	retry     time.Duration
}

func (a *app) relayCommand() *cobra.Command {
	f := new(relayFlags)
	cmd := &cobra.Command{
		Use:   "relay FROM TO",
		Short: "Join a pipe to a Unix socket, to stdin and stdout, or to another machine's half of the bridge",
		Long: `Listen at FROM and join each connection that comes there to a new connection to TO, many at a time, until Ctrl-C.

An address is one of
  NAME           a pipe; as FROM it is created
  unix:PATH      a Unix stream socket; as FROM it is created, for its owner only
  stdio:         stdin and stdout of this process: one connection
  loopback:FILE  a port of this machine that only who may read FILE can use; as FROM a port is chosen and FILE written

Programs in Wine and programs beside it don't see each other's pipes, and Wine has no Unix sockets. Two relays bridge that,
one native and one in Wine, by a file that both see: loopback:/run/user/1000/x is loopback:Z:/run/user/1000/x in Wine.

The end of one direction is passed on, and so are messages, where both sides know them: message-type pipes and loopback. On
Windows, where byte-type pipes have no half-close, a connection ends when one direction ended and nothing came in the
other for a second; and an empty message to a side without messages is the end of the direction.`,
		Example: `  anypipe relay loopback:$HOME/.bridge unix:/run/user/1000/app.sock     beside Wine
  wine anypipe.exe relay app loopback:Z:/home/me/.bridge                 in Wine: \\.\pipe\app is the socket`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return a.relay(cmd.Context(), f, args[0], args[1]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.mode, "mode", "byte", "type of a pipe that is created: byte or message")
	flags.StringVar(&f.acl, "acl", "owner", aclHelp)
	flags.DurationVar(&f.retry, "retry", 5*time.Second, "how long TO is tried again when nobody is there")
	complete(cmd, "mode", "byte", "message")
	return cmd
}

func (a *app) relay(ctx context.Context, f *relayFlags, from, to string) error {
	ctx, cancel := a.limited(ctx)
	defer cancel()
	dial, err := a.dialer(to)
	if err != nil {
		return err
	}
	l, err := a.listenAt(ctx, f, from)
	if err != nil {
		return err
	}
	r := &relayer{log: a.log, from: l, dial: dial, names: [2]string{from, to}, retry: f.retry}
	err = r.run(ctx)
	if errors.Is(err, context.Canceled) {
		return nil // Ctrl-C is how a relay ends
	}
	return err
}

// kind cuts an address into its kind, empty for a pipe, and the rest.
func kindOf(address string) (kind, rest string) {
	for _, kind := range []string{"unix:", "loopback:", "stdio:"} {
		if rest, ok := strings.CutPrefix(address, kind); ok {
			return kind, rest
		}
	}
	return "", address
}

// dialer returns what dials an address, which it checks first.
func (a *app) dialer(address string) (func(context.Context) (channel, error), error) {
	switch kind, rest := kindOf(address); kind {
	case "unix:":
		return func(ctx context.Context) (channel, error) {
			c, err := new(net.Dialer).DialContext(ctx, "unix", rest)
			if err != nil {
				return nil, err
			}
			return newStreamChannel(c.(*net.UnixConn)), nil
		}, nil
	case "loopback:":
		return func(ctx context.Context) (channel, error) { return dialLoopback(ctx, rest) }, nil
	case "stdio:":
		return func(context.Context) (channel, error) { return a.stdioChannel(), nil }, nil
	}
	if _, err := anypipe.ParseName(address); err != nil {
		return nil, err
	}
	return func(ctx context.Context) (channel, error) {
		d := &anypipe.Dialer{MaxMessage: maxJoined}
		c, err := d.Dial(ctx, address)
		if err != nil {
			return nil, err
		}
		return &pipeChannel{conn: c}, nil
	}, nil
}

// listenAt listens at an address.
func (a *app) listenAt(ctx context.Context, f *relayFlags, address string) (listening, error) {
	switch kind, rest := kindOf(address); kind {
	case "unix:":
		return listenUnix(rest)
	case "loopback:":
		return listenLoopback(rest)
	case "stdio:":
		return &onlyStdio{a}, nil
	}
	mode, err := parseMode(f.mode)
	if err != nil {
		return nil, err
	}
	security, err := parseACL(f.acl)
	if err != nil {
		return nil, err
	}
	cfg := &anypipe.ListenConfig{Type: mode, ReadMode: mode, Security: security, MaxMessage: maxJoined, NoForeign: true}
	l, err := cfg.Listen(ctx, address)
	if err != nil {
		return nil, err
	}
	return &pipeListening{l}, nil
}

// opened is an open function for a connection that is there already.
func opened(c channel) func(context.Context) (channel, error) {
	return func(context.Context) (channel, error) { return c, nil }
}

// pipeListening is a pipe that this process created.
type pipeListening struct{ *anypipe.Listener }

func (l *pipeListening) accept(ctx context.Context) (func(context.Context) (channel, error), error) {
	c, err := l.AcceptPipe(ctx)
	if err != nil {
		return nil, err
	}
	return opened(&pipeChannel{conn: c}), nil
}

func (l *pipeListening) close() error { return l.Close() }
func (l *pipeListening) single() bool { return false }

// onlyStdio is stdin and stdout as the one connection that comes.
type onlyStdio struct{ app *app }

func (s *onlyStdio) accept(context.Context) (func(context.Context) (channel, error), error) {
	return opened(s.app.stdioChannel()), nil
}

func (s *onlyStdio) close() error { return nil }
func (s *onlyStdio) single() bool { return true }

// unixListening is a Unix socket that this process created.
type unixListening struct{ *net.UnixListener }

func (l *unixListening) accept(context.Context) (func(context.Context) (channel, error), error) {
	c, err := l.AcceptUnix()
	if err != nil {
		return nil, err
	}
	return opened(newStreamChannel(c)), nil
}

func (l *unixListening) close() error { return l.Close() }
func (l *unixListening) single() bool { return false }

// pipeChannel is a pipe's end.
type pipeChannel struct {
	conn *anypipe.Conn
	buf  []byte
}

func (c *pipeChannel) receive() ([]byte, error) {
	if c.conn.Type() == anypipe.Message {
		var err error
		c.buf, err = c.conn.AppendMessage(c.buf[:0])
		return c.buf, err
	}
	if c.buf == nil {
		c.buf = make([]byte, 64<<10)
	}
	n, err := c.conn.Read(c.buf)
	return c.buf[:n], err
}

func (c *pipeChannel) send(p []byte) error { _, err := c.conn.Write(p); return err }
func (c *pipeChannel) endSend() error      { return c.conn.CloseWrite() }
func (c *pipeChannel) close() error        { return c.conn.Close() }

// halfCloser is a stream whose directions end one by one.
type halfCloser interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// streamChannel is a stream without messages.
type streamChannel struct {
	stream halfCloser
	buf    []byte
}

func newStreamChannel(s halfCloser) *streamChannel {
	return &streamChannel{stream: s, buf: make([]byte, 64<<10)}
}

func (c *streamChannel) receive() ([]byte, error) {
	n, err := c.stream.Read(c.buf)
	if n > 0 {
		err = nil
	}
	return c.buf[:n], err
}

func (c *streamChannel) send(p []byte) error {
	if len(p) == 0 { // an empty message: all the half-close that Windows' programs have
		return c.endSend()
	}
	_, err := c.stream.Write(p)
	return err
}

func (c *streamChannel) endSend() error { return c.stream.CloseWrite() }
func (c *streamChannel) close() error   { return c.stream.Close() }

// stdioChannel returns stdin and stdout as a channel. Where a read of stdin can't be interrupted, it stays behind.
func (a *app) stdioChannel() channel {
	in, out := a.stdin, a.stdout
	pr, pw := io.Pipe()
	go func() {
		_, err := io.Copy(pw, in)
		pw.CloseWithError(err)
	}()
	return newStreamChannel(&stdioStream{pr, out})
}

// stdioStream is the two as one stream.
type stdioStream struct {
	in  *io.PipeReader
	out io.Writer
}

func (s *stdioStream) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *stdioStream) Write(p []byte) (int, error) { return s.out.Write(p) }
func (s *stdioStream) Close() error                { return s.in.Close() }

// CloseWrite closes stdout if it is this process's own.
func (s *stdioStream) CloseWrite() error {
	out := s.out
	if o, ok := out.(*output); ok {
		out = o.w
	}
	if c, ok := out.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
