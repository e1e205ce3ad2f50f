//go:build linux || darwin || freebsd

package local

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/sddl"
	"github.com/anypipe/anypipe/internal/winerr"
)

// pipeFile is pipe.json: what the first creator fixed for all instances. It is written under the lock, to another name
// that is then renamed, when a first instance is created, and not changed after that.
type pipeFile struct {
	Version          int            `json:"version"`            // pipeFileVersion
	Incarnation      string         `json:"incarnation"`        // random; tells two lives of one name apart
	Name             string         `json:"name"`               // as the first creator spelled it
	Type             npfs.Mode      `json:"type"`               // 0 byte, 1 message
	Direction        npfs.Direction `json:"direction"`          // 0 duplex, 1 inbound, 2 outbound
	MaxInstances     int            `json:"max_instances"`      // 1 to 255; 255 is unlimited
	DefaultTimeoutMS int64          `json:"default_timeout_ms"` // what WaitNamedPipe waits by default
	SDDL             string         `json:"sddl"`               // the security descriptor
}

const (
	pipeFileVersion = 1
	maxPipeFile     = 512 << 10
)

// defaultTimeout returns DefaultTimeoutMS as a duration.
func (p *pipeFile) defaultTimeout() time.Duration {
	return time.Duration(p.DefaultTimeoutMS) * time.Millisecond
}

// newPipeFile returns what a first creator with this configuration fixes.
func newPipeFile(pipe string, cfg *npfs.CreateConfig, d *sddl.Descriptor) *pipeFile {
	timeout := cfg.DefaultTimeout
	if timeout == 0 {
		timeout = npfs.DefaultWait
	}
	return &pipeFile{
		Version: pipeFileVersion, Incarnation: newID(), Name: pipe, Type: cfg.Type, Direction: cfg.Direction,
		MaxInstances: cfg.MaxInstances, DefaultTimeoutMS: min(max(1, timeout.Milliseconds()), math.MaxUint32), SDDL: d.String(),
	}
}

// readPipeFile reads and checks a claim's pipe.json.
func (c *claim) readPipeFile() (*pipeFile, error) {
	name := filepath.Join(c.path, "pipe.json")
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPipeFile))
	if err != nil {
		return nil, err
	}
	p, err := parsePipeFile(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// parsePipeFile checks that a pipe can have what the text says.
func parsePipeFile(text []byte) (*pipeFile, error) {
	var p pipeFile
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, err
	}
	switch {
	case p.Version != pipeFileVersion:
		return nil, fmt.Errorf("version %d, this program knows %d: %w", p.Version, pipeFileVersion, winerr.NotSupported)
	case p.Type > npfs.Message || p.Direction > npfs.Outbound:
		return nil, fmt.Errorf("type %d, direction %d: %w", p.Type, p.Direction, winerr.InvalidParameter)
	case p.MaxInstances < 1 || p.MaxInstances > npfs.UnlimitedInstances:
		return nil, fmt.Errorf("%d instances, a pipe has 1 to %d: %w", p.MaxInstances, npfs.UnlimitedInstances, winerr.InvalidParameter)
	case p.DefaultTimeoutMS < 1 || p.DefaultTimeoutMS > math.MaxUint32:
		return nil, fmt.Errorf("default timeout of %d ms: %w", p.DefaultTimeoutMS, winerr.InvalidParameter)
	}
	return &p, nil
}

// writePipeFile replaces pipe.json. The lock must be held.
func (c *claim) writePipeFile(p *pipeFile, mode os.FileMode) error {
	text, err := json.MarshalIndent(p, "", "\t")
	if err != nil {
		return err
	}
	temporary := filepath.Join(c.path, "pipe.json.new")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(temporary, append(text, '\n'), 0o600); err != nil {
		return err
	}
	if err := os.Chmod(temporary, mode); err != nil {
		return err
	}
	return os.Rename(temporary, filepath.Join(c.path, "pipe.json"))
}

// liveFile is what a server process publishes of itself in ID.live: 24 bytes, little-endian, written by
// that process alone: magic "APL1" (4), process id (4), instances (4), zero (4), ticket (8).
//
// Under the lock the count is exact, as it grows under the lock only. The ticket is a hint for clients, which door to
// try first; the door decides.
type liveFile struct {
	pid       uint32
	instances uint32
	ticket    uint64 // monotonic nanoseconds at which the oldest LISTENING instance entered LISTENING; 0 if there is none
}

const (
	liveMagic = 'A' | 'P'<<8 | 'L'<<16 | '1'<<24
	liveSize  = 24
)

func (l liveFile) encode() []byte {
	b := binary.LittleEndian.AppendUint32(nil, liveMagic)
	b = binary.LittleEndian.AppendUint32(b, l.pid)
	b = binary.LittleEndian.AppendUint32(b, l.instances)
	b = binary.LittleEndian.AppendUint32(b, 0)
	return binary.LittleEndian.AppendUint64(b, l.ticket)
}

// store writes what can change into a mapped live file. Readers may see the new count and the old ticket for a moment.
func (l liveFile) store(b []byte) {
	(*atomic.Uint32)(unsafe.Pointer(&b[8])).Store(l.instances)
	(*atomic.Uint64)(unsafe.Pointer(&b[16])).Store(l.ticket)
}

func decodeLive(b []byte) (liveFile, error) {
	if len(b) != liveSize || binary.LittleEndian.Uint32(b) != liveMagic {
		return liveFile{}, errors.New("not a live file")
	}
	l := liveFile{
		pid:       binary.LittleEndian.Uint32(b[4:]),
		instances: binary.LittleEndian.Uint32(b[8:]),
		ticket:    binary.LittleEndian.Uint64(b[16:]),
	}
	l.instances = min(l.instances, 1<<20) // whatever a server claims, sums stay sums
	return l, nil
}

// readLive is on the way of every open, so it makes the three system calls that it takes and no more.
func readLive(name string) (liveFile, error) {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return liveFile{}, err
	}
	defer unix.Close(fd)
	var b [liveSize]byte
	n, err := unix.Pread(fd, b[:], 0)
	if err != nil {
		return liveFile{}, err
	}
	return decodeLive(b[:n])
}
