package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/run"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// sample takes the given time for a round trip.
func sample(mean float64) spec.Sample {
	return spec.Sample{Count: 1, Elapsed: int64(mean), Mean: mean, P50: mean, P99: mean}
}

// made is a report of one workload in which the subject took 2, 1 and 6 µs, the baseline always 10.
func made() *Report {
	w := spec.Works()[0]
	r := New(contender.All(), 3, time.Second)
	r.Add(w, []run.Result{
		{Contender: spec.Subject, Samples: []spec.Sample{sample(2000), sample(1000), sample(6000)}},
		{Contender: spec.Baseline, Samples: []spec.Sample{sample(10000), sample(10000), sample(10000)}},
		{Contender: "tcp", Error: "round 1: <it> broke"},
		{Contender: "fifo", Cannot: "no & never"},
	})
	r.Finish()
	return r
}

func TestTargetsAreJudgedByMedians(t *testing.T) {
	r := made()
	if len(r.Targets) != 2 {
		t.Fatalf("%d targets, rtt-64 has 2", len(r.Targets))
	}
	if v := r.Targets[0]; !v.Measured || v.Reached != 0.2 || v.Met {
		t.Errorf("against %s: %+v, want 0.2 not met", v.Against, v)
	}
	if v := r.Targets[1]; v.Measured || v.Met {
		t.Errorf("against %s, which was not measured: %+v", v.Against, v)
	}
}

func TestEveryTargetHasItsFigure(t *testing.T) {
	for _, target := range spec.Targets() {
		found := false
		for _, w := range spec.Works() {
			for _, m := range w.Metrics() {
				found = found || w.Key == target.Work && m.Name == target.Metric
			}
		}
		if !found {
			t.Errorf("no workload gives %+v", target)
		}
	}
}

func TestTheTableHidesNothing(t *testing.T) {
	var out bytes.Buffer
	if err := made().Table(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2.00", "1.00–6.00", "FAILED tcp: round 1: <it> broke", "not applicable to fifo: no & never", "NOT MET", "not measured"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestTheChartIsXML(t *testing.T) {
	var out bytes.Buffer
	if err := made().Chart(&out); err != nil {
		t.Fatal(err)
	}
	names := 0
	for d := xml.NewDecoder(&out); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok && (string(text) == spec.Subject || string(text) == "failed" || string(text) == "not applicable") {
			names++
		}
	}
	if names != 3 {
		t.Errorf("%d of 3 bars found", names)
	}
}
