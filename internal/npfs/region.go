package npfs

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// The layout of a region, which docs/protocol.md describes for other languages:
//
//	   0  control block, 704 bytes:
//	       0  header: magic, version
//	      64  the server end's line        128  the client end's line
//	     192  inbound lane (client→server) 448  outbound lane
//	 704  first part of the outbound ring
//	2432  first part of the inbound ring
//	4096  rest of the inbound ring
//	4096 + inbound ring's size  rest of the outbound ring
//
// A connection that has carried little has touched the first page only, and its ends have mapped no more.
const (
	regionMagic   = 0x50594E41 // "ANYP"
	regionVersion = 2
	lineSize      = 64
	controlSize   = 11 * lineSize
	// firstPart is what each ring has in the first page.
	firstPart     = 26 * lineSize
	minRing       = 64 << 10
	maxSparseRing = 16 << 20
	// recordAlign is the alignment of records and the size of a record's header.
	recordAlign = 4
)

// PageSize is the size of the first page of a region.
const PageSize = 4096

// header opens a region.
type header struct {
	magic, version uint32
	_              [lineSize - 8]byte
}

// endLine is what one end publishes about itself.
type endLine struct {
	// flags holds the end's flag bits. Written by its owner only.
	flags atomic.Uint32
	// asleep holds what the end's sleepers wait for. The owner sets bits, the other end clears them and rings.
	asleep atomic.Uint32
	_      [lineSize - 8]byte
}

const (
	flagClosed       = 1 << 0 // the end was closed
	flagDisconnected = 1 << 1 // the server called Disconnect
	flagLeft         = 1 << 2 // the end is over; its process touches the region only for a new connection
)

// What a sleeper waits for.
const (
	wantData  = 1 << 0 // the other end's writing
	wantSpace = 1 << 1 // the other end's reading
)

// lane is the shared control block of one direction, a cache line for each owner. What changes with every write is tail
// alone, and with every read position alone.
type lane struct {
	// Written by the writing end.
	tail     atomic.Uint64 // ring bytes published
	granted  atomic.Uint64 // payload position up to which bytes were given to announced reads
	forced   atomic.Uint64 // payload position up to which writes were completed without regard to quota
	waiting  atomic.Uint64 // payload bytes of accepted writes that have not begun to enter the ring
	messages atomic.Uint32 // how many such writes there are, empty messages included
	fin      atomic.Uint32 // 1: the writer will write no more (CloseWrite)
	cutEnd   atomic.Uint64 // the record under the reader now ends here …
	cutTo    atomic.Uint64 // … and the next one starts here; see writer.withdraw
	// slot is the announced read: slotEmpty, slotWaiting with its size, or slotFed with what one was given. Both ends write
	// it; it lies here because who announces next polls tail, and who feeds next stores it.
	slot atomic.Uint64

	// Written by the reading end, except for the writer's claim.
	position atomic.Uint64 // ring bytes consumed, payload bytes read, and who works at the front; see packPosition
	demand   atomic.Uint64 // bytes that the pending reads behind the announced one would take
	_        [lineSize - 16]byte

	_ [2 * lineSize]byte
}

// The front of a lane belongs to the reader while it reads and to the writer while it takes back. The claim is in the two
// low bits of the position. The writer leaves claimRevised, so that a reader which swaps the position it published last for
// a new one knows that nothing was taken back in between: the usual read costs that one compare-and-swap.
const (
	claimReader  uint64 = 1
	claimWriter  uint64 = 2
	claimRevised uint64 = 3 // nobody's, but the writer took back since the reader last claimed
	claimMask    uint64 = 3
	takenBits           = 30
	takenMask    uint32 = 1<<takenBits - 1
)

// packPosition packs the low 32 bits of head and the low 30 bits of taken. Less than a ring lies between two looks of
// the writer, so it can extend them.
func packPosition(head, taken uint64) uint64 {
	return head<<32 | uint64(uint32(taken)&takenMask)<<2
}

// advance returns the smallest counters at or above head and taken that agree with a packed position.
func advance(head, taken, packed uint64) (newHead, newTaken uint64) {
	newHead = head + uint64(uint32(packed>>32)-uint32(head))
	newTaken = taken + uint64((uint32(packed>>2)-uint32(taken))&takenMask)
	return newHead, newTaken
}

// The announced read, packed: two bits of state, one for "the message goes on", the ring position up to which the reader
// has consumed in units of records, the size in the upper half.
const (
	slotEmpty   uint64 = 0
	slotWaiting uint64 = 1
	slotFed     uint64 = 2
	slotState   uint64 = 3
	slotMore    uint64 = 4
	slotAt      uint64 = 1<<32 - 1<<3
	slotShift          = 32
	slotMax            = MaxMessage
)

// MaxMessage is the largest message and the largest single write in bytes.
const MaxMessage = 1<<31 - 1

func waitingSlot(size int, head uint64) uint64 {
	return slotWaiting | packAt(head) | uint64(min(size, slotMax))<<slotShift
}

