package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/anypipe/anypipe/bench/internal/run"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// Table prints everything for people.
func (r *Report) Table(out io.Writer) error {
	m := r.Machine
	fmt.Fprintf(out, "%s, %d CPUs, %.0f GiB, %s, %s; load %s before, %s after\n", m.CPU, m.CPUs, float64(m.Memory)/(1<<30), m.Kernel, m.Go, m.Load, r.LoadAfter)
	fmt.Fprintf(out, "%d rounds of %s, taking turns; medians; foreign: CPUs that others used, median over the rounds\n", r.Rounds, r.Window)
	for i := range r.Works {
		if err := r.Works[i].table(out); err != nil {
			return err
		}
	}
	return r.verdicts(out)
}

func (s *Section) table(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\n%s\t", strings.ToUpper(s.Title[:1])+s.Title[1:])
	metrics := s.Metrics()
	for i, m := range metrics {
		fmt.Fprintf(t, "%s\t", m.Unit)
		if i == 0 {
			fmt.Fprintf(t, "min–max\t× %s\t× %s\t", spec.Baseline, spec.Limit)
		}
	}
	fmt.Fprintln(t, "foreign\t")
	for i := range s.Results {
		s.row(t, &s.Results[i], metrics)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return s.notes(out)
}

func (s *Section) row(t io.Writer, r *run.Result, metrics []spec.Metric) {
	fmt.Fprintf(t, "%s\t", r.Contender)
	for i, m := range metrics {
		v, ok := r.Value(m)
		if !ok { // every row has all cells, else the columns fall apart
			fmt.Fprintln(t, strings.Repeat("–\t", len(metrics)+4))
			return
		}
		fmt.Fprintf(t, "%s\t", number(v.Median))
		if i > 0 {
			continue
		}
		fmt.Fprintf(t, "%s–%s\t", number(v.Min), number(v.Max))
		for _, unit := range []string{spec.Baseline, spec.Limit} {
			text := "–"
			if ratio, ok := s.ratio(r.Contender, unit, m); ok {
				text = number(ratio)
			}
			fmt.Fprintf(t, "%s\t", text)
		}
	}
	disturbed, _ := r.Value(spec.Metric{Value: func(s *spec.Sample) float64 { return s.Foreign }})
	fmt.Fprintf(t, "%.2f\t\n", disturbed.Median)
}

// notes says why figures are missing or not alike.
func (s *Section) notes(out io.Writer) error {
	for _, r := range s.Results {
		var err error
		switch {
		case r.Error != "":
			_, err = fmt.Fprintf(out, "  FAILED %s: %s\n", r.Contender, strings.ReplaceAll(r.Error, "\n", "; "))
		case r.Cannot != "":
			_, err = fmt.Fprintf(out, "  not applicable to %s: %s\n", r.Contender, r.Cannot)
		case r.Conns > 0:
			_, err = fmt.Fprintf(out, "  %s: %d connections only\n", r.Contender, r.Conns)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Report) verdicts(out io.Writer) error {
	if len(r.Targets) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\nTargets of %s\tfigure\treached\ttarget\t\n", spec.Subject)
	for _, v := range r.Targets {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", v.Work, v.figure(), v.reached(), v.demand(), v.word())
	}
	return t.Flush()
}

func (v *Verdict) figure() string {
	name := v.Metric
	if name == "" {
		name = "main"
	}
	if v.Against != "" {
		name += " × " + v.Against
	}
	return name
}

func (v *Verdict) reached() string {
	if !v.Measured {
		return "–"
	}
	return number(v.Reached)
}

func (v *Verdict) demand() string {
	sign := "at least"
	if v.AtMost {
		sign = "at most"
	}
	return sign + " " + number(v.Bound)
}

func (v *Verdict) word() string {
	word := "met"
	switch {
	case !v.Measured:
		word = "not measured"
	case !v.Met:
		word = "NOT MET"
	}
	if v.Aim {
		word += " (aim)"
	}
	return word
}

// number prints three digits.
func number(v float64) string {
	switch {
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1 || v == 0:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
