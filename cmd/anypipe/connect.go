package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/anypipe/anypipe"
)

// connectFlags are the flags of connect.
type connectFlags struct {
	clientFlags
	mode                string
	hex, whole, json    bool
	readOnly, writeOnly bool
}

// connectCommand declares connect.
func (a *app) connectCommand() *cobra.Command {
	f := new(connectFlags)
	cmd := &cobra.Command{
		Use:   "connect NAME",
		Short: "Open a pipe and talk through it",
		Long: `Open a pipe and talk through it.

On a terminal, lines are edited and remembered (arrow up), each line is one message on a message-type pipe and a line
with its end on a byte-type pipe; Ctrl-D or Ctrl-C ends. What is received is shown with control characters escaped.

Otherwise stdin and stdout are joined to the pipe. The end of stdin ends that direction and what still comes is received;
it is over when the other end closes. On Windows, where pipes have no half-close, it is also over when stdin has ended and
nothing came for a second.

` + framingHelp,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.limited(cmd.Context())
			defer cancel()
			return a.connect(ctx, f, args[0])
		},
	}
	f.add(cmd)
	f.addLimit(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.mode, "mode", "auto", "byte, message, or auto: as the pipe's type is")
	flags.BoolVar(&f.hex, "hex", false, "show what is received as a hex dump")
	flags.BoolVar(&f.whole, "whole", false, "message type: all of stdin is one message, and received ones are written bare")
	flags.BoolVar(&f.json, "json", false, "write what is received as lines of JSON")
	flags.BoolVar(&f.readOnly, "read-only", false, "open for reading alone, as pipes for everyone to read need")
	flags.BoolVar(&f.writeOnly, "write-only", false, "open for writing alone")
	complete(cmd, "mode", "auto", "byte", "message")
	return cmd
}

// connect opens the pipe and chooses between a person at a terminal and streams. The choice needs both ends to be
// terminals: with stdout in a file there is nobody to read a prompt.
func (a *app) connect(ctx context.Context, f *connectFlags, name string) error {
	if err := f.check(); err != nil {
		return err
	}
	access, err := f.access(ctx, name)
	if err != nil {
		return err
	}
	d, err := f.dialer(access)
	if err != nil {
		return err
	}
	c, err := dialReading(ctx, d, name)
	if err != nil {
		return err
	}
	defer c.Close()
	frame, err := f.framing(c)
	if err != nil {
		return err
	}
	r := &relay{
		conn: c, framing: frame, emit: frame.emitter(a.stdout), ownInput: true,
		canRead: access&anypipe.GenericRead != 0, canWrite: access&anypipe.GenericWrite != 0,
	}
	switch {
	case f.hex:
		r.emit = hexEmitter(a.stdout)
	case f.json:
		r.emit = newRecorder(a.stdout).emitter(0)
	}
	if screen, keys := terminal(a.stdout), terminal(a.stdin); screen != nil && keys != nil && r.canWrite && !f.json {
		return a.interact(ctx, r, keys, screen, f.hex)
	}
	r.in = newInput(ctx, frame, a.stdin)
	if err := r.run(ctx); err != nil {
		return err
	}
	return f.flush(ctx, r)
}

// check finds what can't be meant, before anything is opened.
func (f *connectFlags) check() error {
	switch {
	case f.hex && f.json:
		return usagef("--hex and --json exclude each other")
	case f.readOnly && f.writeOnly:
		return usagef("--read-only and --write-only exclude each other")
	case f.mode == "auto":
		return nil
	}
	_, err := parseMode(f.mode)
	return err
}

// flush waits, at the end of a write-only connection, until all was read. The other kinds end when the server closes.
func (f *connectFlags) flush(ctx context.Context, r *relay) error {
	if r.canRead {
		return nil
	}
	defer bindDeadline(ctx, r.conn)()
	return bounded(ctx, r.conn.Flush())
}

// access is what to open with: as the flags say, else as the pipe's direction allows.
func (f *connectFlags) access(ctx context.Context, name string) (anypipe.Access, error) {
	switch {
	case f.readOnly:
		return accessFor(anypipe.Outbound), nil
	case f.writeOnly:
		return accessFor(anypipe.Inbound), nil
	}
	p, err := find(ctx, name)
	switch {
	case err == nil:
		return accessFor(p.Direction), nil
	case errors.Is(err, anypipe.ErrNotExist), errors.Is(err, anypipe.ErrNotSupported):
		return accessFor(anypipe.Duplex), nil // not listed; opening it will tell
	}
	return 0, err
}

// framing is what --mode asks for, checked against the pipe's type.
func (f *connectFlags) framing(c *anypipe.Conn) (framing, error) {
	info, err := c.Info()
	if err != nil {
		return raw, err
	}
	mode := info.Type
	if f.mode != "auto" {
		if mode, err = parseMode(f.mode); err != nil {
			return raw, err
		}
	}
	if mode == anypipe.Message && info.Type != anypipe.Message {
		return raw, usagef("--mode message: this is a byte-type pipe, which has no messages")
	}
	return framingFor(mode, f.whole)
}

// typed turns the lines of a terminal into what is sent.
func typed(ctx context.Context, f framing, readLine func() (string, error)) *input {
	in := &input{items: make(chan []byte)}
	go func() {
		defer close(in.items)
		for {
			line, err := readLine()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					in.err = err
				}
				return
			}
			if f == raw {
				line += "\n"
			}
			select {
			case in.items <- []byte(line):
			case <-ctx.Done():
				return
			}
		}
	}()
	return in
}
