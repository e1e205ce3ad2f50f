// Package report turns results into a table, JSON and a chart.
package report

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/host"
	"github.com/anypipe/anypipe/bench/internal/run"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// Report is a whole run.
type Report struct {
	Time       time.Time         `json:"time"`
	Machine    host.Machine      `json:"machine"`
	LoadAfter  string            `json:"loadAfter"`
	Rounds     int               `json:"rounds"`
	Window     string            `json:"window"`
	Contenders map[string]string `json:"contenders"` // name and what it is
	Works      []Section         `json:"workloads"`
	Targets    []Verdict         `json:"targets"`
}

// Section is one workload.
type Section struct {
	spec.Work
	Results []run.Result `json:"results"`
}

// Verdict is a target and what was reached. Measured is false if a figure for it is missing.
type Verdict struct {
	spec.Target
	Reached  float64 `json:"reached"`
	Measured bool    `json:"measured"`
	Met      bool    `json:"met"`
}

// New begins a report.
func New(contenders []contender.Contender, rounds int, window time.Duration) *Report {
	r := &Report{Time: time.Now().UTC().Truncate(time.Second), Machine: host.Describe(), Rounds: rounds, Window: window.String(), Contenders: map[string]string{}}
	for _, c := range contenders {
		r.Contenders[c.Name] = c.About
	}
	return r
}

// Add adds a workload.
func (r *Report) Add(w spec.Work, results []run.Result) {
	r.Works = append(r.Works, Section{w, results})
}

// Finish judges the targets whose workloads were run.
func (r *Report) Finish() {
	r.LoadAfter = host.Load()
	for _, t := range spec.Targets() {
		for i := range r.Works {
			if r.Works[i].Key == t.Work {
				r.Targets = append(r.Targets, judge(&r.Works[i], t))
			}
		}
	}
}

// value returns a contender's figure.
func (s *Section) value(name string, m spec.Metric) (run.Value, bool) {
	for i := range s.Results {
		if s.Results[i].Contender == name {
			return s.Results[i].Value(m)
		}
	}
	return run.Value{}, false
}

// ratio returns what of a contender's figure is in units of another's.
func (s *Section) ratio(name, unit string, m spec.Metric) (float64, bool) {
	v, ok := s.value(name, m)
	u, has := s.value(unit, m)
	if !ok || !has || u.Median == 0 {
		return 0, false
	}
	return v.Median / u.Median, true
}

func judge(s *Section, t spec.Target) Verdict {
	v := Verdict{Target: t}
	for _, m := range s.Metrics() {
		if m.Name != t.Metric {
			continue
		}
		if t.Against != "" {
			v.Reached, v.Measured = s.ratio(spec.Subject, t.Against, m)
		} else if own, ok := s.value(spec.Subject, m); ok {
			v.Reached, v.Measured = own.Median, true
		}
	}
	v.Met = v.Measured && (t.AtMost && v.Reached <= t.Bound || !t.AtMost && v.Reached >= t.Bound)
	return v
}

// Write writes results.json, with every sample, and chart.svg.
func (r *Report) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "results.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "chart.svg"))
	if err != nil {
		return err
	}
	return errors.Join(r.Chart(f), f.Close())
}
