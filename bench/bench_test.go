package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/report"
	"github.com/anypipe/anypipe/bench/internal/run"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// TestMain makes the test binary the peer processes too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == run.PeerFlag {
		exit(peer(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// newRunner measures next to nothing and checks every byte.
func newRunner(t *testing.T) *run.Runner {
	t.Helper()
	t.Setenv("GORACE", "atexit_sleep_ms=0") // else each process of a -race build rests for a second
	r := &run.Runner{Programs: t.TempDir(), Warm: time.Millisecond, Window: 5 * time.Millisecond, Rest: time.Millisecond, Conns: 20, Verify: true}
	if err := run.Compile(t.Context(), sources, r.Programs, contender.All()); err != nil {
		t.Fatal(err)
	}
	return r
}

// Every contender does every workload that makes sense for it: all messages arrive, in order, with all their bytes. That is
// checked by the processes themselves, which fail otherwise.
func TestEveryContenderDoesEveryWorkload(t *testing.T) {
	r := newRunner(t)
	for _, w := range spec.Works() {
		t.Run(w.Key, func(t *testing.T) {
			for _, c := range contender.All() {
				if c.Cannot[w.Kind] != "" {
					continue
				}
				if raceDetector && c.Races {
					t.Logf("%s has data races of its own: without -race it is tested", c.Name)
					continue
				}
				sample, err := r.Measure(t.Context(), c, w)
				if err != nil {
					t.Errorf("%s: %v", c.Name, err)
				} else if sample.Count <= 0 || sample.Elapsed <= 0 {
					t.Errorf("%s: %d in %d ns", c.Name, sample.Count, sample.Elapsed)
				}
			}
		})
	}
}

// A contender that fails is in the report with what its process said.
func TestAFailureIsReported(t *testing.T) {
	r := newRunner(t)
	w := spec.Work{Key: "nonsense", Title: "nonsense", Kind: "nonsense", Size: spec.MinSize}
	all := contender.All()
	results, err := r.Work(t.Context(), w, all, 2, func(string, int) {})
	if err != nil {
		t.Fatal(err)
	}
	rep := report.New(all, 2, r.Window)
	rep.Add(w, results)
	rep.Finish()
	var table bytes.Buffer
	if err := rep.Table(&table); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if !strings.Contains(table.String(), "FAILED "+c.Name+": round 1: ") {
			t.Errorf("%s is not in the table as failed:\n%s", c.Name, table.String())
		}
	}
	if n := strings.Count(table.String(), "unknown kind of work"); n != len(all) {
		t.Errorf("%d of %d failures say why:\n%s", n, len(all), table.String())
	}
}

func TestUnknownNamesAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-work", "rtt-63"}, {"-contenders", "pigeons"}, {"-rounds", "0"}, {"extra"}} {
		if err := bench(t.Context(), args); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}
