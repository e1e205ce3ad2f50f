package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/anypipe/anypipe"
)

// What the first byte of a message asks of the child.
const (
	askEcho  = 'e' // send it back
	askCount = 'c' // count it
	askTotal = 't' // send back how many were counted, 8 bytes, and begin anew
)

// benchPeerCommand is the child process of bench.
func (a *app) benchPeerCommand() *cobra.Command {
	noPolling := false
	cmd := &cobra.Command{
		Use:    "bench-peer TRANSPORT ADDRESS",
		Short:  "Be the other process of bench",
		Args:   cobra.ExactArgs(2),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := dialLink(cmd.Context(), args[0], args[1], noPolling)
			if err != nil {
				return err
			}
			defer l.Close()
			return notEOF(servePeer(l))
		},
	}
	cmd.Flags().BoolVar(&noPolling, "no-polling", false, noPollingHelp)
	return cmd
}

// dialLink is the child's side of openLane. The address is a pipe's name or a socket's path.
func dialLink(ctx context.Context, transport, address string, noPolling bool) (link, error) {
	switch transport {
	case transportPipe:
		c, err := (&anypipe.Dialer{NoPolling: noPolling}).Dial(ctx, address)
		if err != nil {
			return nil, err
		}
		return newPipeLink(c)
	case transportUnix:
		c, err := new(net.Dialer).DialContext(ctx, "unix", address)
		if err != nil {
			return nil, err
		}
		return newSocketLink(c), nil
	}
	return nil, usagef("unknown transport %q", transport)
}

// servePeer answers until the other process closes. It allocates nothing per message.
func servePeer(l link) error {
	buf := make([]byte, maxFrame)
	var counted uint64
	total := make([]byte, 8)
	for {
		msg, err := l.receive(buf)
		if err != nil {
			return err
		}
		if len(msg) == 0 {
			return errors.New("an empty message, which bench never sends")
		}
		switch msg[0] {
		case askCount:
			counted++
			continue
		case askEcho:
			err = l.send(msg)
		case askTotal:
			binary.BigEndian.PutUint64(total, counted)
			counted = 0
			err = l.send(total)
		default:
			err = fmt.Errorf("a message of unknown kind %q", msg[0])
		}
		if err != nil {
			return err
		}
	}
}

// lane is one carrier with the child at its other end.
type lane struct {
	link  link
	child *exec.Cmd
	dir   string // removed at the end; empty for pipes
}

// openLane makes the carrier, starts the child and waits until it is there.
func (a *app) openLane(ctx context.Context, transport string, noPolling bool) (l *lane, err error) {
	l = new(lane)
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	if transport == transportUnix {
		err = a.openSocket(ctx, l)
	} else {
		err = a.openPipe(ctx, l, noPolling)
	}
	return l, err
}

// openPipe creates the one instance before the child starts, so that the child finds it.
func (a *app) openPipe(ctx context.Context, l *lane, noPolling bool) error {
	name := "anypipe-bench-" + rand.Text()
	config := anypipe.ListenConfig{Type: anypipe.Message, MaxInstances: 1, First: true, InBuffer: benchBuffer, OutBuffer: benchBuffer, NoPolling: noPolling}
	in, err := config.Create(ctx, name)
	if err != nil {
		return err
	}
	if l.link, err = newPipeLink(&in.Conn); err != nil {
		return errors.Join(err, in.Close())
	}
	if err := l.start(ctx, a, transportPipe, name, fmt.Sprintf("--no-polling=%t", noPolling)); err != nil {
		return err
	}
	if err := in.Connect(ctx); err != nil && !errors.Is(err, anypipe.ErrPipeConnected) {
		return err
	}
	return nil
}

// benchBuffer lets a few large messages wait in the pipe. Sockets have about as much by default.
const benchBuffer = 256 << 10

// openSocket does the same with a socket in a folder of its own, which other users can't enter.
func (a *app) openSocket(ctx context.Context, l *lane) (err error) {
	if l.dir, err = os.MkdirTemp("", "anypipe-bench-"); err != nil {
		return err
	}
	path := filepath.Join(l.dir, "s")
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return err
	}
	defer listener.Close()
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	if err := l.start(ctx, a, transportUnix, path); err != nil {
		return err
	}
	c, err := listener.Accept()
	if err != nil {
		return err
	}
	l.link = newSocketLink(c)
	return nil
}

// start starts the child, which dials address as flags say.
func (l *lane) start(ctx context.Context, a *app, transport, address string, flags ...string) error {
	child, err := self(ctx, append([]string{"bench-peer", transport, address}, flags...)...)
	if err != nil {
		return err
	}
	child.Stderr = a.stderr
	if err := child.Start(); err != nil {
		return err
	}
	l.child = child
	return nil
}

// close closes the carrier, which ends the child.
func (l *lane) close() error {
	var errs []error
	if l.link != nil {
		errs = append(errs, l.link.Close())
	}
	if l.child != nil {
		errs = append(errs, l.child.Wait())
	}
	if l.dir != "" {
		errs = append(errs, os.RemoveAll(l.dir))
	}
	return errors.Join(errs...)
}
