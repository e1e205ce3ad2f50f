// Bench measures this project's pipes side by side with other ways to carry messages between two processes of one Linux
// machine.
//
//	go run . [-rounds N] [-quick] [-work LIST] [-contenders LIST] [-out DIR]
//
// Each measurement is two fresh processes. The contenders of a workload take turns, and each figure is the median of the
// rounds. It prints a table and writes results.json and chart.svg. The C programs in c/ are compiled with gcc.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/anypipe/anypipe/bench/internal/run"
)

//go:embed c
var sources embed.FS

func main() {
	if len(os.Args) > 1 && os.Args[1] == run.PeerFlag {
		exit(peer(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := bench(ctx, os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		err = nil
	}
	exit(err)
}

func exit(err error) {
	if err == nil {
		os.Exit(0)
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}

// options are the flags.
type options struct {
	rounds     int
	quick      bool
	work       string
	contenders string
	out        string
	runner     run.Runner
}

func parse(args []string) (*options, error) {
	o := new(options)
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 5, "how many turns each contender has; figures are medians")
	f.BoolVar(&o.quick, "quick", false, "one short round: to see that all works, not to learn figures")
	f.StringVar(&o.work, "work", "", "workloads, separated by commas; all if empty")
	f.StringVar(&o.contenders, "contenders", "", "contenders, separated by commas; all if empty")
	f.StringVar(&o.out, "out", "results", "folder for results.json and chart.svg")
	f.DurationVar(&o.runner.Warm, "warm", 100*time.Millisecond, "time before the window of a measurement")
	f.DurationVar(&o.runner.Window, "window", 400*time.Millisecond, "how long a measurement lasts")
	f.DurationVar(&o.runner.Rest, "rest", 2*time.Second, "how long resting connections are watched")
	f.IntVar(&o.runner.Conns, "conns", 10_000, "resting connections")
	f.Float64Var(&o.runner.Foreign, "foreign", 0.25, "repeat a measurement up to twice if others used more CPUs than this meanwhile; 0: never")
	f.StringVar(&o.runner.Profile, "profile", "", "folder for CPU profiles of the Go processes; costs some time")
	f.BoolVar(&o.runner.Verify, "verify", false, "checksum every byte; makes the figures worthless")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if o.quick {
		o.rounds, o.runner.Foreign = 1, 0
		o.runner.Warm, o.runner.Window, o.runner.Rest, o.runner.Conns = 5*time.Millisecond, 50*time.Millisecond, 200*time.Millisecond, 200
	}
	if o.rounds < 1 || f.NArg() > 0 {
		return nil, errors.New("bench takes flags only, and -rounds of at least 1; see -help")
	}
	return o, nil
}
