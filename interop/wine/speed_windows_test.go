package wine

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/anypipe/anypipe"
)

var background = context.Background()

// roleVariable in the environment makes this binary a peer as peer.c is: pong, sink, ping or pour.
const roleVariable = "ANYPIPE_WINE_ROLE"

func TestMain(m *testing.M) {
	role := strings.Fields(os.Getenv(roleVariable))
	if len(role) == 0 {
		os.Exit(m.Run())
	}
	if err := play(role); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

// play is main of the Go peer.
func play(role []string) error {
	switch role[0] {
	case "pong", "sink":
		return answer(role[1], role[0] == "pong")
	}
	count, err := strconv.Atoi(role[2])
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(role[3])
	if err != nil {
		return err
	}
	return measure(role[1], count, size, role[0] == "ping")
}

func answer(name string, back bool) error {
	cfg := &anypipe.ListenConfig{Type: anypipe.Message, ReadMode: anypipe.Message}
	in, err := cfg.Create(background, name)
	if err != nil {
		return err
	}
	defer in.Close()
	fmt.Println("ready")
	if err := in.Connect(background); err != nil {
		return err
	}
	p := make([]byte, 64<<10)
	for {
		n, err := in.Read(p)
		if err == io.EOF {
			return nil
		}
		if err == nil && back {
			_, err = in.Write(p[:n])
		}
		if err != nil {
			return err
		}
	}
}

func measure(name string, count, size int, back bool) error {
	d := &anypipe.Dialer{ReadMode: anypipe.Message}
	c, err := d.Dial(background, name)
	if err != nil {
		return err
	}
	defer c.Close()
	p := make([]byte, size)
	began := time.Now()
	for range count {
		if _, err := c.Write(p); err != nil {
			return err
		}
		if !back {
			continue
		}
		if _, err := c.Read(p); err != nil {
			return err
		}
	}
	if err := c.Flush(); err != nil {
		return err
	}
	fmt.Println(time.Since(began).Nanoseconds() / int64(count))
	return nil
}

// pairOf runs a server and a client of the same kind and returns what the client measured.
func pairOf(t *testing.T, program func(args ...string) *exec.Cmd, server, client string, count, size int) time.Duration {
	t.Helper()
	name := fmt.Sprintf(`%s-%d`, pipeName(t), time.Now().UnixNano())
	wait := startServer(t, program(server, name))
	out, err := program(client, name, strconv.Itoa(count), strconv.Itoa(size)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(ns)
}

// enough is how much of C's speed our ends are to reach in Wine. A busy machine may take a run's figures anywhere, so each is
// a median over rounds, in which C and Go take turns, and what is too slow is measured again.
const (
	enough = 0.7
	rounds = 7
	tries  = 3
)

// TestSpeed measures plain C on both ends and our Go on both ends. C uses synchronous handles, as the tutorials do: that is the
// least work that a Win32 program can have.
func TestSpeed(t *testing.T) {
	inC := func(args ...string) *exec.Cmd { return peerProgram(t, args...) }
	inGo := func(args ...string) *exec.Cmd { return victim(t, strings.Join(args, " ")) }
	for _, m := range []struct {
		what, server, client string
		count, size          int
	}{
		{"round trip, 64 B", "pong", "ping", 2000, 64},
		{"one way, 64 KiB", "sink", "pour", 1000, 64 << 10},
	} {
		var median float64
		for range tries {
			var ratios []float64
			for range rounds {
				c := pairOf(t, inC, m.server, m.client, m.count, m.size)
				g := pairOf(t, inGo, m.server, m.client, m.count, m.size)
				ratios = append(ratios, float64(c)/float64(g))
			}
			slices.Sort(ratios)
			median = ratios[rounds/2]
			t.Logf("%s: of C's speed, median of %d (lowest %.2f, highest %.2f): %.2f×", m.what, rounds, ratios[0], ratios[rounds-1], median)
			if median >= enough {
				break
			}
		}
		if median < enough {
			t.Errorf("%s: %.2f of C's speed in the last of %d tries, want %.1f", m.what, median, tries, enough)
		}
	}
}
