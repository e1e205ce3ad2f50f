package soak

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/wire"
)

// What docs/protocol.md says of names, doors and the region, once more: hostile peers do not use the library.

var claimEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// claimDir returns the directory of an ASCII name.
func claimDir(name string) string {
	sum := sha256.Sum256([]byte(strings.ToUpper(name)))
	return filepath.Join(os.Getenv("ANYPIPE_DIR"), claimEncoding.EncodeToString(sum[:])[:26])
}

// knock connects to the only door of a name.
func knock(name string) (*net.UnixConn, error) {
	doors, err := filepath.Glob(filepath.Join(claimDir(name), "*.door"))
	if err != nil || len(doors) != 1 {
		return nil, fmt.Errorf("doors %v, %w", doors, err)
	}
	return net.DialUnix("unix", nil, &net.UnixAddr{Name: doors[0], Net: "unix"})
}

// raw is a client end without the library.
type raw struct {
	sock   *net.UnixConn
	fd     int // of the region
	mem    []byte
	opened *wire.Opened
}

var openFrame = wire.Append(nil, &wire.Open{Access: npfs.GenericRead | npfs.GenericWrite})

func openRaw(name string) (*raw, error) {
	sock, err := knock(name)
	if err != nil {
		return nil, err
	}
	r := &raw{sock: sock, fd: -1}
	if err := r.open(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *raw) open() error {
	if _, err := r.sock.Write(openFrame); err != nil {
		return err
	}
	frame, control := make([]byte, wire.HeaderSize), make([]byte, 64)
	n, controlLen, _, _, err := r.sock.ReadMsgUnix(frame, control)
	if err != nil || n < len(frame) {
		return fmt.Errorf("answer of %d bytes: %w", n, err)
	}
	if controlLen > 0 {
		messages, err := unix.ParseSocketControlMessage(control[:controlLen])
		if err != nil {
			return err
		}
		fds, err := unix.ParseUnixRights(&messages[0])
		if err != nil || len(fds) != 1 {
			return fmt.Errorf("descriptors %v: %w", fds, err)
		}
		r.fd = fds[0]
	}
	frame = append(frame, make([]byte, binary.LittleEndian.Uint32(frame[4:]))...)
	if _, err := io.ReadFull(r.sock, frame[wire.HeaderSize:]); err != nil {
		return err
	}
	if r.opened, err = wire.ReadAs[*wire.Opened](bytes.NewReader(frame)); err != nil {
		return err
	}
	if r.opened.Status != 0 {
		return refused(r.opened.Status)
	}
	r.mem, err = unix.Mmap(r.fd, 0, int(r.opened.RegionSize), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return err
}

// refused is the status of an Opened frame.
type refused uint32

func (r refused) Error() string { return fmt.Sprintf("refused with status %#x", uint32(r)) }

func (r *raw) close() {
	r.sock.Close()
	if r.mem != nil {
		unix.Munmap(r.mem)
	}
	if r.fd >= 0 {
		unix.Close(r.fd)
	}
}

// Offsets of control words in the control block, of the lane from client to server; the other lane's are laneSize further.
const (
	serverFlags  = 64
	clientFlags  = 128
	clientAsleep = 132
	laneIn       = 192
	laneSize     = 256
	laneTail     = 0
	laneGranted  = 8
	laneForced   = 16
	laneWaiting  = 24
	laneFin      = 36
	lanePosition = 64
	laneSlot     = 56
	controlEnd   = laneIn + 2*laneSize
	inRingStart  = 2432
)

// inRing returns the ring from client to server, whose two parts adjoin.
func (r *raw) inRing() []byte {
	return r.mem[inRingStart : inRingStart+npfs.RingSize(int(r.opened.InQuota))]
}

func (r *raw) word(offset int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&r.mem[offset&^7]))
}

// ring does not wait for long for a peer that does not listen.
func (r *raw) ring() { r.say([]byte{1}, nil) }

func (r *raw) say(b, rights []byte) {
	r.sock.SetWriteDeadline(time.Now().Add(time.Millisecond))
	r.sock.WriteMsgUnix(b, rights, nil)
}

// send writes a message as an honest client does, if the ring has room before its end.
func (r *raw) send(payload []byte) {
	tail := r.word(laneIn + laneTail)
	at, ring := int(tail.Load()), r.inRing()
	if at < 0 || at > len(ring)-4-len(payload) {
		return
	}
	binary.LittleEndian.PutUint32(ring[at:], uint32(len(payload)))
	copy(ring[at+4:], payload)
	tail.Store(uint64(at+4+len(payload)+3) &^ 3)
	r.ring()
}

// closedByServer waits until the server has let go of the connection.
func (r *raw) closedByServer() error {
	_, err := io.Copy(io.Discard, r.sock)
	if errors.Is(err, unix.ECONNRESET) {
		err = nil
	}
	return err
}

// mustOpenRaw opens a connection for a test.
func mustOpenRaw(t *testing.T, name string) *raw {
	t.Helper()
	r, err := openRaw(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return r
}
