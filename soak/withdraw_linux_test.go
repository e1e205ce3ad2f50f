package soak

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/anypipe/anypipe"
)

// narrow makes most writes block, so that they can be taken back while the other end reads.
func narrow() *anypipe.ListenConfig {
	return &anypipe.ListenConfig{Type: anypipe.Message, ReadMode: anypipe.Message, InBuffer: 300, OutBuffer: 300}
}

// receipts is what follows the messages of withdrawing: which of them were written, in bits.
const receipts = "receipts"

// withdrawing writes n checked messages of the stream, several of them at a time, and takes back many of those that block, at any moment.
// Behind them go the receipts.
func withdrawing(c *anypipe.Conn, stream uint64, n int, random *rand.Rand) error {
	written := make([]byte, (n+7)/8)
	for first := 0; first < n; {
		batch := min(1+random.IntN(5), n-first)
		ops, sizes := make([]*anypipe.Operation, batch), make([]int, batch)
		for i := range ops {
			buf := checked(nil, stream, uint64(first+i)*8+1) // small ones
			ops[i], sizes[i] = c.StartWrite(buf), len(buf)
		}
		for i := batch - 1; i >= 0; i-- { // the newest first
			if random.IntN(3) > 0 {
				for range random.IntN(200) {
					ops[i].Done()
				}
				if err := ops[i].Cancel(); err != nil && !errors.Is(err, anypipe.ErrNotFound) {
					return err
				}
			}
		}
		for i, op := range ops {
			switch k, err := op.Wait(background); {
			case err == nil && k == sizes[i]:
				written[(first+i)/8] |= 1 << ((first + i) % 8)
			case !errors.Is(err, anypipe.ErrAborted) || k != 0:
				return fmt.Errorf("message %d: %d of %d bytes, %w", first+i, k, sizes[i], err)
			}
		}
		first += batch
	}
	_, err := c.Write(append([]byte(receipts), written...))
	return err
}

// receiving reads what withdrawing writes: each message that was written, whole and in order, and no other.
func receiving(c *anypipe.Conn, stream uint64) (n, taken int, err error) {
	got := map[int]bool{}
	var msg, scratch []byte
	for last := -1; ; {
		if msg, err = c.AppendMessage(msg[:0]); err != nil {
			return 0, 0, err
		}
		if len(msg) > len(receipts) && string(msg[:len(receipts)]) == receipts {
			break
		}
		if len(msg) < checkedOverhead {
			return 0, 0, fmt.Errorf("a message of %d bytes", len(msg))
		}
		seq := binary.LittleEndian.Uint64(msg)
		if scratch, err = verify(msg, scratch, stream, seq); err != nil {
			return 0, 0, err
		}
		i := int(seq / 8)
		if i <= last {
			return 0, 0, fmt.Errorf("message %d after %d", i, last)
		}
		got[i], last = true, i
	}
	written := msg[len(receipts):]
	for i := range len(written) * 8 {
		switch was := written[i/8]>>(i%8)&1 == 1; {
		case was && !got[i]:
			return 0, 0, fmt.Errorf("message %d was written and never came", i)
		case !was && got[i]:
			return 0, 0, fmt.Errorf("message %d was taken back and came", i)
		}
	}
	return len(written) * 8, len(got), nil
}

// agentWithdraw NAME SEED MESSAGES: a client that takes back.
func agentWithdraw(args []string, _ *bufio.Scanner) error {
	seed, _ := strconv.ParseUint(args[1], 10, 64)
	n, _ := strconv.Atoi(args[2])
	c, err := anypipe.Dial(background, args[0])
	if err != nil {
		return err
	}
	defer c.Close()
	if err := withdrawing(c, seed, n, rand.New(rand.NewPCG(seed, 9))); err != nil {
		return err
	}
	if err := c.Flush(); err != nil {
		return err
	}
	say("done")
	return nil
}

// Blocked writes are cancelled, at any moment, while the other end takes messages without a claim: each message comes or is taken back,
// never both or neither, and none is torn. Within a process and across two.
func TestWithdrawalsRaceReads(t *testing.T) {
	const each = 4000
	guardHoldings(t)
	useNamespace(t)
	l, err := narrow().Listen(t.Context(), "withdraw")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for seed := range rounds(4) {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			var client sync.WaitGroup
			defer client.Wait()
			if seed%2 == 0 {
				client.Go(func() {
					c, err := anypipe.Dial(background, "withdraw")
					if err == nil {
						err = errors.Join(withdrawing(c, uint64(seed), each, rand.New(rand.NewPCG(uint64(seed), 9))), c.Flush(), c.Close())
					}
					if err != nil {
						t.Error(err)
					}
				})
			} else {
				a := startAgent(t, "withdraw", "withdraw", seed, each)
				defer a.expect("done")
			}
			c, err := l.AcceptPipe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			n, taken, err := receiving(c, uint64(seed))
			if err != nil {
				t.Fatal(err)
			}
			if taken == 0 || taken == n {
				t.Errorf("%d of %d messages came: nothing raced", taken, n)
			}
			t.Logf("%d of %d messages came", taken, n)
		})
	}
}

// agentReader NAME: a client that reads messages until its server throws it off, and says how many came, again and again.
func agentReader(args []string, _ *bufio.Scanner) error {
	for {
		c, err := anypipe.Dial(background, args[0])
		if err != nil {
			return err
		}
		came, err := countMessages(c)
		c.Close()
		if err != nil {
			return err
		}
		say("came %d", came)
	}
}

// countMessages reads checked messages in order until the other end has gone.
func countMessages(c *anypipe.Conn) (n int, err error) {
	err = drain(c, func() { n++ })
	if errors.Is(err, anypipe.ErrNotConnected) || errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// A server disconnects at any moment while its writes block and the client reads. What a failed write says was not read, was not, and
// nothing is torn; what was written and not read is gone.
func TestDisconnectRacesReads(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	in, err := narrow().Create(t.Context(), "withdraw")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	a := startAgent(t, "reader", "withdraw")
	random := rand.New(rand.NewPCG(1, 10))
	blocked := 0
	for range rounds(600) {
		if err := in.Connect(t.Context()); err != nil && !errors.Is(err, anypipe.ErrPipeConnected) {
			t.Fatal(err)
		}
		var ops []*anypipe.Operation
		var sizes []int
		for i := range 3 + random.IntN(8) {
			buf := checked(nil, 0, uint64(i))
			ops, sizes = append(ops, in.StartWrite(buf)), append(sizes, len(buf))
		}
		for range random.IntN(300) {
			ops[len(ops)-1].Done()
		}
		if err := in.Disconnect(); err != nil {
			t.Fatal(err)
		}
		written, unread := 0, -1
		for i, op := range ops {
			switch k, err := op.Wait(t.Context()); {
			case err == nil && k == sizes[i] && unread < 0:
				written++
			case errors.Is(err, anypipe.ErrNotConnected) && k == 0:
				unread = i
				blocked++
			default:
				t.Fatalf("write %d: %d of %d bytes, %v", i, k, sizes[i], err)
			}
		}
		came, err := strconv.Atoi(a.expect("came"))
		if err != nil {
			t.Fatal(err)
		}
		if came > written {
			t.Fatalf("%d messages came, though %d writes say that they were not read and only %d that they were", came, len(ops)-written, written)
		}
	}
	if blocked == 0 {
		t.Error("no write was blocked")
	}
	t.Logf("%d writes were blocked", blocked)
}
