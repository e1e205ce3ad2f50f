package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/anypipe/anypipe"
)

// infoCommand declares info.
func (a *app) infoCommand() *cobra.Command {
	var asJSON, open bool
	cmd := &cobra.Command{
		Use:   "info NAME",
		Short: "Show one pipe in full",
		Long: `Show one pipe in full: type, instances, security descriptor, server processes, and the Unix socket for programs
that know only those.

Looking does not disturb the pipe. The buffer sizes (quotas) belong to each instance and only a client can ask for them:
--open becomes one for a moment, which the server notices; if every instance is taken it fails (exit code 4).`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.limited(cmd.Context())
			defer cancel()
			p, err := find(ctx, args[0])
			if err != nil {
				return err
			}
			doc := newPipeJSON(p)
			if open {
				if doc.Open, err = askAsClient(ctx, args[0], p); err != nil {
					return err
				}
			}
			if asJSON {
				return a.printJSON(doc)
			}
			return a.printInfo(p, doc)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&open, "open", false, "open the pipe to ask for its buffer sizes and its server process")
	return cmd
}

// quotaJSON is what only a client can ask.
type quotaJSON struct {
	InBuffer  int    `json:"inBuffer"`
	OutBuffer int    `json:"outBuffer"`
	PID       int    `json:"serverPid"`
	User      string `json:"serverUser"`
}

// askAsClient opens the pipe, asks, and closes it.
func askAsClient(ctx context.Context, name string, p anypipe.PipeInfo) (*quotaJSON, error) {
	c, err := dialReading(ctx, &anypipe.Dialer{Access: accessFor(p.Direction), NoBusyWait: true}, name)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	info, err := c.Info()
	if err != nil {
		return nil, err
	}
	peer, err := c.Peer()
	if err != nil {
		return nil, err
	}
	return &quotaJSON{info.InQuota, info.OutQuota, peer.PID, peer.User}, nil
}

// dialReading dials; if a pipe for reading does not let the client choose a read mode (EveryoneRead), it reads all the same.
func dialReading(ctx context.Context, d *anypipe.Dialer, name string) (*anypipe.Conn, error) {
	c, err := d.Dial(ctx, name)
	if errors.Is(err, anypipe.ErrAccessDenied) && d.Access == accessFor(anypipe.Outbound) {
		reader := *d
		reader.Access = anypipe.GenericRead
		return reader.Dial(ctx, name)
	}
	return c, err
}

// accessFor is what a client may ask of a pipe of this direction.
func accessFor(d anypipe.Direction) anypipe.Access {
	switch d {
	case anypipe.Inbound:
		return anypipe.GenericWrite | anypipe.ReadAttributes
	case anypipe.Outbound:
		return anypipe.GenericRead | anypipe.WriteAttributes
	}
	return anypipe.GenericRead | anypipe.GenericWrite
}

// printInfo writes one property a line. What others chose (names, users, paths) is made safe for a terminal.
func (a *app) printInfo(p anypipe.PipeInfo, doc pipeJSON) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	row := func(key string, value any) { fmt.Fprintf(w, "%s\t%v\n", key, value) }
	row("name", printable(doc.FullName))
	if told(p) {
		row("type", p.Type)
		row("direction", directionWords(p.Direction))
	}
	row("instances", fmt.Sprintf("%d of %s", p.Instances, limitWord(p.MaxInstances)))
	if !told(p) {
		row("", "Windows tells the rest only to who opens the pipe")
		printQuotas(w, doc.Open)
		return w.Flush()
	}
	row("default timeout", milliseconds(p.DefaultTimeout))
	row("owner", printable(p.Owner))
	row("server pids", pids(p.Servers))
	row("who may open it", oneLine(doc.Access))
	row("SDDL", printable(p.SDDL))
	printQuotas(w, doc.Open)
	if p.Path != "" {
		row("Unix socket", printable(p.Path))
		row("", "for .NET: new NamedPipeClientStream(\".\", name); for Node, Python, socat: the path")
	}
	return w.Flush()
}

// printQuotas writes what only a client can ask, or how to ask.
func printQuotas(w io.Writer, open *quotaJSON) {
	if open == nil {
		fmt.Fprint(w, "buffers\task with --open\n")
		return
	}
	fmt.Fprintf(w, "buffers\tin %d B, out %d B\n", open.InBuffer, open.OutBuffer)
	fmt.Fprintf(w, "server\tpid %d, user %s\n", open.PID, printable(open.User))
}

// directionWords says who writes, as the direction's name is easily taken for the client's view.
func directionWords(d anypipe.Direction) string {
	switch d {
	case anypipe.Inbound:
		return "inbound (clients write)"
	case anypipe.Outbound:
		return "outbound (clients read)"
	}
	return "duplex (both ways)"
}
