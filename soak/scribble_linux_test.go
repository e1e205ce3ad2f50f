package soak

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe"
)

// agentScribble NAME SEED ROUNDS: a client that writes anything anywhere into its connections' regions.
func agentScribble(args []string, _ *bufio.Scanner) error {
	seed, _ := strconv.ParseUint(args[1], 10, 64)
	n, _ := strconv.Atoi(args[2])
	random := rand.New(rand.NewPCG(seed, 7))
	opened := 0
	for range n {
		r, err := openRaw(args[0])
		if busy := refused(0); errors.As(err, &busy) {
			continue // every instance is taken at the moment
		}
		if err != nil {
			return err
		}
		opened++
		if err := r.mayNotResize(); err != nil {
			return err
		}
		for range 1 + random.IntN(300) {
			r.scribble(random)
		}
		if random.IntN(2) == 0 {
			r.sock.CloseWrite()
		}
		r.close()
	}
	say("done %d", opened)
	return nil
}

// mayNotResize tries to pull the region's memory away or to make it larger.
func (r *raw) mayNotResize() error {
	for _, size := range []int64{0, 4096, int64(len(r.mem)) * 2} {
		if err := unix.Ftruncate(r.fd, size); !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("the region can be made %d bytes: %v", size, err)
		}
	}
	if _, err := unix.FcntlInt(uintptr(r.fd), unix.F_ADD_SEALS, unix.F_SEAL_FUTURE_WRITE); !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("the region can be sealed further: %v", err)
	}
	return nil
}

// scribble does one hostile thing.
func (r *raw) scribble(random *rand.Rand) {
	switch random.IntN(12) {
	case 0: // anything in a control word
		r.word(64 + random.IntN(controlEnd-64)).Store(random.Uint64())
	case 1: // something near what is there
		w := r.word(64 + random.IntN(controlEnd-64))
		w.Store(w.Load() + uint64(random.IntN(9)) - 4)
	case 2: // one bit
		w := r.word(64 + random.IntN(controlEnd-64))
		w.Store(w.Load() ^ 1<<random.IntN(64))
	case 3: // lengths in the rings
		at := random.IntN(len(r.mem)-4) &^ 3
		binary.LittleEndian.PutUint32(r.mem[at:], random.Uint32()>>random.IntN(32))
	case 4: // a feed or an announcement that is none
		lane := laneIn + laneSize*random.IntN(2)
		r.word(lane + laneSlot).Store(random.Uint64()>>random.IntN(64)&^3 | uint64(random.IntN(4)))
	case 5: // holes: the pages read as zeros
		unix.Fallocate(r.fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, int64(random.IntN(len(r.mem))))
	case 6: // descriptors and garbage on the doorbell
		r.say(make([]byte, 1+random.IntN(100)), unix.UnixRights(r.fd, r.fd, r.fd))
	case 7: // a message that is longer than it says
		r.word(laneIn + laneTail).Add(uint64(random.IntN(64)))
		r.ring()
	case 8:
		r.word(clientAsleep &^ 7).Store(random.Uint64())
		r.ring()
	default: // honest work reaches deeper states
		r.send([]byte("echo"))
	}
}

// poke uses everything that a server end can do.
func poke(c *anypipe.Conn) {
	defer c.Close()
	var users sync.WaitGroup
	users.Go(func() {
		for buf := []byte(nil); ; {
			c.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
			msg, err := c.AppendMessage(buf[:0])
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, anypipe.ErrMoreData) {
				return
			}
			buf = msg
		}
	})
	users.Go(func() {
		for i := 0; ; i++ {
			c.SetWriteDeadline(time.Now().Add(5 * time.Millisecond))
			_, err := c.Write(make([]byte, i*37%20000))
			if err == nil && i%3 == 0 {
				err = c.Flush()
			}
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				return
			}
		}
	})
	users.Go(func() {
		p := make([]byte, 1000)
		for {
			if _, err := c.Peek(p); err != nil {
				return
			}
			if info, err := c.Info(); err != nil || info.State != anypipe.Connected {
				return
			}
		}
	})
	users.Wait()
}

