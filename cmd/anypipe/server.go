package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anypipe/anypipe"
)

// server serves the clients of one listen command.
type server struct {
	*app
	name    anypipe.Name
	config  *anypipe.ListenConfig
	framing framing
	serve   func(ctx context.Context, v visit) error // one client, until it is served
	records *recorder                                // --json; else nil

	in      *input   // joinStreams: what is sent
	command string   // exec: the program
	args    []string // exec: its arguments, from argument 0

	clients atomic.Int64 // numbers the clients in the log
}

// visit is one client's connection.
type visit struct {
	*anypipe.Conn
	number int64
	who    anypipe.Peer // zero if the system does not tell
	gone   func() bool  // whether the client has closed
}

// run serves until ctx ends, or one client with --once.
//
// A limited number of instances is created at once and each is used again and again, so that the name stays when a
// client leaves; without a limit the library's Listener makes them as clients come.
func (s *server) run(ctx context.Context, f *listenFlags) error {
	limit := s.config.MaxInstances
	switch {
	case f.once:
		return s.once(ctx)
	case s.in != nil:
		return s.instances(ctx, 1)
	case limit > 0 && limit < anypipe.UnlimitedInstances:
		return s.instances(ctx, limit)
	}
	return s.listener(ctx)
}

// once serves the first client with the only instance and is gone with it.
func (s *server) once(ctx context.Context) error {
	in, err := s.config.Create(ctx, s.name.String())
	if err != nil {
		return err
	}
	defer in.Close()
	if err := s.listening(); err != nil {
		return err
	}
	if err := s.connect(ctx, in); err != nil {
		return err
	}
	err = s.client(ctx, &in.Conn, clientGone(ctx, in))
	if err == nil {
		s.leave(ctx, in)
	}
	return err
}

// instances creates n instances, or as many as other servers of the name have left, and serves with each of them until
// ctx ends or one fails.
func (s *server) instances(ctx context.Context, n int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var workers sync.WaitGroup
	defer workers.Wait()
	for i := range n {
		in, err := s.config.Create(ctx, s.name.String())
		if i > 0 && errors.Is(err, anypipe.ErrPipeBusy) {
			s.log.Printf("%d of %d instances: the limit of the name leaves no more", i, n)
			break
		}
		if err != nil {
			cancel(err)
			return err
		}
		if i == 0 {
			later := *s.config
			later.First = false
			s.config = &later
		}
		workers.Go(func() {
			defer in.Close()
			cancel(s.loop(ctx, in))
		})
	}
	if err := s.listening(); err != nil {
		cancel(err)
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// loop is the life of one instance: Connect, serve, Disconnect, again.
func (s *server) loop(ctx context.Context, in *anypipe.Instance) error {
	for {
		if err := s.connect(ctx, in); err != nil {
			return err
		}
		err := s.client(ctx, &in.Conn, clientGone(ctx, in))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if isBrokenOutput(err) {
			return err
		}
		if err == nil {
			s.leave(ctx, in)
		}
		if err := in.Disconnect(); err != nil {
			return bounded(ctx, err)
		}
		if err := in.SetDeadline(time.Time{}); err != nil {
			return err
		}
	}
}

// connect waits for a client. One that came and went at once counts too: it may have left data.
func (s *server) connect(ctx context.Context, in *anypipe.Instance) error {
	err := in.Connect(ctx)
	if errors.Is(err, anypipe.ErrPipeConnected) || errors.Is(err, anypipe.ErrNoData) {
		return nil
	}
	return bounded(ctx, err)
}

// clientGone makes a function that tells whether the instance's client has closed. Connect tells it at once, also at the
// server end of an outbound pipe, which may not ask for Info.
func clientGone(ctx context.Context, in *anypipe.Instance) func() bool {
	return func() bool { return !errors.Is(in.Connect(ctx), anypipe.ErrPipeConnected) }
}

// leave ends a served connection such that the client loses nothing: it sees the end of the data and has a moment to
// close by itself, as Disconnect would take back what is unread and cut it off.
func (s *server) leave(ctx context.Context, in *anypipe.Instance) {
	if err := in.SetDeadline(time.Time{}); err != nil {
		return
	}
	stop := bindDeadline(ctx, &in.Conn)
	defer stop()
	_ = in.CloseWrite() // a client that is gone, or a pipe without half-close, needs no end
	if in.Flush() != nil {
		return
	}
	patience := time.NewTimer(time.Second)
	defer patience.Stop()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for gone := clientGone(ctx, in); !gone(); {
		select {
		case <-look.C:
		case <-patience.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// listener serves any number of clients at the same time.
func (s *server) listener(ctx context.Context) error {
	l, err := s.config.Listen(ctx, s.name.String())
	if err != nil {
		return err
	}
	if err := s.listening(); err != nil {
		return errors.Join(err, l.Close())
	}
	var clients sync.WaitGroup
	defer clients.Wait()
	defer l.Close()
	for {
		c, err := l.AcceptPipe(ctx)
		if err != nil {
			return bounded(ctx, err)
		}
		clients.Go(func() {
			defer c.Close()
			_ = s.client(ctx, c, func() bool { return peerGone(c) }) // its error is in the log
		})
	}
}

// listening says that clients can come.
func (s *server) listening() error {
	s.log.Print("listening on ", s.describe())
	return s.records.write(record{Event: "listening", Name: s.name.String()})
}

// client serves one client and logs its coming and going.
func (s *server) client(ctx context.Context, c *anypipe.Conn, gone func() bool) error {
	v := visit{Conn: c, number: s.clients.Add(1), gone: gone}
	var err error
	if v.who, err = c.Peer(); err != nil {
		s.log.Printf("client %d connected: unknown (%v)", v.number, err)
	} else {
		s.log.Printf("client %d connected: pid %d, user %s", v.number, v.who.PID, printable(v.who.User))
	}
	err = s.records.write(record{Event: "connected", Client: v.number, PID: v.who.PID, User: v.who.User})
	if err == nil {
		err = s.serve(ctx, v)
	}
	end := record{Event: "disconnected", Client: v.number}
	if err != nil && ctx.Err() == nil {
		s.log.Printf("client %d: %v", v.number, err)
		end.Error = err.Error()
	}
	s.log.Printf("client %d disconnected", v.number)
	return errors.Join(err, s.records.write(end))
}

// echo gives back what comes.
func (s *server) echo(ctx context.Context, v visit) error {
	defer bindDeadline(ctx, v.Conn)()
	return bounded(ctx, s.framing.receive(v.Conn, func(p []byte) error {
		_, err := v.Write(p)
		return err
	}))
}

// joinStreams joins stdin and stdout to the client.
func (s *server) joinStreams(ctx context.Context, v visit) error {
	r := &relay{
		conn: v.Conn, gone: v.gone, framing: s.framing, in: s.in, emit: s.framing.emitter(s.stdout),
		canRead: s.config.Direction != anypipe.Outbound, canWrite: s.config.Direction != anypipe.Inbound,
	}
	if s.records != nil {
		r.emit = s.records.emitter(v.number)
	}
	return r.run(ctx)
}
