package work

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/host"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// The lines of an idle client: it prints one and goes on when it has read one.
const (
	Before = "before" // no connection yet
	After  = "after"  // all are there and have been used once
)

// Measure is the client process: it measures and prints the sample.
func Measure(c contender.Contender, s *spec.Spec, in io.Reader, out io.Writer) error {
	var sample spec.Sample
	var err error
	switch s.Kind {
	case spec.RoundTrip:
		sample, err = withLink(c, s, roundTrips)
	case spec.Paced:
		sample, err = withLink(c, s, paced)
	case spec.OneWay, spec.Stream:
		sample, err = withLink(c, s, oneWay)
	case spec.Connect:
		sample, err = connects(c, s)
	case spec.Fresh, spec.Idle:
		sample, err = rest(c, s, in, out)
	default:
		err = fmt.Errorf("unknown kind of work %q", s.Kind)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(sample)
}

// withLink measures over one connection.
func withLink(c contender.Contender, s *spec.Spec, measure func(contender.Link, *spec.Spec) (spec.Sample, error)) (spec.Sample, error) {
	l, err := c.Dial(s)
	if err != nil {
		return spec.Sample{}, fmt.Errorf("dial: %w", err)
	}
	sample, err := measure(l, s)
	return sample, errors.Join(err, l.Close())
}

// cpuMeter measures the CPU time of both processes.
type cpuMeter struct {
	peer  int
	start int64
}

func newCPUMeter(s *spec.Spec) (m cpuMeter, err error) {
	m.peer = s.PeerPID
	m.start, err = m.sum()
	return m, err
}

func (m cpuMeter) sum() (int64, error) {
	own, err := host.CPUTime(os.Getpid())
	if err != nil {
		return 0, err
	}
	peer, err := host.CPUTime(m.peer)
	return own + peer, err
}

func (m cpuMeter) used() (int64, error) {
	now, err := m.sum()
	return now - m.start, err
}
