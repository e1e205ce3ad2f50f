package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/anypipe/anypipe"
)

// clientFlags are the flags of the commands that open a pipe.
type clientFlags struct {
	noWait    bool
	noPolling bool
	owner     string
	limit     int
}

const noPollingHelp = "sleep at once when waiting for the other end, instead of polling for a moment first"

// add defines the flags that every client has.
func (f *clientFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.noWait, "no-wait", false, "fail at once (exit code 4) while every instance is busy")
	cmd.Flags().BoolVar(&f.noPolling, "no-polling", false, noPollingHelp)
	cmd.Flags().StringVar(&f.owner, "expect-owner", "", "refuse a pipe that this user (name or SID) does not own")
}

// addLimit is for the commands that receive messages.
func (f *clientFlags) addLimit(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.limit, "max-message", 0, "refuse messages of more bytes (exit code 8); 0 is no limit")
}

// dialer opens as the flags say, with the given access.
func (f *clientFlags) dialer(access anypipe.Access) (*anypipe.Dialer, error) {
	if f.limit < 0 {
		return nil, usagef("--max-message %d is negative", f.limit)
	}
	return &anypipe.Dialer{Access: access, NoBusyWait: f.noWait, ExpectOwner: f.owner, MaxMessage: f.limit, NoPolling: f.noPolling}, nil
}

// sendCommand declares send.
func (a *app) sendCommand() *cobra.Command {
	f := new(clientFlags)
	cmd := &cobra.Command{
		Use:   "send NAME [DATA…]",
		Short: "Send one message",
		Long: `Send one message: DATA, joined by spaces, or else the whole of stdin, of any size. On a byte-type pipe these are just the
bytes. It returns when the server has read everything.`,
		Example: `  anypipe send log "backup done"
  anypipe send upload < picture.png`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.limited(cmd.Context())
			defer cancel()
			return a.send(ctx, f, args)
		},
	}
	f.add(cmd)
	return cmd
}

// openWith opens the pipe that args begin with and returns it with what is to be sent: the rest of args or stdin, which is
// read first so that no instance is held meanwhile.
func (a *app) openWith(ctx context.Context, f *clientFlags, access anypipe.Access, args []string) (*anypipe.Conn, []byte, error) {
	d, err := f.dialer(access)
	if err != nil {
		return nil, nil, err
	}
	data, err := a.payload(ctx, args)
	if err != nil {
		return nil, nil, err
	}
	c, err := d.Dial(ctx, args[0])
	return c, data, err
}

// send opens for writing alone, so that it works on inbound pipes, too. Flush makes exit code 0 mean that the server
// read it.
func (a *app) send(ctx context.Context, f *clientFlags, args []string) error {
	c, data, err := a.openWith(ctx, f, anypipe.GenericWrite|anypipe.ReadAttributes, args)
	if err != nil {
		return err
	}
	defer c.Close()
	defer bindDeadline(ctx, c)()
	if _, err := c.Write(data); err != nil {
		return bounded(ctx, err)
	}
	return bounded(ctx, c.Flush())
}

// payload is DATA or, without it, all of stdin.
func (a *app) payload(ctx context.Context, args []string) ([]byte, error) {
	if _, err := anypipe.ParseName(args[0]); err != nil {
		return nil, err
	}
	if len(args) > 1 {
		return []byte(strings.Join(args[1:], " ")), nil
	}
	if terminal(a.stdin) != nil {
		a.log.Print("type the message; Ctrl-D on a line of its own ends it")
	}
	return readAll(ctx, a.stdin)
}
