package work

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// oneWay sends for a while and asks the server how many it got; the time ends with the answer.
func oneWay(l contender.Link, s *spec.Spec) (spec.Sample, error) {
	if _, err := burst(l, s, s.Warm); err != nil {
		return spec.Sample{}, err
	}
	cpu, err := newCPUMeter(s)
	if err != nil {
		return spec.Sample{}, err
	}
	begin := time.Now()
	sent, err := burst(l, s, s.Window)
	elapsed := time.Since(begin)
	if err != nil {
		return spec.Sample{}, err
	}
	used, err := cpu.used()
	return spec.Sample{Count: sent, Elapsed: int64(elapsed), CPU: used}, err
}

// burst sends messages for the given time, at least one batch, and has them acknowledged.
func burst(l contender.Link, s *spec.Spec, length time.Duration) (int64, error) {
	w := newWriter(s)
	want := counter{verify: s.Verify}
	want.reset()
	batch := max(1, 4096/s.Size) // so that the clock costs nothing
	for begin := time.Now(); want.number == 0 || time.Since(begin) < length; {
		for range batch {
			msg := w.next(askCount)
			if err := want.add(msg); err != nil {
				return 0, err
			}
			if err := l.Send(msg); err != nil {
				return 0, err
			}
		}
	}
	if err := l.Send(w.next(askTotal)); err != nil {
		return 0, err
	}
	got, err := l.Receive(make([]byte, s.Size))
	if err != nil {
		return 0, fmt.Errorf("waiting for the count of %d messages: %w", want.number, err)
	}
	return int64(want.number), acknowledged(&want, got, s)
}

func acknowledged(want *counter, got []byte, s *spec.Spec) error {
	if len(got) != s.Size {
		return fmt.Errorf("an acknowledgement of %d bytes, expected %d", len(got), s.Size)
	}
	number, checksum := binary.LittleEndian.Uint64(got[numberAt:]), binary.LittleEndian.Uint64(got[checksumAt:])
	if number != want.number || checksum != want.checksum {
		return fmt.Errorf("sent %d messages with checksum %x, received were %d with %x", want.number, want.checksum, number, checksum)
	}
	return nil
}
