package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/user"
	"strings"
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
--open becomes one for a moment, which the server notices; if every instance is taken it fails (exit code 4).

Windows lists names, instances and limits only. There --open tells the rest too: type, direction, owner, and in words
who may open the pipe.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.limited(cmd.Context())
			defer cancel()
			p, err := find(ctx, args[0])
			if open && errors.Is(err, anypipe.ErrNotSupported) {
				p, err = unlisted(args[0])
			}
			if err != nil {
				return err
			}
			var asked *quotaJSON
			if open {
				if asked, err = a.askAsClient(ctx, args[0], &p); err != nil {
					return err
				}
			}
			doc := newPipeJSON(p)
			doc.Open = asked
			if asJSON {
				return a.printJSON(doc)
			}
			return a.printInfo(p, doc)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&open, "open", false, "open the pipe for a moment, which takes an instance, and ask what only a client can")
	return cmd
}

// quotaJSON is what only a client can ask.
type quotaJSON struct {
	InBuffer  int    `json:"inBuffer"`
	OutBuffer int    `json:"outBuffer"`
	PID       int    `json:"serverPid"`
	User      string `json:"serverUser"`
}

// unlisted is what is known of a pipe on a system that lists none (Wine 8), or of one of another machine.
func unlisted(name string) (anypipe.PipeInfo, error) {
	n, err := anypipe.ParseName(name)
	return anypipe.PipeInfo{Name: n.Pipe, OwnerUID: -1}, err
}

// askAsClient opens the pipe, asks, and closes it. What the listing did not tell is put into p.
func (a *app) askAsClient(ctx context.Context, name string, p *anypipe.PipeInfo) (*quotaJSON, error) {
	access := accessFor(p.Direction)
	if !told(*p) { // of which the direction is not known; no data is wanted
		a.log.Printf("opening %s takes one of its instances for a moment", printable(name))
		access = anypipe.ReadControl | anypipe.ReadAttributes
	}
	c, err := dialReading(ctx, &anypipe.Dialer{Access: access, NoBusyWait: true}, name)
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
	if !told(*p) {
		sec, err := c.Security()
		if err != nil {
			return nil, err
		}
		p.Type, p.Direction, p.Instances, p.MaxInstances = info.Type, info.Direction, info.Instances, info.MaxInstances
		p.SDDL, p.Owner, p.Servers = sec.SDDL(), ownerWord(sec), []int{peer.PID}
	}
	return &quotaJSON{info.InQuota, info.OutQuota, peer.PID, peer.User}, nil
}

// ownerWord is the owner's user name, or the SID if it has none.
func ownerWord(sec *anypipe.Security) string {
	owner, _, _ := strings.Cut(strings.TrimPrefix(sec.SDDL(), "O:"), "G:")
	if u, err := user.LookupId(owner); err == nil {
		return u.Username
	}
	return owner
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
		row("", "Windows tells the rest only to who opens the pipe: --open, which takes an instance for a moment")
		printQuotas(w, doc.Open)
		return w.Flush()
	}
	if p.DefaultTimeout > 0 { // not so where only opening told
		row("default timeout", milliseconds(p.DefaultTimeout))
	}
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
