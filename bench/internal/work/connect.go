package work

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// connects counts how often it can connect, echo once and close.
func connects(c contender.Contender, s *spec.Spec) (spec.Sample, error) {
	w, buf := newWriter(s), make([]byte, s.Size)
	loop := func(length time.Duration) (n int64, elapsed time.Duration, err error) {
		for begin := time.Now(); n == 0 || elapsed < length; n++ {
			if err := connect(c, s, w, buf); err != nil {
				return n, elapsed, fmt.Errorf("connection %d: %w", n+1, err)
			}
			elapsed = time.Since(begin)
		}
		return n, elapsed, nil
	}
	if _, _, err := loop(s.Warm); err != nil {
		return spec.Sample{}, err
	}
	cpu, err := newCPUMeter(s)
	if err != nil {
		return spec.Sample{}, err
	}
	n, elapsed, err := loop(s.Window)
	if err != nil {
		return spec.Sample{}, err
	}
	used, err := cpu.used()
	return spec.Sample{Count: n, Elapsed: int64(elapsed), CPU: used}, err
}

func connect(c contender.Contender, s *spec.Spec, w *writer, buf []byte) error {
	l, err := c.Dial(s)
	if err != nil {
		return err
	}
	return errors.Join(w.roundTrip(l, buf), l.Close())
}

// rest makes many connections, uses each once if it is to, and lets them rest. What they cost is measured from outside, between
// the two lines that it prints.
func rest(c contender.Contender, s *spec.Spec, in io.Reader, out io.Writer) (spec.Sample, error) {
	lines := bufio.NewReader(in)
	step := func(line string) error {
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
		_, err := lines.ReadString('\n')
		return err
	}
	if err := step(Before); err != nil {
		return spec.Sample{}, err
	}
	w, buf := newWriter(s), make([]byte, s.Size)
	links := make([]contender.Link, 0, s.Conns)
	begin := time.Now()
	for n := range s.Conns {
		l, err := c.Dial(s)
		if err == nil {
			links = append(links, l)
			if s.Kind == spec.Idle {
				err = w.roundTrip(l, buf)
			}
		}
		if err != nil {
			return spec.Sample{}, fmt.Errorf("connection %d: %w", n+1, err)
		}
	}
	elapsed := time.Since(begin)
	if err := step(After); err != nil {
		return spec.Sample{}, err
	}
	var closing []error
	for _, l := range links {
		closing = append(closing, l.Close())
	}
	return spec.Sample{Count: int64(s.Conns), Elapsed: int64(elapsed)}, errors.Join(closing...)
}
