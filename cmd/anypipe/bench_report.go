package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// measured is a result in the output of bench --json.
type measured struct {
	job
	Trips     int64   `json:"roundTrips,omitempty"`
	P50       int64   `json:"p50Ns,omitempty"`
	P99       int64   `json:"p99Ns,omitempty"`
	P999      int64   `json:"p999Ns,omitempty"`
	Mean      int64   `json:"meanNs,omitempty"`
	PerSecond float64 `json:"messagesPerSecond,omitempty"`
	GBPerSec  float64 `json:"gigabytesPerSecond,omitempty"`
}

// ratio says how many times better the pipe is than the Unix socket.
type ratio struct {
	Mode  string  `json:"mode"`
	Size  int     `json:"size"`
	What  string  `json:"what"`
	Times float64 `json:"pipeIsTimesBetter"`
}

// benchReport is the whole output of bench --json.
type benchReport struct {
	Results []measured `json:"results"`
	Ratios  []ratio    `json:"ratios,omitempty"`
}

// measured turns counts into what people compare.
func (r *result) measured() measured {
	m := measured{job: r.job}
	if r.Mode == "rtt" {
		m.Trips = r.times.count
		m.P50, m.P99 = r.times.quantile(.5).Nanoseconds(), r.times.quantile(.99).Nanoseconds()
		m.P999, m.Mean = r.times.quantile(.999).Nanoseconds(), r.times.mean().Nanoseconds()
		return m
	}
	m.PerSecond = float64(r.messages) / r.elapsed.Seconds()
	m.GBPerSec = m.PerSecond * float64(r.Size) / 1e9
	return m
}

// report adds the ratios: a pipe and the Unix socket that follows it in the list were measured in turns.
func report(results []*result) benchReport {
	var rep benchReport
	for _, r := range results {
		rep.Results = append(rep.Results, r.measured())
	}
	for i := 1; i < len(rep.Results); i++ {
		pipe, other := rep.Results[i-1], rep.Results[i]
		if pipe.Transport != transportPipe || other.Transport != transportUnix {
			continue
		}
		add := func(what string, times float64) {
			rep.Ratios = append(rep.Ratios, ratio{pipe.Mode, pipe.Size, what, times})
		}
		if pipe.Mode == "rtt" {
			add("p50", quotient(other.P50, pipe.P50))
			add("p99", quotient(other.P99, pipe.P99))
			add("mean", quotient(other.Mean, pipe.Mean))
		} else {
			add("messages/s", pipe.PerSecond/other.PerSecond)
		}
	}
	return rep
}

// quotient avoids the division by zero that a clock too coarse for one round trip would give.
func quotient(a, b int64) float64 { return float64(a) / float64(max(b, 1)) }

// printBench writes the report as a table, or as JSON.
func (a *app) printBench(f *benchFlags, results []*result) error {
	rep := report(results)
	if f.json {
		return a.printJSON(rep)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, m := range rep.Results {
		printMeasured(w, m)
	}
	for _, r := range rep.Ratios {
		fmt.Fprintf(w, "%s\t%d B\tpipe : unix\t%s\t%.1f times better\n", r.Mode, r.Size, r.What, r.Times)
	}
	return w.Flush()
}

// printMeasured writes one line; times carry their unit, as ns and µs are easily mixed up.
func printMeasured(w io.Writer, m measured) {
	ns := func(n int64) time.Duration { return time.Duration(n) }
	if m.Mode == "rtt" {
		fmt.Fprintf(w, "rtt\t%d B\t%s\tp50 %v\tp99 %v\tp99.9 %v\tmean %v\n", m.Size, m.Transport, ns(m.P50), ns(m.P99), ns(m.P999), ns(m.Mean))
		return
	}
	fmt.Fprintf(w, "stream\t%d B\t%s\t%.0f messages/s\t%.3f GB/s\n", m.Size, m.Transport, m.PerSecond, m.GBPerSec)
}
