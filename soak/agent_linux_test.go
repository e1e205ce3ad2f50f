package soak

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// runAgent is the test binary as one of the programs that tests need beside themselves. Each gets its arguments and its standard
// input, whose end means that the test is over.
func runAgent(role []string) int {
	agents := map[string]func(args []string, in *bufio.Scanner) error{
		"serve": agentServe, "load": agentLoad, "churn": agentChurn, "create": agentCreate, "honest": agentHonest,
		"scribble": agentScribble, "flood": agentFlood, "victim": agentVictim, "idle": agentIdle, "busy": agentBusy,
		"few": agentFew, "spy": agentSpy, "withdraw": agentWithdraw, "reader": agentReader,
	}
	run := agents[role[0]]
	if run == nil {
		fmt.Fprintln(os.Stderr, "no agent", role[0])
		return 2
	}
	if err := run(role[1:], bufio.NewScanner(os.Stdin)); err != nil {
		fmt.Printf("failed %q\n", err)
		return 1
	}
	return 0
}

// say prints one line for the test.
func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// agent is an agent's process under a test's control.
type agent struct {
	t    *testing.T
	role string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *os.File
	read *bufio.Reader
	once sync.Once
}

// startAgent starts an agent as this user.
func startAgent(t *testing.T, role string, args ...any) *agent {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return start(t, exec.Command(self), role, args)
}

// publicBinary is a copy of the test binary that other users can run.
var publicBinary struct {
	once sync.Once
	dir  string
	err  error
}

// nobody is the other user.
const nobody = 65534

// startNobody starts an agent as another user.
func startNobody(t *testing.T, role string, args ...any) *agent {
	t.Helper()
	needRoot(t)
	p := &publicBinary
	p.once.Do(func() {
		if p.dir, p.err = os.MkdirTemp("/tmp", "aps"); p.err != nil {
			return
		}
		self, err := os.Executable()
		if err != nil {
			p.err = err
			return
		}
		text, err := os.ReadFile(self)
		p.err = errors.Join(err, os.Chmod(p.dir, 0o755), os.WriteFile(filepath.Join(p.dir, "agent"), text, 0o755))
	})
	if p.err != nil {
		t.Fatal(p.err)
	}
	cmd := exec.Command(filepath.Join(p.dir, "agent"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	cmd.Dir = "/"
	return start(t, cmd, role, args)
}

func start(t *testing.T, cmd *exec.Cmd, role string, args []any) *agent {
	t.Helper()
	cmd.Env = append(os.Environ(), roleEnv+"="+role+" "+strings.TrimSuffix(fmt.Sprintln(args...), "\n"),
		"GORACE=atexit_sleep_ms=0") // or each agent's end takes a second under the race detector
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = childOut
	err = cmd.Start()
	childOut.Close()
	if err != nil {
		out.Close()
		t.Fatal(err)
	}
	a := &agent{t: t, role: role, cmd: cmd, in: in, out: out, read: bufio.NewReader(out)}
	t.Cleanup(a.kill)
	return a
}

// kill ends the agent as kill -9 does, and waits until it is gone.
func (a *agent) kill() {
	a.once.Do(func() {
		a.cmd.Process.Kill()
		a.cmd.Wait()
		a.in.Close()
		a.out.Close()
	})
}

func (a *agent) pid() int { return a.cmd.Process.Pid }

// tell sends one line.
func (a *agent) tell(format string, args ...any) {
	a.t.Helper()
	if _, err := fmt.Fprintf(a.in, format+"\n", args...); err != nil {
		a.t.Fatalf("%s: %v", a.role, err)
	}
}

// line returns the agent's next line.
func (a *agent) line() string {
	a.t.Helper()
	a.out.SetReadDeadline(time.Now().Add(tooLong))
	line, err := a.read.ReadString('\n')
	if err != nil {
		a.t.Fatalf("agent %s says no more: %v", a.role, err)
	}
	return strings.TrimSpace(line)
}

// expect returns what follows the word in the agent's next line, which must begin with it.
func (a *agent) expect(word string) string {
	a.t.Helper()
	line := a.line()
	rest, ok := strings.CutPrefix(line, word)
	if !ok {
		a.t.Fatalf("agent %s says %q instead of %q", a.role, line, word)
	}
	return strings.TrimSpace(rest)
}

// ask sends a line and expects the word.
func (a *agent) ask(command, word string) string {
	a.t.Helper()
	a.tell("%s", command)
	return a.expect(word)
}
