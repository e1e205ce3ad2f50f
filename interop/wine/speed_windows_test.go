package wine

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
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

// TestSpeed measures plain C on both ends and our Go on both ends, in turns, and logs the ratio of the best of each. The
// numbers are a report: what a busy machine measures is no reason to fail.
func TestSpeed(t *testing.T) {
	inC := func(args ...string) *exec.Cmd { return peerProgram(t, args...) }
	inGo := func(args ...string) *exec.Cmd {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), roleVariable+"="+strings.Join(args, " "))
		cmd.Stderr = os.Stderr
		return cmd
	}
	for _, m := range []struct {
		what, server, client string
		count, size          int
	}{
		{"round trip, 64 B", "pong", "ping", 2000, 64},
		{"one way, 64 KiB", "sink", "pour", 1000, 64 << 10},
	} {
		bestC, bestGo := time.Hour, time.Hour
		for range 3 {
			bestC = min(bestC, pairOf(t, inC, m.server, m.client, m.count, m.size))
			bestGo = min(bestGo, pairOf(t, inGo, m.server, m.client, m.count, m.size))
		}
		t.Logf("%s: C %v, Go %v: %.2f×", m.what, bestC, bestGo, float64(bestC)/float64(bestGo))
	}
}
