package pipetest

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anypipe/anypipe"
	"github.com/anypipe/anypipe/testdata/semantics"
)

// Backend is what the suite runs on.
type Backend struct {
	// Name is in lower case; exceptions in the scripts name it.
	Name string
	// Traits are more names that exceptions may use, such as "unprivileged".
	Traits []string
	// Server creates the instances and Client opens them; nil means this machine's pipes.
	Server, Client anypipe.Transport
	// Host is the server name in the names that clients use; empty means this machine.
	Host string
	// OneProcess: server ends and client ends can't be in different processes.
	OneProcess bool
}

// Summary says what Run ran.
type Summary struct {
	Cases         int            // numbered cases that ran in some way
	Runs          int            // cases × values × one process, two processes
	ProcessesOnly int            // cases that make no sense inside one process, as they kill a process
	Exceptions    map[int]string // reasons of the exceptions that were used, by case
	By            map[string]int // how many cases each name that exceptions have (the backend's or a trait) excepts
}

// String is one line for a log.
func (s Summary) String() string {
	text := fmt.Sprintf("%d cases, %d runs, %d cases between processes only, %d exceptions",
		s.Cases, s.Runs, s.ProcessesOnly, len(s.Exceptions))
	for _, name := range slices.Sorted(maps.Keys(s.By)) {
		text += fmt.Sprintf(", %d for %s", s.By[name], name)
	}
	return text
}

// Main is what a package's TestMain calls: it runs the tests, or is an agent if Run started this process as one. Without
// ANYPIPE_DIR in the environment the tests get a pipe directory of their own.
func Main(m *testing.M, backends ...Backend) {
	name, isAgent := os.LookupEnv(agentVariable)
	if !isAgent {
		os.Exit(runTests(m))
	}
	i := slices.IndexFunc(backends, func(b Backend) bool { return b.Name == name })
	if i < 0 {
		fmt.Fprintf(os.Stderr, "TestMain does not give pipetest.Main the backend %q\n", name)
		os.Exit(2)
	}
	if err := serve(&backends[i], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(1)
	}
}

func runTests(m *testing.M) int {
	const variable = "ANYPIPE_DIR"
	if os.Getenv(variable) == "" {
		dir, err := os.MkdirTemp("", "ap") // short, as it becomes part of socket paths
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		os.Setenv(variable, dir)
	}
	return m.Run()
}

// Run runs every case of the semantics scripts on the backend, inside one process and between two, the drop-in cases
// and golang.org/x/net/nettest.
func Run(t *testing.T, b Backend) Summary {
	return RunScripts(t, b, semantics.Scripts)
}

// RunScripts is Run with other scripts.
func RunScripts(t *testing.T, b Backend, scripts fs.FS) Summary {
	cases, err := LoadScripts(scripts)
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{backend: &b, unique: strconv.FormatInt(time.Now().UnixNano(), 36)}
	s.sum.Exceptions, s.sum.By = make(map[int]string), make(map[string]int)
	t.Run("one-process", func(t *testing.T) { s.runInside(t, cases) })
	if !b.OneProcess {
		t.Run("two-processes", func(t *testing.T) { s.runBetween(t, cases) })
	}
	t.Run("drop-in", func(t *testing.T) { s.runDropIn(t) })
	t.Run("nettest", func(t *testing.T) { s.runNettest(t) })
	t.Logf("%s: %v", b.Name, s.sum)
	return s.sum
}

// suite is one Run.
type suite struct {
	backend *Backend
	unique  string // part of all pipe names, so that two runs on one machine don't meet

	mu      sync.Mutex // guards below
	sum     Summary
	counted [Cases + 1]bool
}

// agents are where a case's actors live.
type agents struct {
	servers, clients     *link
	serverPID, clientPID int
	mode                 string // part of pipe names
	separate             bool   // they are processes of their own
}

func (s *suite) runInside(t *testing.T, cases []Case) {
	here := startHere(s.backend)
	t.Cleanup(func() { closeLink(t, here) })
	a := &agents{servers: here, clients: here, serverPID: os.Getpid(), clientPID: os.Getpid(), mode: "a"}
	s.runAll(t, cases, a)
}

func (s *suite) runBetween(t *testing.T, cases []Case) {
	s.runAll(t, cases, s.startAgents(t, "b"))
}

