package npfs

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/anypipe/anypipe/internal/winerr"
)

// The model is the queue of entries that the reference describes: each entry a pending read or a write, the quota handed
// out to entries one by one. It shares no idea with the engine, which has neither entries nor charges.

type modelRead struct {
	size    int
	message bool
	data    []byte
	err     error
	done    bool
}

type modelWrite struct {
	rest    []byte
	length  int
	charged int
	done    bool
	err     error
	n       int
	queued  bool
}

type modelQueue struct {
	typ    Mode
	quota  int
	reads  []*modelRead
	writes []*modelWrite
}

func (q *modelQueue) used() (n int) {
	for _, w := range q.writes {
		n += w.charged
	}
	return n
}

// feed gives data to pending reads and returns what is left. An empty message completes one read.
func (q *modelQueue) feed(data []byte, empty bool) (rest []byte, consumed bool) {
	for len(q.reads) > 0 && (len(data) > 0 || empty) {
		r := q.reads[0]
		q.reads = q.reads[1:]
		k := min(r.size, len(data))
		r.data, data, r.done = data[:k], data[k:], true
		if r.message && len(data) > 0 {
			r.err = winerr.MoreData
		}
		if empty {
			return nil, true
		}
	}
	return data, false
}

// demand is more than any quota soon, so it stops at MaxMessage, which an int of 32 bits holds.
func (q *modelQueue) demand() (n int) {
	for _, r := range q.reads {
		n += min(r.size, MaxMessage-n)
	}
	return n
}

func (q *modelQueue) write(data []byte, noWait bool) *modelWrite {
	w := &modelWrite{length: len(data)}
	if len(data) == 0 && q.typ == Byte {
		w.done = true
		return w
	}
	if fed := min(q.demand(), len(data)); noWait && len(data)-fed > q.quota-q.used() {
		w.done = true
		if q.typ == Byte {
			q.feed(data[:fed], false)
			w.n = fed
		}
		return w
	}
	rest, consumed := q.feed(data, len(data) == 0)
	if consumed || len(data) > 0 && len(rest) == 0 {
		w.done, w.n = true, len(data)
		return w
	}
	w.rest, w.queued = rest, true
	q.writes = append(q.writes, w)
	q.charge()
	return w
}

// charge hands free quota to blocked entries from the head and completes those that are fully charged.
func (q *modelQueue) charge() {
	free := q.quota - q.used()
	for _, w := range q.writes {
		more := min(free, len(w.rest)-w.charged)
		w.charged += more
		free -= more
		if w.charged == len(w.rest) && !w.done {
			w.done, w.n = true, w.length
		}
	}
}

func (q *modelQueue) read(size int, message, noWait bool) *modelRead {
	r := &modelRead{size: size, message: message}
	switch {
	case len(q.writes) > 0:
		q.take(r)
	case noWait:
		r.done, r.err = true, winerr.PipeEmpty
	default:
		q.reads = append(q.reads, r)
	}
	return r
}

// take serves a read from the queue.
func (q *modelQueue) take(r *modelRead) {
	r.done = true
	for len(q.writes) > 0 {
		w := q.writes[0]
		room := r.size - len(r.data)
		if room == 0 {
			if r.message && len(w.rest) > 0 {
				r.err = winerr.MoreData
			}
			return
		}
		k := min(room, len(w.rest))
		r.data = append(r.data, w.rest[:k]...)
		w.rest = w.rest[k:]
		w.charged = max(0, w.charged-k)
		if len(w.rest) > 0 {
			q.charge()
			if r.message {
				r.err = winerr.MoreData
			}
			return
		}
		q.remove(w)
		if !w.done {
			w.done, w.n = true, w.length
		}
		q.charge()
		if r.message {
			return
		}
		if len(r.data) == r.size {
			return
		}
	}
}

func (q *modelQueue) remove(w *modelWrite) {
	for i, o := range q.writes {
		if o == w {
			q.writes = append(q.writes[:i:i], q.writes[i+1:]...)
		}
	}
}

func (q *modelQueue) cancelWrite(w *modelWrite) {
	if w.done {
		return
	}
	q.remove(w)
	w.done, w.err, w.n = true, winerr.OperationAborted, w.length-len(w.rest)
	q.charge()
}

func (q *modelQueue) cancelRead(r *modelRead) {
	if r.done {
		return
	}
	r.done, r.err = true, winerr.OperationAborted
	for i, o := range q.reads {
		if o == r {
			q.reads = append(q.reads[:i:i], q.reads[i+1:]...)
			return
		}
	}
}

