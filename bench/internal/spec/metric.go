package spec

// Metric is one figure of a workload.
type Metric struct {
	Name  string                // empty for a workload's main figure
	Unit  string                //
	Less  bool                  // less is better
	Value func(*Sample) float64 // in Unit
}

func rate(s *Sample) float64 { return float64(s.Count) / (float64(s.Elapsed) / 1e9) }

// Metrics lists what is reported of w; the first is the main figure.
func (w Work) Metrics() []Metric {
	switch w.Kind {
	case RoundTrip:
		return []Metric{
			{"", "µs mean", true, func(s *Sample) float64 { return s.Mean / 1e3 }},
			{"median", "µs p50", true, func(s *Sample) float64 { return s.P50 / 1e3 }},
			{"p99", "µs p99", true, func(s *Sample) float64 { return s.P99 / 1e3 }},
		}
	case OneWay:
		return []Metric{
			{"", "k msg/s", false, func(s *Sample) float64 { return rate(s) / 1e3 }},
			{"CPU", "µs CPU/msg", true, func(s *Sample) float64 { return float64(s.CPU) / float64(s.Count) / 1e3 }},
		}
	case Stream:
		size := float64(w.Size)
		return []Metric{{"", "GB/s", false, func(s *Sample) float64 { return rate(s) * size / 1e9 }}}
	case Paced:
		return []Metric{
			{"", "µs mean", true, func(s *Sample) float64 { return s.Mean / 1e3 }},
			{"CPU", "µs CPU/request", true, func(s *Sample) float64 { return float64(s.CPU) / float64(s.Count) / 1e3 }},
		}
	case Connect:
		return []Metric{{"", "k conn/s", false, func(s *Sample) float64 { return rate(s) / 1e3 }}}
	case Fresh, Idle:
		return []Metric{
			{"", "KB/conn", true, func(s *Sample) float64 { return s.Rest.Bytes() / 1e3 }},
			{"CPU", "% of a CPU", true, func(s *Sample) float64 { return s.Rest.Percent }},
			{"server", "KB server", true, func(s *Sample) float64 { return s.Rest.Server / 1e3 }},
			{"client", "KB client", true, func(s *Sample) float64 { return s.Rest.Client / 1e3 }},
			{"shared", "KB shared", true, func(s *Sample) float64 { return s.Rest.Shared / 1e3 }},
			{"kernel", "KB kernel", true, func(s *Sample) float64 { return s.Rest.Kernel / 1e3 }},
		}
	}
	return nil
}

// The contenders that others are measured against.
const (
	Subject  = "anypipe"
	Baseline = "unix"
	Limit    = "c-ring"
)

// Target is a figure that the subject has to reach.
type Target struct {
	Work    string  `json:"workload"`          // Work.Key
	Metric  string  `json:"metric,omitempty"`  // Metric.Name
	Against string  `json:"against,omitempty"` // a contender whose figure of the same run is the unit; empty: the figure itself
	AtMost  bool    `json:"atMost"`            // else at least
	Bound   float64 `json:"bound"`
	Aim     bool    `json:"aim,omitempty"` // wished for, not demanded
}

// Targets lists what this project set itself.
func Targets() []Target {
	return []Target{
		{"rtt-64", "", Baseline, true, 0.1, false},
		{"rtt-64", "", Limit, true, 1.6, false},
		{"rtt-64-one-cpu", "", Baseline, true, 0.7, false},
		{"rtt-64-neighbour", "", Baseline, true, 0.9, false},
		{"rtt-64-saturated", "", Baseline, true, 1.5, true},
		{"rtt-4k", "", Baseline, true, 0.2, false},
		{"oneway-64", "", Baseline, false, 15, false},
		{"oneway-1k", "", Baseline, false, 8, false},
		{"oneway-64k", "", Baseline, false, 2, false},
		{"stream-1m", "", Baseline, false, 1.3, false},
		{"paced-64", "", Baseline, true, 1, false},
		{"paced-64", "CPU", Baseline, true, 1, false},
		{"connect", "", Baseline, false, 0.7, false},
		{"connect", "", Baseline, false, 1, true},
		{"idle-fresh", "", "", true, 24, false},
		{"idle-fresh", "CPU", "", true, 0.5, false},
		{"idle-used", "", "", true, 24, true},
		{"idle-used", "CPU", "", true, 0.5, false},
	}
}
