//go:build linux || darwin || freebsd

package local

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/anypipe/anypipe/internal/npfs"
)

// spinner decides how long an end polls memory before it sleeps. A wake-up costs tens of microseconds and a poll
// nothing, so polling pays when the other end answers soon; it must cost nothing when it does not, when CPUs are few,
// or when others need them.
type spinner struct {
	off bool // immutable: never poll

	// doubts counts waits that polling did not shorten, up to maxDoubts. Polling stops at spinDoubts. Updated without a
	// lock: a lost update costs one wrong guess.
	doubts atomic.Int32

	// sharing: when we last offered the CPU somebody took it, and the other end had moved. So it probably runs on the same one, and until we
	// offer it there is nothing to see. Updated without a lock, as doubts.
	sharing atomic.Bool
}

const (
	// spinLimit bounds one polling phase; wake-ups take 50 to 100 µs across CPUs of a virtual machine.
	spinLimit = 120 * time.Microsecond
	// worthwhile is the longest wait that a polling phase could have shortened, its wake-up included.
	worthwhile = 300 * time.Microsecond
	// lostYield is a yield after which somebody else evidently needs the CPU.
	lostYield = 250 * time.Microsecond
	// takenYield is a yield in which somebody else ran.
	takenYield = time.Microsecond
	spinDoubts = 4
	maxDoubts  = 8
	// patience is how long an end of a stream leaves the memory alone, so that the other one gets ahead of it.
	patience = 4 * time.Microsecond
	// lingerLimit is how long a read polls before it begins.
	lingerLimit = 2 * time.Microsecond
	// pollsPerLook and looksPerYield: most polls are one load; every tenth of a microsecond or so everything is looked at,
	// and about every microsecond the CPU is offered to others.
	pollsPerLook  = 250
	looksPerYield = 8
)

// crowd is what this process knows of the CPUs, which all its connections share.
var crowd struct {
	// spinning counts the goroutines that poll now: never more than half of the processors.
	spinning atomic.Int32
	// skip is how many polling phases are left out, because somebody else needed the CPU when we offered it; penalty is what
	// skip is set to the next time that happens. Updated without a lock: a lost update costs one wrong guess.
	skip, penalty atomic.Int32
}

const (
	minPenalty = 16
	maxPenalty = 4096
)

// crowded notes that a yield took long: the CPUs are wanted by others, and polling would only keep us from being woken.
func crowded() {
	penalty := min(max(2*crowd.penalty.Load(), minPenalty), maxPenalty)
	crowd.penalty.Store(penalty)
	crowd.skip.Store(penalty)
}

// roomy notes that polling was answered: the next penalty will be a little smaller.
func roomy() {
	if p := crowd.penalty.Load(); p > 0 {
		crowd.penalty.Store(p - (p+63)/64)
	}
}

// mayPoll counts a polling phase that is about to begin, if the CPUs allow it. The caller takes one off crowd.spinning at its end.
func mayPoll() bool {
	if left := crowd.skip.Load(); left > 0 {
		crowd.skip.Store(left - 1)
		return false
	}
	if crowd.spinning.Add(1) > int32(max(1, runtime.GOMAXPROCS(0)/2)) {
		crowd.spinning.Add(-1)
		return false
	}
	return true
}

// pollBriefly asks ready until it says yes or the time is over, and reports the answer. It asks once where the CPUs allow no polling.
func pollBriefly(limit time.Duration, ready func() bool) bool {
	if !mayPoll() {
		return ready()
	}
	defer crowd.spinning.Add(-1)
	start := uptime()
	for now := start; now-start < limit; {
		if ready() {
			return true
		}
		yieldCPU()
		after := uptime()
		if after-now > lostYield { // perhaps to the very process that we wait for, so this says nothing of the CPUs
			break
		}
		now = after
	}
	return ready()
}

// begin counts a polling phase that is about to begin, if it may pay. The caller takes one off crowd.spinning at its end.
func (s *spinner) begin() bool {
	return !s.off && s.doubts.Load() < spinDoubts && mayPoll()
}

// linger polls for a moment, without offering the CPU, or until the other end has moved; it looks for nothing else. It leaves the memory alone first
// if patient.
func (s *spinner) linger(mark *npfs.Mark, patient bool) {
	if s.sharing.Load() || crowd.skip.Load() > 0 || !s.begin() {
		return
	}
	defer crowd.spinning.Add(-1)
	if patient {
		bePatient()
	}
	for start := uptime(); uptime()-start < lingerLimit; {
		for range pollsPerLook {
			if mark.Moved() {
				roomy()
				return
			}
		}
	}
}

// poll polls until the other end has moved since mark was taken or changed reports true, or polling no longer pays. It
// reports whether it saw a change. It leaves the memory alone first if patient.
func (s *spinner) poll(mark *npfs.Mark, changed func() bool, patient bool) bool {
	if !s.begin() {
		return false
	}
	defer crowd.spinning.Add(-1)
	if patient && !s.sharing.Load() {
		bePatient()
	}
	if s.spin(mark, changed) {
		roomy()
		return true
	}
	return false
}

// bePatient spends the time, as what it waits for is far less than a sleep can last.
func bePatient() {
	for start := uptime(); uptime()-start < patience; {
	}
}

// spin is one polling phase.
func (s *spinner) spin(mark *npfs.Mark, changed func() bool) bool {
	start := uptime()
	for now := start; now-start < spinLimit; {
		if !s.sharing.Load() && pollMemory(mark, changed) {
			return true
		}
		before := uptime()
		yieldCPU()
		now = uptime()
		if now-before > lostYield {
			crowded()
			return changed()
		}
		moved := mark.Moved()
		s.sharing.Store(moved && now-before > takenYield)
		if moved {
			return true
		}
	}
	return false
}

// pollMemory polls without offering the CPU.
func pollMemory(mark *npfs.Mark, changed func() bool) bool {
	for range looksPerYield {
		for range pollsPerLook {
			if mark.Moved() {
				return true
			}
		}
		if changed() {
			return true
		}
	}
	return false
}

// learn tells how long a wait lasted that polling did not end, from when it began to sleep.
func (s *spinner) learn(waited time.Duration) {
	d := s.doubts.Load()
	switch {
	case waited <= worthwhile && d > 0:
		s.doubts.Store(d - 1)
	case waited > worthwhile && d < maxDoubts:
		s.doubts.Store(d + 1)
	}
}
