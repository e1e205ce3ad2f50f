package npfs

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// scribbled is one end whose region is scribbled over by a hostile peer between, and so in effect during, operations.
func scribbled(t testing.TB, script []byte) {
	const quota = 100
	words := make([]uint64, RegionSize(quota, quota)/8)
	mem := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(words)*8)
	InitRegion(mem)
	bells := 0
	end := NewEnd(mem[:PageSize], EndConfig{Server: true, Type: Message, InQuota: quota, OutQuota: quota, Modes: Modes{Read: Message},
		Bell: func() { bells++ }, Wake: func() {}, Alive: func() bool { return true }, Pause: func(n int) bool { return n < 10 },
		Map: func() ([]byte, error) { return mem, nil }})
	var reads, writes []*Op
	payload := make([]byte, 70_000)
	for len(script) >= 8 {
		what, where, value := script[0], binary.LittleEndian.Uint16(script[1:]), binary.LittleEndian.Uint32(script[3:])
		script = script[8:]
		switch what % 9 {
		case 0, 1, 2: // control lines
			at := int(where) % controlSize &^ 7
			binary.LittleEndian.PutUint64(mem[at:], uint64(value)>>(what%3*8))
		case 3: // record headers
			binary.LittleEndian.PutUint32(mem[int(where)*2%(len(mem)-4):], value)
		case 4:
			op := &Op{Buf: make([]byte, int(where)%300)}
			end.StartRead(op)
			reads = append(reads, op)
		case 5:
			op := new(Op)
			end.StartReadMessage(op, int(value%1000))
			reads = append(reads, op)
		case 6:
			op := new(Op)
			end.StartWrite(op, payload[:int(where)%len(payload)])
			writes = append(writes, op)
		case 7:
			_, _ = end.Peek(make([]byte, int(where)%300))
			end.Status()
		case 8:
			if len(writes) > 0 {
				end.CancelWrite(writes[int(where)%len(writes)], errTest)
			}
			if len(reads) > 0 {
				end.CancelRead(reads[int(where)%len(reads)], errTest)
			}
		}
	}
	for _, op := range reads {
		end.CancelRead(op, errTest)
		if !end.PollRead(op) {
			t.Fatal("a cancelled read is not done")
		}
		if op.N > 0 && op.N > len(op.Buf) {
			t.Fatalf("read claims %d bytes of %d", op.N, len(op.Buf))
		}
	}
	for _, op := range writes {
		end.CancelWrite(op, errTest)
		if !end.PollWrite(op) {
			t.Fatal("a cancelled write is not done")
		}
	}
	end.Close(errTest)
}

// A peer that dies, or closes, and leaves bytes that are no record is at its end, like one that leaves nothing.
func TestEndBehindHalfARecord(t *testing.T) {
	for what, end := range map[string]func(server, client *End){
		"died":   func(server, _ *End) { server.PeerGone() },
		"closed": func(_, client *End) { client.me.flags.Store(flagClosed) },
	} {
		server, client := newPair(t, Message, 100, 100)
		client.out.lane.tail.Store(recordAlign - 1)
		end(server, client)
		if op := startRead(server, 10); !server.PollRead(op) || op.Err != io.EOF {
			t.Errorf("%s: done %v, %v", what, server.PollRead(op), op.Err)
		}
	}
}

// A writer that feeds a read of a whole message less than the message lies: the read takes any size. Nothing of it is handed out, as
// who sets no limit expects no part.
func TestFedAPartOfAWholeMessage(t *testing.T) {
	for what, slot := range map[string]uint64{"and says so": fedSlot(3, true), "and hides it": fedSlot(3, false)} {
		server, client := newPair(t, Message, 100, 100)
		read := &Op{Buf: []byte("before ")}
		server.StartReadMessage(read, 0)
		startWrite(client, "a message")
		server.in.lane.slot.Store(slot)
		server.in.lane.granted.Store(3)
		if !server.PollRead(read) || read.Err != io.EOF || read.N != 0 || string(read.Buf) != "before " {
			t.Errorf("%s: done %v, %q, %d, %v", what, server.PollRead(read), read.Buf, read.N, read.Err)
		}
	}
}

type testError struct{}

func (testError) Error() string { return "cancelled by the test" }

var errTest error = testError{}

// FuzzRegion lets a peer write anything anywhere into the region: no operation may panic, hang, or claim bytes that it
// does not have.
func FuzzRegion(f *testing.F) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		script := make([]byte, 8*100)
		for i := range script {
			script[i] = byte(r.Uint32())
		}
		for i := 3; i < len(script); i += 8 { // mostly small values reach deeper
			if r.IntN(3) > 0 {
				copy(script[i+1:i+4], []byte{0, 0, 0})
			}
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) { scribbled(t, script) })
}
