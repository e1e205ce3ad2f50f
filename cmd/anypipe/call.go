package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/anypipe/anypipe"
)

// callCommand declares call.
func (a *app) callCommand() *cobra.Command {
	f := new(clientFlags)
	cmd := &cobra.Command{
		Use:   "call NAME [DATA…]",
		Short: "Send one message and print the reply",
		Long: `Send one message (DATA, joined by spaces, or else the whole of stdin) and print the one message that comes back, its bytes
and nothing else: CallNamedPipe. On a byte-type pipe it writes everything, ends its direction, and prints all that comes
until the server closes. (On Windows byte-type pipes have no half-close: a server that waits for the end of the request
waits for ever there; use the message type.)`,
		Example: `  anypipe call greet hello
  anypipe call resize < picture.png > small.png`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.limited(cmd.Context())
			defer cancel()
			return a.call(ctx, f, args)
		},
	}
	f.add(cmd)
	f.addLimit(cmd)
	return cmd
}

// call opens the pipe in byte-read mode, which both types allow, looks at the type, and does what that type can.
func (a *app) call(ctx context.Context, f *clientFlags, args []string) error {
	c, data, err := a.openWith(ctx, f, anypipe.GenericRead|anypipe.GenericWrite, args)
	if err != nil {
		return err
	}
	defer c.Close()
	defer bindDeadline(ctx, c)()
	info, err := c.Info()
	if err != nil {
		return err
	}
	if info.Type == anypipe.Message {
		return bounded(ctx, a.transact(c, data))
	}
	return bounded(ctx, a.exchange(ctx, c, data))
}

// transact sends one message and prints the reply. Of a reply over the limit its beginning is printed.
func (a *app) transact(c *anypipe.Conn, request []byte) error {
	if err := c.SetReadMode(anypipe.Message); err != nil {
		return err
	}
	reply, err := c.Transact(request)
	if errors.Is(err, anypipe.ErrBadPipe) && peerGone(c) { // Windows' code for a pipe that is not connected any more
		err = fmt.Errorf("the server closed before it got the request: %w", anypipe.ErrBrokenPipe)
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("the server closed without an answer: %w", anypipe.ErrBrokenPipe)
	}
	_, writeErr := a.stdout.Write(reply)
	return errors.Join(err, writeErr)
}

// exchange writes and reads at the same time, as a server that answers before it has read everything would else wait
// for us, and we for it.
func (a *app) exchange(ctx context.Context, c *anypipe.Conn, request []byte) error {
	one := &input{items: make(chan []byte, 1)}
	if len(request) > 0 {
		one.items <- request
	}
	close(one.items)
	r := &relay{conn: c, framing: raw, in: one, emit: raw.emitter(a.stdout), canRead: true, canWrite: true, ownInput: true}
	return r.run(ctx)
}
