package work

import (
	"slices"
	"time"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// maxTimes is how many single times are kept for the quantiles. The mean knows all.
const maxTimes = 1 << 20

// times are single measurements in nanoseconds.
type times struct {
	each []uint32
	sum  time.Duration
	n    int64
}

func newTimes() *times { return &times{each: make([]uint32, 0, maxTimes)} }

func (t *times) add(d time.Duration) {
	if len(t.each) < cap(t.each) {
		t.each = append(t.each, uint32(min(d, 4*time.Second)))
	}
	t.sum += d
	t.n++
}

// sample reports mean and quantiles; elapsed is the time from the first to the last.
func (t *times) sample(elapsed time.Duration) spec.Sample {
	slices.Sort(t.each)
	at := func(q float64) float64 { return float64(t.each[int(q*float64(len(t.each)-1))]) }
	return spec.Sample{Count: t.n, Elapsed: int64(elapsed), Mean: float64(t.sum) / float64(t.n), P50: at(.5), P99: at(.99)}
}

// roundTrips reads the clock once a round trip.
func roundTrips(l contender.Link, s *spec.Spec) (spec.Sample, error) {
	w, buf := newWriter(s), make([]byte, s.Size)
	all := newTimes()
	var last time.Duration
	for begin := time.Now(); last < s.Warm || all.n == 0; all.n++ {
		if err := w.roundTrip(l, buf); err != nil {
			return spec.Sample{}, err
		}
		last = time.Since(begin)
	}
	all.n, last = 0, 0
	cpu, err := newCPUMeter(s)
	if err != nil {
		return spec.Sample{}, err
	}
	for begin := time.Now(); last < s.Window || all.n == 0; {
		if err := w.roundTrip(l, buf); err != nil {
			return spec.Sample{}, err
		}
		now := time.Since(begin)
		all.add(now - last)
		last = now
	}
	used, err := cpu.used()
	sample := all.sample(last)
	sample.CPU = used
	return sample, err
}

// pace is the time from one request to the next.
const pace = time.Millisecond

// paced sends a request every millisecond and sleeps in between. Its window is longer, as little happens in it.
func paced(l contender.Link, s *spec.Spec) (spec.Sample, error) {
	w, buf := newWriter(s), make([]byte, s.Size)
	if err := request(l, w, buf, s.Warm, newTimes()); err != nil {
		return spec.Sample{}, err
	}
	all := newTimes()
	cpu, err := newCPUMeter(s)
	if err != nil {
		return spec.Sample{}, err
	}
	begin := time.Now()
	if err := request(l, w, buf, 2*s.Window, all); err != nil {
		return spec.Sample{}, err
	}
	used, err := cpu.used()
	sample := all.sample(time.Since(begin))
	sample.CPU = used
	return sample, err
}

// request makes one round trip at each tick, for the given time.
func request(l contender.Link, w *writer, buf []byte, length time.Duration, all *times) error {
	begin := time.Now()
	for tick := pace; tick <= max(length, pace); tick += pace {
		time.Sleep(tick - time.Since(begin))
		start := time.Now()
		if err := w.roundTrip(l, buf); err != nil {
			return err
		}
		all.add(time.Since(start))
	}
	return nil
}
