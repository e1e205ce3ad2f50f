package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/anypipe/anypipe"
)

// lsCommand declares ls.
func (a *app) lsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "ls [PATTERN]",
		Aliases: []string{"list"},
		Short:   "List the live pipes",
		Long: `List the live pipes of this machine that you may see.

PATTERN is a glob with * and ?, in which upper and lower case are the same. A - stands for what the system does not tell:
Windows lists names, instances and limits, and tells the rest to who opens the pipe (anypipe info NAME --open).`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.limited(cmd.Context())
			defer cancel()
			all, err := anypipe.List(ctx)
			if err != nil {
				return err
			}
			matches := matcher(strings.Join(args, ""))
			pipes := []anypipe.PipeInfo{}
			for _, p := range all {
				if matches(p.Name) {
					pipes = append(pipes, p)
				}
			}
			if asJSON {
				return a.printPipesJSON(pipes)
			}
			return a.printPipes(pipes)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	return cmd
}

// pipeJSON is a pipe in the output of ls --json and info --json.
type pipeJSON struct {
	Name           string     `json:"name"`
	FullName       string     `json:"fullName"`
	Type           string     `json:"type"`
	Direction      string     `json:"direction"`
	Instances      int        `json:"instances"`
	MaxInstances   int        `json:"maxInstances"` // 255 is unlimited
	DefaultTimeout int64      `json:"defaultTimeoutMs"`
	Owner          string     `json:"owner"`
	OwnerUID       int        `json:"ownerUid"`
	SDDL           string     `json:"sddl"`
	Access         string     `json:"access"`
	Servers        []int      `json:"servers"`
	Socket         string     `json:"socket,omitempty"`
	Open           *quotaJSON `json:"open,omitempty"`
}

// newPipeJSON never makes a null of a list: programs that read it need not care.
func newPipeJSON(p anypipe.PipeInfo) pipeJSON {
	servers := p.Servers
	if servers == nil {
		servers = []int{}
	}
	typ, direction := traits(p)
	return pipeJSON{
		Name: p.Name, FullName: fullName(p), Type: typ, Direction: direction,
		Instances: p.Instances, MaxInstances: p.MaxInstances, DefaultTimeout: p.DefaultTimeout.Milliseconds(),
		Owner: p.Owner, OwnerUID: p.OwnerUID, SDDL: p.SDDL, Access: accessWords(p.SDDL), Servers: servers, Socket: p.Path,
	}
}

// told reports whether the system told more than name, instances and limit. Windows tells the rest only to who opens the pipe.
func told(p anypipe.PipeInfo) bool { return p.SDDL != "" }

// traits returns type and direction in words.
func traits(p anypipe.PipeInfo) (typ, direction string) {
	if !told(p) {
		return "-", "-"
	}
	return p.Type.String(), p.Direction.String()
}

// fullName is the name as Windows writes it.
func fullName(p anypipe.PipeInfo) string { return anypipe.Name{Server: ".", Pipe: p.Name}.String() }

// printPipesJSON writes an array also when there are no pipes.
func (a *app) printPipesJSON(pipes []anypipe.PipeInfo) error {
	list := []pipeJSON{}
	for _, p := range pipes {
		list = append(list, newPipeJSON(p))
	}
	return a.printJSON(list)
}

// printPipes writes the table. The header is coloured by line, as escapes inside cells would upset the columns.
func (a *app) printPipes(pipes []anypipe.PipeInfo) error {
	if len(pipes) == 0 {
		a.log.Print("no pipes")
		return nil
	}
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tTYPE\tDIRECTION\tINSTANCES\tOWNER\tPIDS\tWHO MAY OPEN IT")
	for _, p := range pipes {
		typ, direction := traits(p)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(p.Name), typ, direction, instances(p),
			printable(cmp.Or(p.Owner, "-")), pids(p.Servers), aclWords(p.SDDL))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	header, rows, _ := strings.Cut(text.String(), "\n")
	_, err := fmt.Fprintf(a.stdout, "%s\n%s", a.paint(a.stdout, bold, header), rows)
	return err
}

// instances is what is there now, and the limit.
func instances(p anypipe.PipeInfo) string {
	return strconv.Itoa(p.Instances) + "/" + limitWord(p.MaxInstances)
}

// limitWord spells out Windows' 255.
func limitWord(n int) string {
	if n == anypipe.UnlimitedInstances {
		return "unlimited"
	}
	return strconv.Itoa(n)
}

// pids lists the server processes; several may serve one name.
func pids(servers []int) string {
	words := make([]string, len(servers))
	for i, pid := range servers {
		words[i] = strconv.Itoa(pid)
	}
	return cmp.Or(strings.Join(words, ","), "-")
}

// milliseconds rounds a timeout to what Windows counts in.
func milliseconds(d time.Duration) string { return d.Round(time.Millisecond).String() }