// packAt packs a ring position for the slot. A ring is far smaller than what these bits can tell apart.
func packAt(head uint64) uint64 { return head / recordAlign << 3 & slotAt }

func fedSlot(size int, more bool) uint64 {
	s := slotFed | uint64(size)<<slotShift
	if more {
		s |= slotMore
	}
	return s
}

func slotSize(s uint64) int { return int(min(s>>slotShift, slotMax)) }

// portion is how much is copied at a time. Where it is published too, the two ends copy side by side; and larger pieces are copied past the
// caches.
const portion = 64 << 10

// A record is a 4-byte header and its payload, padded to 4 bytes. A void record holds no message: its length is only
// to be skipped.
const (
	voidRecord   uint32 = 1 << 31
	recordLength uint32 = voidRecord - 1
)

func alignRecord(n uint64) uint64 { return (n + recordAlign - 1) &^ (recordAlign - 1) }

// RingSize returns the size of the ring of a lane with the given quota: a power of two in which the quota fits even as
// one-byte messages, up to 2 MiB of quota, and always in one piece. The memory is touched only as it is used.
func RingSize(quota int) int {
	exact := ceilPower(8 * uint64(quota))
	whole := ceilPower(uint64(quota) + uint64(quota)/4 + minRing/2)
	return int(max(min(exact, maxSparseRing), whole, minRing))
}

func ceilPower(n uint64) uint64 {
	if n <= 1 {
		return 1
	}
	return 1 << bits.Len64(n-1)
}

// RegionSize returns the size in bytes of the region of a connection with these quotas.
func RegionSize(inQuota, outQuota int) int {
	return PageSize + RingSize(inQuota) + RingSize(outQuota)
}

// region is the typed view of the shared memory's first page, with the rings as far as they are mapped.
type region struct {
	header          *header
	server, client  *endLine
	in, out         *lane
	inRing, outRing ring
}

// viewRegion lays the structures over mem, 8-byte aligned: the first page, or all RegionSize bytes.
func viewRegion(mem []byte, inQuota, outQuota int) region {
	whole := RegionSize(inQuota, outQuota)
	if len(mem) != PageSize && len(mem) != whole {
		panic("npfs: region of the wrong size")
	}
	at := func(offset int) unsafe.Pointer { return unsafe.Pointer(&mem[offset]) }
	g := region{
		header: (*header)(at(0)), server: (*endLine)(at(lineSize)), client: (*endLine)(at(2 * lineSize)),
		in: (*lane)(at(3 * lineSize)), out: (*lane)(at(7 * lineSize)),
		inRing:  ring{first: (*[firstPart]byte)(at(PageSize - firstPart)), mask: uint64(RingSize(inQuota) - 1), restAt: PageSize},
		outRing: ring{first: (*[firstPart]byte)(at(controlSize)), mask: uint64(RingSize(outQuota) - 1), restAt: PageSize + RingSize(inQuota)},
	}
	if len(mem) == whole {
		g.inRing.extend(mem)
		g.outRing.extend(mem)
	}
	return g
}

// ring is the data area of a lane, in two parts. Positions only grow; the offset is the position modulo the size, a power of
// two.
type ring struct {
	first  *[firstPart]byte
	rest   []byte // nil until the whole region is mapped
	mask   uint64 // size - 1
	restAt int    // where the rest lies in the region
}

func (r *ring) size() uint64 { return r.mask + 1 }

// extend takes the rest out of the whole region.
func (r *ring) extend(whole []byte) { r.rest = whole[r.restAt:][:r.size()-firstPart] }

// mapped returns how many of the n bytes at pos are mapped for certain.
func (r *ring) mapped(pos, n uint64) uint64 {
	if r.rest != nil {
		return n
	}
	return min(n, firstPart-min(firstPart, pos&r.mask))
}

// at returns the part of the ring from pos, which is mapped, to where the part ends.
func (r *ring) at(pos uint64) []byte {
	offset := pos & r.mask
	if offset < firstPart {
		return r.first[offset:]
	}
	return r.rest[offset-firstPart:]
}

// copyIn copies p to position pos and returns the position behind it.
func (r *ring) copyIn(pos uint64, p []byte) uint64 {
	for {
		n := copy(r.at(pos), p)
		pos += uint64(n)
		if n == len(p) {
			return pos
		}
		p = p[n:]
	}
}

// copyOut fills p from position pos.
func (r *ring) copyOut(pos uint64, p []byte) {
	for {
		n := copy(p, r.at(pos))
		if n == len(p) {
			return
		}
		pos, p = pos+uint64(n), p[n:]
	}
}

// header reads the record header at pos, which is aligned and so lies in one part.
func (r *ring) header(pos uint64) uint32 {
	return *(*uint32)(unsafe.Pointer(&r.at(pos)[0]))
}

func (r *ring) setHeader(pos uint64, h uint32) {
	*(*uint32)(unsafe.Pointer(&r.at(pos)[0])) = h
}
