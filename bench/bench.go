package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/host"
	"github.com/anypipe/anypipe/bench/internal/report"
	"github.com/anypipe/anypipe/bench/internal/run"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// filesPerConnection is generous: sockets, memory and bells of both directions.
const filesPerConnection = 8

// bench runs everything that was asked for and reports it.
func bench(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	works, err := choose(spec.Works(), o.work, func(w spec.Work) string { return w.Key })
	if err != nil {
		return err
	}
	contenders, err := choose(contender.All(), o.contenders, func(c contender.Contender) string { return c.Name })
	if err != nil {
		return err
	}
	if err := host.RaiseFileLimit(uint64(o.runner.Conns*filesPerConnection + 1024)); err != nil {
		return fmt.Errorf("open %d files: %w", o.runner.Conns*filesPerConnection, err)
	}
	if o.runner.Programs, err = os.MkdirTemp("", "anypipe-bench-programs-"); err != nil {
		return err
	}
	defer os.RemoveAll(o.runner.Programs)
	if o.runner.Profile != "" {
		if err := os.MkdirAll(o.runner.Profile, 0o755); err != nil {
			return err
		}
	}
	if err := run.Compile(ctx, sources, o.runner.Programs, contenders); err != nil {
		return err
	}
	rep := report.New(contenders, o.rounds, o.runner.Window)
	if err := measure(ctx, o, works, contenders, rep); err != nil {
		return err
	}
	rep.Finish()
	if err := rep.Table(os.Stdout); err != nil {
		return err
	}
	return rep.Write(o.out)
}

func measure(ctx context.Context, o *options, works []spec.Work, contenders []contender.Contender, rep *report.Report) error {
	steps := 0
	for _, w := range works {
		for _, c := range contenders {
			if c.Cannot[w.Kind] == "" {
				steps += o.rounds
			}
		}
	}
	line := newProgress(os.Stderr, steps)
	defer line.clear()
	for _, w := range works {
		results, err := o.runner.Work(ctx, w, contenders, o.rounds, func(name string, round int) {
			line.show(fmt.Sprintf("%s: %s, round %d of %d", w.Title, name, round, o.rounds))
		})
		if err != nil {
			return err
		}
		rep.Add(w, results)
	}
	return nil
}

// choose returns those of all that the comma-separated names list; all if it is empty.
func choose[T any](all []T, names string, name func(T) string) ([]T, error) {
	if names == "" {
		return all, nil
	}
	var chosen []T
	for n := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(t T) bool { return name(t) == n })
		if i < 0 {
			var known []string
			for _, t := range all {
				known = append(known, name(t))
			}
			return nil, fmt.Errorf("%q is none of %s", n, strings.Join(known, ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// progress is one line on a terminal, and one line a minute elsewhere.
type progress struct {
	out      *os.File
	terminal bool
	steps    int // done
	all      int
	shown    time.Time
}

func newProgress(out *os.File, all int) *progress {
	info, err := out.Stat()
	return &progress{out: out, all: all, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (p *progress) show(what string) {
	defer func() { p.steps++ }()
	switch {
	case p.terminal:
		fmt.Fprintf(p.out, "\r\033[K%3d %%  %s", 100*p.steps/p.all, what)
	case time.Since(p.shown) > time.Minute:
		fmt.Fprintf(p.out, "%3d %%  %s\n", 100*p.steps/p.all, what)
		p.shown = time.Now()
	}
}

func (p *progress) clear() {
	if p.terminal {
		fmt.Fprint(p.out, "\r\033[K")
	}
}