// startAgents starts a process for the server actors and one for the client actors; they end with t.
func (s *suite) startAgents(t *testing.T, mode string) *agents {
	a := &agents{mode: mode, separate: true}
	for _, l := range []**link{&a.servers, &a.clients} {
		started, err := startProcess(s.backend)
		if err != nil {
			t.Fatal(err)
		}
		*l = started
		t.Cleanup(func() { closeLink(t, started) })
	}
	a.serverPID, a.clientPID = a.servers.pid, a.clients.pid
	return a
}

func closeLink(t *testing.T, l *link) {
	if err := l.close(); err != nil {
		t.Error(err)
	}
}

// runAll runs the cases in parallel. The group subtest ends when all are done.
func (s *suite) runAll(t *testing.T, cases []Case, a *agents) {
	t.Run("cases", func(t *testing.T) {
		for i := range cases {
			c := &cases[i]
			for _, value := range valuesOf(c) {
				t.Run(caseName(c, value), func(t *testing.T) {
					t.Parallel()
					s.runCase(t, c, value, a)
				})
			}
		}
	})
}

// valuesOf returns the values that the case runs with; one empty value if it has no variable.
func valuesOf(c *Case) []string {
	if c.Variable == "" {
		return []string{""}
	}
	return c.Values
}

func caseName(c *Case, value string) string {
	name := fmt.Sprintf("%s/%03d", c.Section, c.Number)
	if value != "" {
		name += "-" + value
	}
	return name
}

// runCase runs one case with one value, unless the backend's exception leaves nothing to run.
func (s *suite) runCase(t *testing.T, c *Case, value string, a *agents) {
	steps := c.Steps
	if e := s.backend.exception(c); e != nil {
		steps = e.Steps
		s.count(c, func(sum *Summary) { sum.except(c.Number, e) })
		t.Logf("exception for %s: %s", e.Backend, e.Reason)
	}
	kills := slices.ContainsFunc(steps, func(s Step) bool { return s.Call.Verb == "kill" })
	if kills && !a.separate {
		s.count(c, func(sum *Summary) { sum.ProcessesOnly++ })
		return // it runs between processes
	}
	if len(steps) == 0 {
		return // the exception is in the summary
	}
	if kills {
		a = s.startAgents(t, a.mode+"k")
	}
	s.count(c, func(sum *Summary) { sum.Runs++ })
	if err := s.play(t.Context(), c, steps, value, a); err != nil {
		t.Errorf("case %d: %s\n%s.txt:%v", c.Number, c.Title, c.Section, err)
	}
}

// except notes that a case was replaced by an exception.
func (s *Summary) except(number int, e *Exception) {
	if s.Exceptions[number] == "" {
		s.By[e.Backend]++
	}
	s.Exceptions[number] = e.Reason
}

// exception returns the case's exception for the backend, or nil.
func (b *Backend) exception(c *Case) *Exception {
	for i := range c.Exceptions {
		if e := &c.Exceptions[i]; e.Backend == b.Name || slices.Contains(b.Traits, e.Backend) {
			return e
		}
	}
	return nil
}

func (s *suite) count(c *Case, add func(*Summary)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.counted[c.Number] {
		s.counted[c.Number] = true
		s.sum.Cases++
	}
	add(&s.sum)
}

// play runs the steps and ends the case in all agents, also after a failure.
func (s *suite) play(ctx context.Context, c *Case, steps []Step, value string, a *agents) error {
	st := &stage{suite: s, agents: a, ctx: ctx, key: a.mode + caseName(c, value), calls: make(map[string]*Step)}
	st.setVariables(c, value)
	var err error
	for i := range steps {
		if err = st.step(&steps[i]); err != nil {
			err = fmt.Errorf("%d: %s: %w", steps[i].Line, steps[i].Text, err)
			break
		}
	}
	if ended := st.end(); err == nil && ended != nil {
		err = fmt.Errorf("%d: at the end: %w", c.Line, ended)
	}
	return err
}

// localPrefix begins the names of this machine's pipes.
const localPrefix = `\\.\pipe\`

func (st *stage) setVariables(c *Case, value string) {
	short := strings.ToLower(fmt.Sprintf("t%s-%s%03d%s", st.suite.unique, st.agents.mode, c.Number, value))
	long := localPrefix + short + "-"
	long += strings.Repeat("x", anypipe.MaxName-len(long))
	pairs := []string{"$P", localPrefix + short, "$U", short, "$L256", long, "$L257", long + "x",
		"$SPID", strconv.Itoa(st.agents.serverPID), "$CPID", strconv.Itoa(st.agents.clientPID)}
	if c.Variable != "" {
		pairs = append(pairs, c.Variable, value)
	}
	st.variables, st.pipe = strings.NewReplacer(pairs...), localPrefix+short
}
