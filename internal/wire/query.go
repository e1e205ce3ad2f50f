package wire

import "github.com/anypipe/anypipe/internal/npfs"

// Query asks what the pipe is.
type Query struct{}

func (*Query) kind() Kind      { return KindQuery }
func (*Query) encode(*encoder) {}
func (*Query) decode(*decoder) {}

// Described answers Query.
type Described struct {
	Name           string // as its first creator spelled it
	Type           npfs.Mode
	Direction      npfs.Direction
	MaxInstances   uint32
	DefaultTimeout uint32 // milliseconds
	Instances      uint32 // of this process
	Listening      uint32 // how many of them are LISTENING
	PID            uint32 // the server process as it sees itself
	SDDL           string
	Path           string // socket for programs that know only Unix sockets; empty if this process has none
}

func (*Described) kind() Kind { return KindDescribed }

func (m *Described) encode(e *encoder) {
	e.text(m.Name)
	e.u8(uint8(m.Type))
	e.u8(uint8(m.Direction))
	e.u32(m.MaxInstances)
	e.u32(m.DefaultTimeout)
	e.u32(m.Instances)
	e.u32(m.Listening)
	e.u32(m.PID)
	e.text(m.SDDL)
	e.text(m.Path)
}

func (m *Described) decode(d *decoder) {
	m.Name = d.text()
	m.Type = npfs.Mode(d.upTo(uint8(npfs.Message), "type"))
	m.Direction = npfs.Direction(d.upTo(uint8(npfs.Outbound), "direction"))
	m.MaxInstances = d.u32()
	m.DefaultTimeout = d.u32()
	m.Instances = d.u32()
	m.Listening = d.u32()
	m.PID = d.u32()
	m.SDDL = d.text()
	m.Path = d.text()
}