func (q *modelQueue) available() (n int) {
	for _, w := range q.writes {
		n += len(w.rest)
	}
	return n
}

// step is one random action; it is replayed on engine and model.
type step struct {
	server bool // which end acts
	what   string
	size   int
	pick   int
}

func (s step) String() string {
	who := "C"
	if s.server {
		who = "S"
	}
	return fmt.Sprintf("%s %s %d (%d)", who, s.what, s.size, s.pick)
}

func randomSteps(r *rand.Rand, n int) []step {
	kinds := []string{"read", "read", "read", "write", "write", "write", "cancel-read", "cancel-write", "mode", "nowait", "peek", "message"}
	sizes := []int{0, 1, 2, 5, 10, 11, 40, 100, 200_000}
	var steps []step
	for len(steps) < n {
		steps = append(steps, step{r.IntN(2) == 0, kinds[r.IntN(len(kinds))], sizes[r.IntN(len(sizes))], r.IntN(1000)})
		if r.IntN(8) == 0 {
			steps = append(steps, takingBack(r)...)
		}
	}
	return steps
}

// takingBack has the newest write that is blocked taken back when a reader may remember it, as it has read one before it and
// nothing was peeked at since. The reader goes on behind that.
func takingBack(r *rand.Rand) (steps []step) {
	writer, size := r.IntN(2) == 0, []int{1, 5, 10, 40, 100}[r.IntN(5)]
	const unseen = 1 // a pick after which compare does not peek
	for range 3 + r.IntN(3) {
		steps = append(steps, step{writer, "write", size, unseen})
	}
	steps = append(steps, step{!writer, "read", 100, unseen}, step{writer, "retract", 0, unseen})
	for range r.IntN(5) {
		steps = append(steps, step{!writer, "read", 100, unseen})
	}
	return steps
}

// side is one end with its operations, engine's beside model's.
type side struct {
	end         *End
	in, out     *modelQueue
	modes       Modes
	reads       []*Op
	modelReads  []*modelRead
	writes      []*Op
	modelWrites []*modelWrite
	payload     byte
}

// replay runs the steps and returns the first difference.
func replay(t *testing.T, typ Mode, quota int, steps []step) error {
	server, client := newPair(t, typ, quota, quota+3)
	in, out := &modelQueue{typ: typ, quota: quota}, &modelQueue{typ: typ, quota: quota + 3}
	s := &side{end: server, in: in, out: out, modes: server.Modes()}
	c := &side{end: client, in: out, out: in, modes: client.Modes(), payload: 100}
	for i, st := range steps {
		me := c
		if st.server {
			me = s
		}
		me.act(st)
		for range 12 {
			s.poll()
			c.poll()
		}
		if err := errors.Join(s.compare(st), c.compare(st)); err != nil {
			return fmt.Errorf("after step %d, %v: %w", i, st, err)
		}
	}
	return nil
}

func (me *side) act(st step) {
	switch st.what {
	case "read":
		op := &Op{Buf: make([]byte, st.size)}
		if lull := (Lull{}); !me.end.ReadUnlessLull(op, &lull) && lull.Brief {
			me.end.StartRead(op)
		}
		me.reads = append(me.reads, op)
		me.modelReads = append(me.modelReads, me.in.read(st.size, me.modes.Read == Message, me.modes.NoWait))
	case "message":
		if me.in.typ == Message {
			op := new(Op)
			if lull := (Lull{}); !me.end.ReadMessageUnlessLull(op, 0, &lull) && lull.Brief {
				me.end.StartReadMessage(op, 0)
			}
			me.reads = append(me.reads, op)
			me.modelReads = append(me.modelReads, me.in.read(MaxMessage, true, me.modes.NoWait))
		}
	case "write":
		data := make([]byte, st.size)
		for i := range data {
			me.payload++
			data[i] = me.payload
		}
		op := new(Op)
		me.end.StartWrite(op, data)
		me.writes = append(me.writes, op)
		me.modelWrites = append(me.modelWrites, me.out.write(data, me.modes.NoWait))
	case "cancel-read":
		if len(me.reads) > 0 {
			i := st.pick % len(me.reads)
			if !me.reads[i].done {
				me.end.CancelRead(me.reads[i], winerr.OperationAborted)
			}
			me.in.cancelRead(me.modelReads[i])
		}
	case "cancel-write":
		if len(me.writes) > 0 {
			i := st.pick % len(me.writes)
			if !me.writes[i].done {
				me.end.CancelWrite(me.writes[i], winerr.OperationAborted)
			}
			me.out.cancelWrite(me.modelWrites[i])
		}
	case "retract": // the newest write that is blocked
		for i, op := range slices.Backward(me.writes) {
			if !op.done {
				me.end.CancelWrite(op, winerr.OperationAborted)
				me.out.cancelWrite(me.modelWrites[i])
				break
			}
		}
	case "mode":
		if me.in.typ == Message {
			me.modes.Read = Mode(st.pick & 1)
		}
	case "nowait":
		me.modes.NoWait = st.pick%4 == 0
	}
	if err := me.end.SetModes(me.modes); err != nil {
		panic(err)
	}
}

