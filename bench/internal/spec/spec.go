// Package spec says what is measured: the workloads, what the two processes of one are told, and what comes back.
package spec

import (
	"strconv"
	"time"
)

// Kind is what the two processes do with each other.
type Kind string

const (
	RoundTrip Kind = "rtt"     // a message goes to the server and comes back, again and again
	OneWay    Kind = "oneway"  // messages go to the server, which acknowledges their count at the end
	Stream    Kind = "stream"  // the same with a stream of bytes: writes of Size bytes, no message boundaries
	Paced     Kind = "paced"   // one round trip every millisecond, idle in between
	Connect   Kind = "connect" // connect, one round trip, close
	Fresh     Kind = "fresh"   // many connections that rest and were never used
	Idle      Kind = "idle"    // many connections that rest, each used once
)

// Placement is what the processors are doing.
type Placement string

const (
	Free      Placement = ""          // the system places both processes
	OneCPU    Placement = "one-cpu"   // both ends are pinned to one CPU before their runtimes start
	Neighbour Placement = "neighbour" // one more process computes all the time
	Saturated Placement = "saturated" // as many processes as CPUs compute all the time
)

// Work is one workload.
type Work struct {
	Key       string    `json:"key"`
	Title     string    `json:"title"`
	Kind      Kind      `json:"kind"`
	Size      int       `json:"size"`
	Placement Placement `json:"placement,omitempty"`
}

// Works lists the workloads in the order of the report.
func Works() []Work {
	return []Work{
		{"rtt-64", "round trip, 64 B", RoundTrip, 64, Free},
		{"rtt-64-one-cpu", "round trip, 64 B, both ends on one CPU", RoundTrip, 64, OneCPU},
		{"rtt-64-neighbour", "round trip, 64 B, beside one busy process", RoundTrip, 64, Neighbour},
		{"rtt-64-saturated", "round trip, 64 B, every CPU busy", RoundTrip, 64, Saturated},
		{"rtt-4k", "round trip, 4 KiB", RoundTrip, 4 << 10, Free},
		{"rtt-4k-one-cpu", "round trip, 4 KiB, both ends on one CPU", RoundTrip, 4 << 10, OneCPU},
		{"oneway-64", "one way, 64 B messages", OneWay, 64, Free},
		{"oneway-1k", "one way, 1 KiB messages", OneWay, 1 << 10, Free},
		{"oneway-64k", "one way, 64 KiB messages", OneWay, 64 << 10, Free},
		{"stream-1m", "byte stream, writes of 1 MiB", Stream, 1 << 20, Free},
		{"paced-64", "a request of 64 B every millisecond", Paced, 64, Free},
		{"connect", "connect, one echo of 64 B, close", Connect, 64, Free},
		{"idle-fresh", "idle connections, never used", Fresh, 64, Free},
		{"idle-used", "idle connections, each used for one echo", Idle, 64, Free},
	}
}

// Rests tells whether the work is to do nothing, with many connections.
func (k Kind) Rests() bool { return k == Fresh || k == Idle }

// MinSize is the smallest message: a kind, a number and, in an acknowledgement, a count and a checksum.
const MinSize = 32

// Spec is what both processes of a measurement are told.
type Spec struct {
	Contender string        `json:"contender"`
	Kind      Kind          `json:"kind"`
	Size      int           `json:"size"`   // bytes of every message, also of acknowledgements
	Warm      time.Duration `json:"warm"`   // before the window
	Window    time.Duration `json:"window"` // how long is measured
	Verify    bool          `json:"verify"` // fill and checksum every byte; costs time
	Conns     int           `json:"conns"`  // connections that rest
	Dir       string        `json:"dir"`    // an empty directory of this measurement
	PeerPID   int           `json:"peerPid,omitempty"`
	Profile   string        `json:"profile,omitempty"` // a Go process writes its CPU profile there, plus its role
}

// Args is the same for a C program, in the order of c/work.h.
func (s *Spec) Args() []string {
	verify := "0"
	if s.Verify {
		verify = "1"
	}
	return []string{string(s.Kind), strconv.Itoa(s.Size), strconv.FormatInt(int64(s.Warm), 10), strconv.FormatInt(int64(s.Window), 10),
		verify, strconv.Itoa(s.Conns), s.Dir, strconv.Itoa(s.PeerPID)}
}

// Sample is what one measurement gave. Times are in nanoseconds.
type Sample struct {
	Count   int64   `json:"count"`            // round trips, messages or connections
	Elapsed int64   `json:"elapsedNs"`        // for all of Count
	Mean    float64 `json:"meanNs,omitempty"` // of one round trip, as are P50 and P99
	P50     float64 `json:"p50Ns,omitempty"`
	P99     float64 `json:"p99Ns,omitempty"`
	CPU     int64   `json:"cpuNs,omitempty"` // of both processes for all of Count
	Rest    *Rest   `json:"rest,omitempty"`
	Foreign float64 `json:"foreign"` // CPUs that others used meanwhile
}

// Rest is what a resting connection costs: bytes of memory and, all connections together, percent of one CPU.
type Rest struct {
	Server  float64 `json:"serverBytes"` // the server's own memory
	Client  float64 `json:"clientBytes"` // the client's own memory
	Shared  float64 `json:"sharedBytes"` // shared memory, counted once
	Kernel  float64 `json:"kernelBytes"` // the kernel's slab
	Percent float64 `json:"cpuPercent"`
}

// Bytes is all of the memory of one connection.
func (r *Rest) Bytes() float64 { return r.Server + r.Client + r.Shared + r.Kernel }
