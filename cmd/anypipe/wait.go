package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/anypipe/anypipe"
)

// waitCommand declares wait.
func (a *app) waitCommand() *cobra.Command {
	var exist, byDefault bool
	cmd := &cobra.Command{
		Use:   "wait NAME",
		Short: "Wait until an instance is free",
		Long: `Wait until an instance of the pipe is free: WaitNamedPipe. It reserves nothing. If there is no such pipe it fails at
once (exit code 3); --exist waits for the pipe to appear too, by looking again and again with short pauses. Exit code
5 tells that --timeout passed.`,
		Example:           `  anypipe wait greet --exist --timeout 10s && anypipe call greet hello`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			timeout := anypipe.WaitForever
			switch {
			case byDefault && a.timeout > 0:
				return usagef("--timeout and --default exclude each other")
			case byDefault:
				timeout = anypipe.UseDefaultWait
			case a.timeout > 0:
				timeout = a.timeout
			}
			if exist {
				return a.waitExist(cmd.Context(), args[0], timeout)
			}
			return anypipe.Wait(cmd.Context(), args[0], timeout)
		},
	}
	cmd.Flags().BoolVar(&exist, "exist", false, "wait until the pipe exists, too")
	cmd.Flags().BoolVar(&byDefault, "default", false, "wait as long as the pipe's creator chose (NMPWAIT_USE_DEFAULT_WAIT)")
	return cmd
}

// waitExist is Wait that takes "not found" for "not yet". Only the waiting for an instance is counted by Wait itself, so
// --timeout bounds the whole here.
func (a *app) waitExist(ctx context.Context, name string, timeout time.Duration) error {
	limited, cancel := a.limited(ctx)
	defer cancel()
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	for {
		err := anypipe.Wait(limited, name, timeout)
		if !errors.Is(err, anypipe.ErrNotExist) {
			return bounded(limited, err)
		}
		select {
		case <-pause.C:
		case <-limited.Done():
			return context.Cause(limited)
		}
	}
}