func (me *side) poll() {
	me.end.Status()
}

// compare peeks after some steps only, as peeking claims the front of the lane and so hides what a reader remembers of it.
func (me *side) compare(st step) error {
	for i, op := range me.reads {
		m := me.modelReads[i]
		if op.done != m.done {
			return fmt.Errorf("read %d: done %v, model %v", i, op.done, m.done)
		}
		if op.done && (!bytes.Equal(op.Buf[:op.N], m.data) || op.Err != m.err) {
			return fmt.Errorf("read %d: %d bytes %v, model %d bytes %v", i, op.N, op.Err, len(m.data), m.err)
		}
	}
	for i, op := range me.writes {
		m := me.modelWrites[i]
		if op.done != m.done || op.done && (op.N != m.n || op.Err != m.err) {
			return fmt.Errorf("write %d: done %v %d %v, model %v %d %v", i, op.done, op.N, op.Err, m.done, m.n, m.err)
		}
	}
	if st.pick%4 > 0 {
		return nil
	}
	return me.comparePeek()
}

func (me *side) comparePeek() error {
	p, err := me.end.Peek(make([]byte, 50))
	want := Peeked{State: Connected, Available: me.in.available()}
	if len(me.in.writes) > 0 {
		if me.in.typ == Message {
			first := me.in.writes[0]
			want.Length = len(first.rest)
			want.Read = min(50, want.Length)
			want.Left = want.Length - want.Read
			want.Messages = len(me.in.writes)
		} else {
			want.Read = min(50, want.Available)
			want.Left = -want.Read
		}
	}
	if err != nil || p != want {
		return fmt.Errorf("peek %+v %v, model %+v", p, err, want)
	}
	st := me.end.Status()
	if free := max(0, me.out.quota-me.out.used()-me.out.demand()); st.WriteQuota != free || st.Readable != want.Available {
		return fmt.Errorf("status %+v, model free %d readable %d", st, free, want.Available)
	}
	return nil
}

// shrink removes steps as long as the difference stays.
func shrink(t *testing.T, typ Mode, quota int, steps []step) []step {
	for size := len(steps) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(steps); {
			fewer := append(append([]step(nil), steps[:at]...), steps[at+size:]...)
			if replay(t, typ, quota, fewer) != nil {
				steps = fewer
			} else {
				at += size
			}
		}
	}
	return steps
}

var modelRuns = flag.Int("model.runs", 60, "random sequences per configuration of TestModel")

// TestModel runs random sequences of operations on the engine and on the model and compares every result, what peek
// shows and the free quota after each step.
func TestModel(t *testing.T) {
	for _, typ := range []Mode{Byte, Message} {
		for _, quota := range []int{0, 1, 10, 100} {
			t.Run(fmt.Sprintf("%v/%d", typ, quota), func(t *testing.T) {
				for seed := range uint64(*modelRuns) {
					steps := randomSteps(rand.New(rand.NewPCG(seed, uint64(quota))), 60)
					if err := replay(t, typ, quota, steps); err != nil {
						small := shrink(t, typ, quota, steps)
						t.Fatalf("seed %d: %v\nshrunk: %v\n%v", seed, err, replay(t, typ, quota, small), small)
					}
				}
			})
		}
	}
}

// TestDrain checks the end of data after every way of ending.
func TestDrain(t *testing.T) {
	s, c := newPair(t, Message, 10, 10)
	startWrite(s, "a")
	startWrite(s, "")
	if err := s.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	wantRead(t, c, 5, "a", nil)
	wantRead(t, c, 5, "", nil)
	wantRead(t, c, 5, "", io.EOF)
	wantWritten(t, c, startWrite(c, "still"), 5, nil)
	wantRead(t, s, 9, "still", nil)
	wantWritten(t, s, startWrite(s, "x"), 0, winerr.NoData)
}
