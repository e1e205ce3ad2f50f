package wire

import "time"

// Timeouts of a Wait frame that are no number of milliseconds, as WaitNamedPipe writes them.
const (
	WaitDefault uint32 = 0          // what the pipe's first creator chose
	WaitForever uint32 = 0xFFFFFFFF // no timeout
)

// Wait asks to be told when an instance of this process is LISTENING. The answers are, in this order: Waiting if
// none is at the moment, then one Woken or Changed. If the process has no instance left the server closes the socket. The
// client gives up by closing it.
type Wait struct {
	Timeout uint32 // milliseconds, WaitDefault or WaitForever
}

func (*Wait) kind() Kind          { return KindWait }
func (m *Wait) encode(e *encoder) { e.u32(m.Timeout) }
func (m *Wait) decode(d *decoder) { m.Timeout = d.u32() }

// Duration returns the timeout, given the pipe's default; negative means for ever.
func (m *Wait) Duration(byDefault time.Duration) time.Duration {
	switch m.Timeout {
	case WaitDefault:
		return byDefault
	case WaitForever:
		return -1
	}
	return time.Duration(m.Timeout) * time.Millisecond
}

// Waiting says that the wait is registered: from now on no instance can become LISTENING unnoticed. A client that
// watches several server processes looks at the directory again after the last Waiting.
type Waiting struct{}

func (*Waiting) kind() Kind      { return KindWaiting }
func (*Waiting) encode(*encoder) {}
func (*Waiting) decode(*decoder) {}

// Woken ends a wait: Status is 0 if an instance is LISTENING, else the NTSTATUS of the failure.
type Woken struct{ Status uint32 }

func (*Woken) kind() Kind          { return KindWoken }
func (m *Woken) encode(e *encoder) { e.u32(m.Status) }
func (m *Woken) decode(d *decoder) { m.Status = d.u32() }
