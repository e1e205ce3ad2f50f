package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/anypipe/anypipe"
)

// listenFlags are the flags of listen.
type listenFlags struct {
	createFlags
	echo, exec, once, whole, json bool
}

// listenCommand declares listen.
func (a *app) listenCommand() *cobra.Command {
	f := new(listenFlags)
	cmd := &cobra.Command{
		Use:   "listen NAME [--echo | --exec -- COMMAND ARGUMENT…]",
		Short: "Create a pipe and serve its clients",
		Long: `Create a pipe and serve its clients until Ctrl-C.

Without --echo and --exec, stdin and stdout are joined to one client after another. The pipe has one instance then:
while a client is served, others are told ERROR_PIPE_BUSY and wait. What comes from stdin goes to the current client
and waits while there is none; the client that gets the last of it sees the end. Clients that come after the end of
stdin are only received from.

--echo gives back each message, or the bytes, unchanged. --exec runs a process for each client with its stdin and stdout
joined to the pipe; ANYPIPE_NAME, ANYPIPE_PEER_PID and ANYPIPE_PEER_USER tell it who calls. Both serve many clients at
the same time.

` + framingHelp,
		Example: `  anypipe listen greet --echo --mode message
  anypipe listen date --exec --direction outbound -- date
  anypipe listen upload --once > file`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			command, err := f.command(cmd, args)
			if err != nil {
				return err
			}
			return a.listen(cmd.Context(), args[0], f, command)
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.echo, "echo", false, "give every client back what it sends")
	flags.BoolVar(&f.exec, "exec", false, "run the command behind -- for every client")
	flags.BoolVar(&f.once, "once", false, "serve one client, then exit")
	flags.BoolVar(&f.whole, "whole", false, "message type: all of stdin is one message, and received ones are written bare")
	flags.BoolVar(&f.json, "json", false, "write what happens and what is received as lines of JSON")
	return cmd
}

// command returns the command behind -- and checks what can't go together.
func (f *listenFlags) command(cmd *cobra.Command, args []string) ([]string, error) {
	command := args[1:]
	switch {
	case f.echo && f.exec:
		return nil, usagef("--echo and --exec exclude each other")
	case f.exec && len(command) == 0:
		return nil, usagef("--exec needs a command behind --, such as: anypipe listen %s --exec -- cat", args[0])
	case !f.exec && len(command) > 0:
		return nil, usagef("unexpected argument %q; a command needs --exec", command[0])
	case f.exec && cmd.ArgsLenAtDash() != 1:
		return nil, usagef("the command of --exec stands behind --")
	case f.echo && f.direction != anypipe.Duplex.String():
		return nil, usagef("--echo needs a duplex pipe")
	}
	return command, nil
}

// listen chooses what is done for a client and runs the server. Everything that can be wrong is checked before the
// pipe exists.
func (a *app) listen(ctx context.Context, name string, f *listenFlags, command []string) error {
	config, err := f.config()
	if err != nil {
		return err
	}
	n, err := anypipe.ParseName(name)
	if err != nil {
		return err
	}
	frame, err := framingFor(config.Type, f.whole)
	if err != nil {
		return err
	}
	limited, cancel := a.limited(ctx)
	defer cancel()
	s := &server{app: a, name: n, config: config, framing: frame}
	if f.json {
		s.records = newRecorder(s.stdout)
	}
	switch {
	case f.echo:
		s.serve = s.echo
	case f.exec:
		if s.command, err = exec.LookPath(command[0]); err != nil {
			return err
		}
		s.args = command
		s.serve = s.exec
	default:
		s.in = newInput(limited, frame, a.stdin)
		s.serve = s.joinStreams
	}
	err = s.run(limited, f)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // Ctrl-C is how a server ends
	}
	return err
}

// describe says in one line what is offered, for the log.
func (s *server) describe() string {
	words := []string{s.config.Type.String(), s.config.Direction.String()}
	if n := s.config.MaxInstances; n == 0 || n == anypipe.UnlimitedInstances {
		words = append(words, "unlimited instances")
	} else {
		words = append(words, fmt.Sprintf("%d instances at most", n))
	}
	return fmt.Sprintf("%s (%s; %s)", printable(s.name.String()), strings.Join(words, ", "), aclWords(s.config.Security.SDDL()))
}
