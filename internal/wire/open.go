package wire

import "github.com/anypipe/anypipe/internal/npfs"

// Open asks for the instance that has been LISTENING longest.
type Open struct {
	Access npfs.Access // the rights that the client asks for, generic or specific
	Flags  uint32      // none are defined yet; must be 0
}

func (*Open) kind() Kind { return KindOpen }

func (m *Open) encode(e *encoder) {
	e.u32(uint32(m.Access))
	e.u32(m.Flags)
}

func (m *Open) decode(d *decoder) {
	m.Access = npfs.Access(d.u32())
	if m.Flags = d.u32(); m.Flags != 0 {
		d.fail("unknown open flags %#x", m.Flags)
	}
}

// OpenSize is the size of an Open frame.
const OpenSize = HeaderSize + 8

// IsOpen reports whether a frame is an Open of this version, so that reading it waits for nothing. What it asks is not checked.
func IsOpen(frame [OpenSize]byte) bool {
	k, n, err := header([HeaderSize]byte(frame[:HeaderSize]))
	return err == nil && k == KindOpen && n == OpenSize-HeaderSize
}

// Opened answers Open. If Status is 0 and Reused is false the frame's first byte carries one descriptor, the connection's region
// (SCM_RIGHTS). The socket is the connection's doorbell from the next byte on. If Status is not 0 the server closes the socket.
type Opened struct {
	Status       uint32 // NTSTATUS; 0 is success
	Text         string // what went wrong, in words; empty on success
	Incarnation  string // the one in pipe.json, which tells two lives of a name apart
	Access       npfs.Access
	Type         npfs.Mode
	Direction    npfs.Direction
	ReadMode     npfs.Mode // the client end's first read mode: always byte
	MaxInstances uint32
	InQuota      uint32
	OutQuota     uint32
	RegionSize   uint64
	RejectRemote bool // the instance refuses clients of other machines
	Keeps        bool // after this connection the server waits for another Open on the socket
	Reused       bool // the region is that of the last connection over the socket
}

func (*Opened) kind() Kind { return KindOpened }

func (m *Opened) encode(e *encoder) {
	e.u32(m.Status)
	e.text(m.Text)
	e.text(m.Incarnation)
	e.u32(uint32(m.Access))
	e.u8(uint8(m.Type))
	e.u8(uint8(m.Direction))
	e.u8(uint8(m.ReadMode))
	e.u8(flag(m.RejectRemote))
	e.u32(m.MaxInstances)
	e.u32(m.InQuota)
	e.u32(m.OutQuota)
	e.u64(m.RegionSize)
	e.u8(flag(m.Keeps))
	e.u8(flag(m.Reused))
}

func (m *Opened) decode(d *decoder) {
	m.Status = d.u32()
	m.Text = d.text()
	m.Incarnation = d.text()
	m.Access = npfs.Access(d.u32())
	m.Type = npfs.Mode(d.upTo(uint8(npfs.Message), "type"))
	m.Direction = npfs.Direction(d.upTo(uint8(npfs.Outbound), "direction"))
	m.ReadMode = npfs.Mode(d.upTo(uint8(m.Type), "read mode"))
	m.RejectRemote = d.upTo(1, "reject-remote flag") == 1
	m.MaxInstances = d.u32()
	m.InQuota = quota(d)
	m.OutQuota = quota(d)
	m.RegionSize = d.u64()
	m.Keeps = d.upTo(1, "keeps flag") == 1
	m.Reused = d.upTo(1, "reused flag") == 1
}

// quota reads a quota, which has a limit as memory depends on it.
func quota(d *decoder) uint32 {
	q := d.u32()
	if q > npfs.MaxQuota {
		d.fail("quota of %d bytes, at most %d are allowed", q, npfs.MaxQuota)
		return 0
	}
	return q
}

func flag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