// poked is a server whose connections are all poked.
func poked(t *testing.T, name string) {
	t.Helper()
	lc := messages()
	lc.MaxMessage = 1 << 20
	l, err := lc.Listen(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.AcceptPipe(background)
			if err != nil {
				return
			}
			all.Go(func() { poke(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
}

// Clients scribble over their regions while the server reads, writes, peeks, flushes and cancels. It lives, its other
// connections go on, and when the clients are gone nothing of them is left.
func TestScribblingClients(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	startServer(t, "good", messages(), nil)
	poked(t, "attacked")
	b := startBystander(t, "good")
	const each = 25
	attacked, intact := 0, 0
	b.intact() // from now on
	for i := range rounds(6) {
		agents := []*agent{startAgent(t, "scribble", "attacked", 2*i, each), startAgent(t, "scribble", "attacked", 2*i+1, each)}
		for _, a := range agents {
			n, err := strconv.Atoi(a.expect("done"))
			if err != nil || n == 0 {
				t.Errorf("%d connections scribbled over, %v", n, err)
			}
			attacked += n
		}
		intact += b.intact()
	}
	if intact == 0 {
		t.Error("no messages of others went through meanwhile")
	}
	t.Logf("%d connections scribbled over; %d messages of others meanwhile", attacked, intact)
	b.untouched()
}

// A client holds what an honest one holds for the length of a copy only, and never lets go: the server's call ends with a
// clear error, others are not held up.
func TestStallingClients(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	startServer(t, "good", messages(), nil)
	b := startBystander(t, "good")
	past := time.Unix(1, 0)
	for what, attack := range map[string]func(r *raw, c *anypipe.Conn) error{
		"the writer's claim": func(r *raw, c *anypipe.Conn) error {
			r.send([]byte("hello"))
			r.word(laneIn + lanePosition).Or(2)
			_, err := c.ReadMessage()
			return err
		},
		"the reader's claim": func(r *raw, c *anypipe.Conn) error {
			r.word(laneIn + laneSize + lanePosition).Or(1)
			c.SetWriteDeadline(past.Add(time.Since(past) + time.Millisecond))
			_, err := c.Write(make([]byte, 100_000)) // more than the quota: waits, and is to be withdrawn
			return err
		},
		"the slot": func(r *raw, c *anypipe.Conn) error {
			done := make(chan error)
			go func() { _, err := c.ReadMessage(); done <- err }()
			for r.word(laneIn+laneSlot).Load()&3 != 1 { // announced
				runtime.Gosched()
			}
			r.word(laneIn + laneSlot).Store(2 | 4 | 1<<60) // fed, with data that never comes
			c.SetReadDeadline(past)
			return <-done
		},
	} {
		t.Run(what, func(t *testing.T) {
			in, err := messages().Create(t.Context(), "attacked")
			if err != nil {
				t.Fatal(err)
			}
			r := mustOpenRaw(t, "attacked")
			done := make(chan error)
			go func() { done <- attack(r, &in.Conn) }()
			b.intact() // from now on
			err = <-done
			intact := b.intact()
			if !errors.Is(err, io.EOF) && !errors.Is(err, anypipe.ErrBrokenPipe) && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v", err)
			}
			b.untouched()
			t.Logf("%v; %d messages of others meanwhile", err, intact)
			if err := in.Disconnect(); err != nil {
				t.Errorf("disconnect: %v", err)
			}
			if err := r.closedByServer(); err != nil {
				t.Error(err)
			}
			if err := in.Connect(canceledContext()); !errors.Is(err, context.Canceled) {
				t.Errorf("connect: %v", err)
			}
			c, err := anypipe.Dial(t.Context(), "attacked")
			if err != nil {
				t.Fatalf("the next client: %v", err)
			}
			c.Close()
			if err := in.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Many calls wait at an end whose client never lets go of its claim. Closing it takes as long as one stall, not one for each.
func TestStallingClientDoesNotHoldUpClose(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	in, err := messages().Create(t.Context(), "attacked")
	if err != nil {
		t.Fatal(err)
	}
	r := mustOpenRaw(t, "attacked")
	const writers = 100 // which would be more than tooLong in all
	results := make(chan error)
	for range writers {
		go func() { _, err := in.Write(make([]byte, 5000)); results <- err }()
	}
	for range polls(t, "the writes to block") {
		if r.word(laneIn+laneSize+laneWaiting).Load() >= (writers-50)*5000 {
			break
		}
	}
	r.word(laneIn + laneSize + lanePosition).Or(1)
	closing := make(chan error)
	go func() { closing <- in.Close() }()
	select {
	case err := <-closing:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(tooLong):
		t.Fatal("Close does not come back")
	}
	for range writers {
		if err := <-results; err == nil {
			t.Error("a write of nobody's succeeded")
		}
	}
}

func canceledContext() context.Context {
	ctx, cancel := context.WithCancel(background)
	cancel()
	return ctx
}
