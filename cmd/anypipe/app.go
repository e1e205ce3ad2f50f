package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// app is one run of the command: its streams and what the flags of every command say.
type app struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	log    *log.Logger // talk, on stderr; silent with --quiet

	timeout time.Duration // --timeout; 0 is no limit
	quiet   bool          // --quiet
	color   string        // --color: auto, always, never
	running bool          // the arguments were understood; errors before that are usage errors
}

// run is the whole program. args are the arguments without the program's name; the result is the exit code. ctx ends
// with Ctrl-C.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: &output{stdout}, stderr: stderr, log: log.New(stderr, "anypipe: ", 0)}
	defer understandEscapes(terminal(stdout), terminal(stderr))()
	root := a.rootCommand()
	root.SetArgs(append([]string{}, args...)) // never nil, which cobra takes for os.Args
	root.SetIn(stdin)
	root.SetOut(a.stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	return a.report(ctx, cmd, err)
}

// rootCommand puts all commands together. There is no global command tree, so that tests can run several programs in
// one process.
func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "anypipe",
		Short: "Named pipes as Windows defines them, on every OS",
		Long: `Named pipes as Windows defines them, on every OS.

A NAME is x, //./pipe/x, \\.\pipe\x, npipe:////./pipe/x or pipe://./x; forward slashes always work, and shells
eat backslashes. Data goes to stdout, talk to stderr. A list of exit codes is in "anypipe help exit-codes".`,
		Example: `  anypipe demo                                    a tour that explains itself
  anypipe listen greet --echo --mode message &    a server
  anypipe call greet hello                        prints hello
  anypipe ls`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.start() },
	}
	flags := root.PersistentFlags()
	flags.DurationVar(&a.timeout, "timeout", 0, "give up after this long, such as 500ms or 1m (exit code 5); 0 is never")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "no talk on stderr but errors")
	flags.StringVar(&a.color, "color", "auto", "colour: auto (on terminals, unless NO_COLOR is set), always, never")
	complete(root, "color", "auto", "always", "never")
	root.AddCommand(a.lsCommand(), a.infoCommand(), a.listenCommand(), a.connectCommand(), a.sendCommand(),
		a.callCommand(), a.waitCommand(), a.relayCommand(), a.benchCommand(), a.benchPeerCommand(), a.demoCommand(), a.demoClientCommand(),
		a.manCommand(), a.versionCommand(), exitCodesTopic())
	return root
}

// start runs when cobra has understood the arguments, before the command itself.
func (a *app) start() error {
	switch a.color {
	case "auto", "always", "never":
	default:
		return usagef("--color is auto, always or never, not %q", a.color)
	}
	if a.timeout < 0 {
		return usagef("--timeout %v is negative", a.timeout)
	}
	if a.quiet {
		a.log.SetOutput(io.Discard)
	}
	a.running = true
	return nil
}

// limited is ctx with --timeout.
func (a *app) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, a.timeout, &timeoutError{a.timeout})
}

// report writes what went wrong, with the next step where there is one, and returns the exit code.
func (a *app) report(ctx context.Context, cmd *cobra.Command, err error) int {
	if err == nil || isBrokenOutput(err) {
		return exitOK
	}
	if ctx.Err() != nil && !a.isUsage(err) {
		fmt.Fprintln(a.stderr, "anypipe: interrupted")
		return exitOther
	}
	if !a.running {
		err = &usageError{err}
	}
	var late *timeoutError
	if errors.As(err, &late) { // what failed because of it, and how often, says no more
		err = late
	}
	fmt.Fprintf(a.stderr, "%s %v\n", a.paint(a.stderr, red, "anypipe:"), err)
	if next := hint(err, cmd.CommandPath()); next != "" {
		fmt.Fprintf(a.stderr, "anypipe: hint: %s\n", next)
	}
	return exitCode(err)
}

// terminal returns the file behind a stream if it is a terminal, else nil.
func terminal(stream any) *os.File {
	if o, ok := stream.(*output); ok {
		stream = o.w
	}
	if f, ok := stream.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}
