package main

import (
	"context"
	"errors"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
)

// benchFlags are the flags of bench.
type benchFlags struct {
	size    int
	time    time.Duration
	mode    string
	json    bool
	compare bool
	// noPolling is for both ends of the pipe.
	noPolling bool
}

// benchRounds is how many turns each measurement takes. What is compared takes turns, so that a busy moment of the
// machine meets both.
const benchRounds = 5

// bulkSize is the message size of the GB/s measurement.
const bulkSize = 64 << 10

// benchCommand declares bench; what it measures is in jobs, how in measure.
func (a *app) benchCommand() *cobra.Command {
	f := new(benchFlags)
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure pipes between two processes of this machine",
		Long: `Measure message-type pipes between this process and a child process.

rtt     a message of --size bytes goes to the child and comes back: time of the round trip
stream  messages go one way, of --size bytes and of 64 KiB: messages and bytes a second, counted by the receiver

--time is for each measurement. --compare measures the same over a Unix socket (length-prefixed frames, one write each) in
turns, and prints how many times better the pipe is.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := a.limited(cmd.Context())
			defer cancel()
			return a.bench(ctx, f)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&f.size, "size", 64, "bytes of a message")
	flags.DurationVar(&f.time, "time", 2*time.Second, "how long each measurement takes")
	flags.StringVar(&f.mode, "mode", "all", "rtt, stream or all")
	flags.BoolVar(&f.json, "json", false, "print one JSON object")
	flags.BoolVar(&f.compare, "compare", false, "measure a Unix socket too")
	flags.BoolVar(&f.noPolling, "no-polling", false, noPollingHelp)
	complete(cmd, "mode", "rtt", "stream", "all")
	return cmd
}

// check finds values that would measure nothing.
func (f *benchFlags) check() error {
	switch {
	case f.size < 1 || f.size > maxFrame:
		return usagef("--size is 1 to %d bytes, not %d", maxFrame, f.size)
	case f.time <= 0:
		return usagef("--time %v is not positive", f.time)
	case f.mode != "rtt" && f.mode != "stream" && f.mode != "all":
		return usagef("--mode is rtt, stream or all, not %q", f.mode)
	}
	return nil
}

// job is one measurement: what, and over which carrier.
type job struct {
	Mode      string `json:"mode"` // rtt or stream
	Transport string `json:"transport"`
	Size      int    `json:"size"`
}

// jobs lists the measurements; those to compare stand next to each other.
func (f *benchFlags) jobs() []job {
	transports := []string{transportPipe}
	if f.compare {
		transports = append(transports, transportUnix)
	}
	kinds := []job{}
	if f.mode != "stream" {
		kinds = append(kinds, job{Mode: "rtt", Size: f.size})
	}
	if f.mode != "rtt" {
		kinds = append(kinds, job{Mode: "stream", Size: f.size})
		if f.size != bulkSize {
			kinds = append(kinds, job{Mode: "stream", Size: bulkSize})
		}
	}
	var all []job
	for _, k := range kinds {
		for _, t := range transports {
			all = append(all, job{k.Mode, t, k.Size})
		}
	}
	return all
}

// bench opens each carrier once, with one child at its other end for all measurements, and closes what it opened
// whatever happens.
func (a *app) bench(ctx context.Context, f *benchFlags) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	jobs := f.jobs()
	lanes := map[string]*lane{}
	defer func() {
		for _, l := range lanes {
			err = errors.Join(err, bounded(ctx, l.close()))
		}
	}()
	for _, j := range jobs {
		if lanes[j.Transport] == nil {
			if lanes[j.Transport], err = a.openLane(ctx, j.Transport, f.noPolling); err != nil {
				return err
			}
		}
	}
	results := make([]*result, len(jobs))
	for i, j := range jobs {
		results[i] = &result{job: j}
	}
	if err := a.rounds(ctx, f, lanes, results); err != nil {
		return bounded(ctx, err)
	}
	return a.printBench(f, results)
}

// rounds runs every measurement in turns, kind after kind.
func (a *app) rounds(ctx context.Context, f *benchFlags, lanes map[string]*lane, results []*result) error {
	bar := a.progress(len(results) * benchRounds)
	defer bar.Exit()
	same := len(lanes) // results of one kind stand next to each other
	for kind := 0; kind < len(results); kind += same {
		for range benchRounds {
			for _, r := range results[kind : kind+same] {
				if err := r.measure(ctx, lanes[r.Transport].link, f.time/benchRounds); err != nil {
					return err
				}
				if err := bar.Add(1); err != nil {
					return err
				}
			}
		}
	}
	return bar.Finish()
}

// progress is a bar on a terminal and invisible elsewhere.
func (a *app) progress(steps int) *progressbar.ProgressBar {
	visible := !a.quiet && terminal(a.stderr) != nil
	return progressbar.NewOptions(steps, progressbar.OptionSetWriter(a.stderr), progressbar.OptionSetVisibility(visible),
		progressbar.OptionSetDescription("measuring"), progressbar.OptionClearOnFinish(), progressbar.OptionShowCount())
}
