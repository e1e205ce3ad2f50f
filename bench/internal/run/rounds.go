package run

import (
	"context"
	"fmt"
	"slices"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// Result is what one contender did in one workload: samples of its rounds, or why there are none.
type Result struct {
	Contender string        `json:"contender"`
	Samples   []spec.Sample `json:"samples,omitempty"`
	Error     string        `json:"error,omitempty"`  // it failed in a round
	Cannot    string        `json:"cannot,omitempty"` // the workload makes no sense for it
	Conns     int           `json:"conns,omitempty"`  // resting connections, if fewer than the others have
}

// Value is the median of the rounds, with the least and the greatest.
type Value struct{ Median, Min, Max float64 }

// Value computes a metric; ok is false if there is none.
func (r *Result) Value(m spec.Metric) (v Value, ok bool) {
	if len(r.Samples) == 0 {
		return v, false
	}
	var all []float64
	for i := range r.Samples {
		all = append(all, m.Value(&r.Samples[i]))
	}
	slices.Sort(all)
	v = Value{Min: all[0], Max: all[len(all)-1], Median: all[len(all)/2]}
	if len(all)%2 == 0 {
		v.Median = (all[len(all)/2-1] + all[len(all)/2]) / 2
	}
	return v, true
}

// retries is how often a measurement is repeated that others disturbed.
const retries = 2

// Work measures all contenders in turns: A B C … A B C …. told is called before each measurement. The error is ctx's.
func (r *Runner) Work(ctx context.Context, w spec.Work, contenders []contender.Contender, rounds int, told func(name string, round int)) ([]Result, error) {
	results := make([]Result, len(contenders))
	for i, c := range contenders {
		results[i] = Result{Contender: c.Name, Cannot: c.Cannot[w.Kind]}
		if w.Kind.Rests() && c.Conns > 0 && c.Conns < r.Conns {
			results[i].Conns = c.Conns
		}
	}
	for round := range rounds {
		for i, c := range contenders {
			result := &results[i]
			if result.Cannot != "" || result.Error != "" {
				continue
			}
			told(c.Name, round+1)
			sample, err := r.calm(ctx, c, w)
			if ctx.Err() != nil {
				return results, context.Cause(ctx)
			}
			if err != nil {
				result.Error = fmt.Sprintf("round %d: %v", round+1, err)
				continue
			}
			result.Samples = append(result.Samples, sample)
		}
	}
	return results, nil
}

// calm repeats a measurement that others disturbed and keeps the least disturbed one. The result plays no part in it.
func (r *Runner) calm(ctx context.Context, c contender.Contender, w spec.Work) (best spec.Sample, err error) {
	for try := range 1 + retries {
		sample, err := r.Measure(ctx, c, w)
		if err != nil {
			return best, err
		}
		if try == 0 || sample.Foreign < best.Foreign {
			best = sample
		}
		if r.Foreign <= 0 || best.Foreign <= r.Foreign || w.Kind.Rests() { // memory does not mind
			break
		}
	}
	return best, nil
}
