package soak

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe"
)

const idleConnections = 10_000

// raiseDescriptorLimit makes room for n descriptors.
func raiseDescriptorLimit(n uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Max < n {
		return fmt.Errorf("the hard limit of open files is %d, this needs %d; as root run: ulimit -Hn %d", limit.Max, n, n)
	}
	limit.Cur = limit.Max
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

// agentIdle serve NAME N, or dial NAME N: holds N connections and does nothing with them.
func agentIdle(args []string, in *bufio.Scanner) error {
	n, _ := strconv.Atoi(args[2])
	if err := raiseDescriptorLimit(uint64(n) + 100); err != nil {
		return err
	}
	conns := make(chan *anypipe.Conn, 1)
	errs := make(chan error, 1)
	switch args[0] {
	case "serve":
		l, err := new(anypipe.ListenConfig).Listen(background, args[1])
		if err != nil {
			return err
		}
		defer l.Close()
		say("ready")
		go produce(n, conns, errs, func() (*anypipe.Conn, error) { return l.AcceptPipe(background) })
	case "dial":
		go produce(n, conns, errs, func() (*anypipe.Conn, error) { return anypipe.Dial(background, args[1]) })
	}
	var held []*anypipe.Conn
	for range n {
		select {
		case c := <-conns:
			held = append(held, c)
			if waitIdle {
				go c.Read(make([]byte, 1))
			}
		case err := <-errs:
			return err
		}
	}
	say("all")
	for in.Scan() {
		if err := held[len(held)-1].SetModes(anypipe.Modes{}); err != nil {
			return err
		}
		say("here")
	}
	for _, c := range held {
		if err := c.Close(); err != nil {
			return err
		}
	}
	say("closed")
	return nil
}

func produce(n int, conns chan<- *anypipe.Conn, errs chan<- error, next func() (*anypipe.Conn, error)) {
	for range n {
		c, err := next()
		if err != nil {
			errs <- err
			return
		}
		conns <- c
	}
}

// usage is what a process uses.
type usage struct {
	resident, regions int // KiB; regions is the part of resident that is mapped regions
	holdings
}

func usageOf(t *testing.T, pid int) usage {
	t.Helper()
	u := usage{holdings: holdingsOf(t, pid)}
	smaps, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		t.Fatal(err)
	}
	region := false
	for line := range bytes.Lines(smaps) {
		fields := strings.Fields(string(line))
		switch {
		case fields[0] == "Rss:":
			kb, _ := strconv.Atoi(fields[1])
			u.resident += kb
			if region {
				u.regions += kb
			}
		case strings.Contains(fields[0], "-"):
			region = strings.Contains(string(line), "/memfd:anypipe")
		}
	}
	return u
}

// Ten thousand connections between two processes that say nothing. What they cost is logged; docs/performance.md has the
// figures that count.
func TestIdleConnections(t *testing.T) {
	useNamespace(t)
	if err := raiseDescriptorLimit(idleConnections + 100); err != nil {
		t.Fatal(err)
	}
	server := startAgent(t, "idle", "serve", "idle", idleConnections)
	server.expect("ready")
	client := startAgent(t, "idle", "dial", "idle", idleConnections)
	fresh := [2]usage{usageOf(t, server.pid()), usageOf(t, client.pid())}
	server.expect("all")
	client.expect("all")
	for i, a := range []*agent{server, client} {
		u := usageOf(t, a.pid())
		t.Logf("%s: %.1f KiB a connection (%.1f KiB of it region), %d descriptors, %d regions", []string{"server", "client"}[i],
			float64(u.resident-fresh[i].resident)/idleConnections, float64(u.regions)/idleConnections, u.descriptors, u.holdings.regions)
		if u.holdings.regions < idleConnections {
			t.Errorf("only %d regions", u.holdings.regions)
		}
	}
	idleCPU(t, server, client)
	client.ask("still there?", "here")
	server.ask("still there?", "here")
	for _, a := range []*agent{client, server} {
		a.in.Close()
		a.expect("closed")
	}
}

// idleCPU logs the CPU time of the processes over a second.
func idleCPU(t *testing.T, processes ...*agent) {
	t.Helper()
	before := time.Duration(0)
	for _, a := range processes {
		before += cpuOf(t, a.pid())
	}
	<-time.After(time.Second) // a measurement needs some time to measure
	after := time.Duration(0)
	for _, a := range processes {
		after += cpuOf(t, a.pid())
	}
	t.Logf("idle: %v of CPU time in a second", after-before)
}

// cpuOf adds up the CPU time of a process' threads.
func cpuOf(t *testing.T, pid int) (sum time.Duration) {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", pid, task.Name()))
		if err != nil {
			continue // the thread has ended
		}
		ns, _ := strconv.ParseInt(strings.Fields(string(stat))[0], 10, 64)
		sum += time.Duration(ns)
	}
	return sum
}

// agentBusy NAME N MESSAGES: N connections that all exchange checked messages at once.
func agentBusy(args []string, _ *bufio.Scanner) error {
	n, _ := strconv.Atoi(args[1])
	each, _ := strconv.Atoi(args[2])
	results := make(chan error)
	var opened, done sync.WaitGroup
	opened.Add(n)
	for i := range n {
		done.Go(func() {
			c, err := dialFor(background, args[0], "echo")
			opened.Done()
			if err != nil {
				results <- err
				return
			}
			defer c.Close()
			opened.Wait() // all at once
			results <- pingPong(c, uint64(i), 0, each, func() {})
		})
	}
	var first error
	for range n {
		if err := <-results; err != nil && first == nil {
			first = err
		}
	}
	done.Wait()
	if first != nil {
		return first
	}
	say("intact %d", n*each)
	return nil
}

// A thousand connections are busy at once; every message comes intact and in order.
func TestBusyConnections(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	if err := raiseDescriptorLimit(1100); err != nil {
		t.Fatal(err)
	}
	startServer(t, "busy", messages(), nil)
	for range rounds(1) {
		client := startAgent(t, "busy", "busy", 1000, 40)
		t.Logf("%s messages", client.expect("intact"))
	}
}
