//go:build linux || darwin || freebsd

package local

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// childEnv makes the test binary a child: another process, perhaps another user's, that does what its standard input says.
const childEnv = "ANYPIPE_TEST_CHILD"

// machineEnv gives a child another machineDir.
const machineEnv = "ANYPIPE_TEST_MACHINE_DIR"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		if dir := os.Getenv(machineEnv); dir != "" {
			machineDir = dir
		}
		runChild(os.Stdin, os.Stdout)
		return
	}
	code := m.Run()
	if copied := testBinary.dir; copied != "" {
		os.RemoveAll(copied)
	}
	os.Exit(code)
}

// childState is what a child has open.
type childState struct {
	instances []*Instance
	clients   []*Client
	unlock    func() error
}

// runChild answers each line with "ok …" or "CODE text".
func runChild(in io.Reader, out io.Writer) {
	var state childState
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		text, err := state.do(strings.Fields(lines.Text()))
		if err != nil {
			fmt.Fprintf(out, "%d %q\n", winerr.Code(err), err.Error())
			continue
		}
		fmt.Fprintf(out, "ok %s\n", text)
	}
}

func (s *childState) do(words []string) (string, error) {
	ctx := context.Background()
	arg := func(i int) string { return append(words, "", "", "")[i] }
	number := func(i int) int { n, _ := strconv.Atoi(arg(i)); return n }
	switch words[0] {
	case "create": // name, direction letter, limit, flag "first", SDDL
		cfg := config()
		cfg.MaxInstances = cmp.Or(number(3), npfs.UnlimitedInstances)
		cfg.Direction = map[string]npfs.Direction{"i": npfs.Inbound, "o": npfs.Outbound}[arg(2)]
		for _, w := range words[1:] {
			cfg.First = cfg.First || w == "first"
			if sddl, ok := strings.CutPrefix(w, "sddl="); ok {
				cfg.SDDL = sddl
			}
		}
		in, err := Create(ctx, arg(1), cfg)
		if err == nil {
			s.instances = append(s.instances, in)
		}
		return "", err
	case "close":
		return "", s.instances[number(1)].Close()
	case "connect":
		return "", s.instances[number(1)].Connect(ctx)
	case "disconnect":
		return "", s.instances[number(1)].Disconnect()
	case "peer":
		p, err := s.instances[number(1)].Peer()
		return fmt.Sprint(p.PID, p.UID), err
	case "read":
		b := make([]byte, 100)
		n, err := s.instances[number(1)].Read(b)
		return string(b[:n]), err
	case "open": // name, access
		access := npfs.Access(0)
		for _, c := range arg(2) {
			access |= map[rune]npfs.Access{'r': npfs.GenericRead, 'w': npfs.GenericWrite}[c]
		}
		c, err := Open(ctx, ".", arg(1), &npfs.OpenConfig{Access: access})
		if err == nil {
			s.clients = append(s.clients, c)
		}
		return "", err
	case "write":
		_, err := s.clients[number(1)].Write([]byte(arg(2)))
		return "", err
	case "wait":
		return "", Wait(ctx, ".", arg(1), time.Duration(number(2))*time.Millisecond)
	case "lock": // and keep it
		c, err := statClaim(claimPath(os.Getenv(dirEnv), arg(1)))
		if err == nil {
			s.unlock, err = c.lock(ctx)
		}
		return "", err
	}
	return "", errors.New("unknown command " + words[0])
}

// child is a process under a test's control.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// testBinary is a copy of the test binary that other users can run.
var testBinary struct {
	once sync.Once
	dir  string
	err  error
}

func publicBinary(t *testing.T) string {
	testBinary.once.Do(func() {
		testBinary.dir, testBinary.err = os.MkdirTemp("/tmp", "ap")
		if testBinary.err != nil {
			return
		}
		self, err := os.Executable()
		if err != nil {
			testBinary.err = err
			return
		}
		text, err := os.ReadFile(self)
		testBinary.err = errors.Join(err, os.Chmod(testBinary.dir, 0o755), os.WriteFile(filepath.Join(testBinary.dir, "child"), text, 0o755))
	})
	if testBinary.err != nil {
		t.Fatal(testBinary.err)
	}
	return filepath.Join(testBinary.dir, "child")
}

// startChild starts a child as this user.
func startChild(t *testing.T, env ...string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return start(t, exec.Command(self), env)
}

// The other user, and a group that the kernel knows it to be in and no file does.
const (
	nobody       = 65534
	nobodysGroup = 4242
)

// startNobody starts a child as another user, which only root can.
func startNobody(t *testing.T, env ...string) *child {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start a process of another user")
	}
	cmd := exec.Command(publicBinary(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody, Groups: []uint32{nobodysGroup}}}
	cmd.Dir = "/"
	return start(t, cmd, env)
}

func start(t *testing.T, cmd *exec.Cmd, env []string) *child {
	t.Helper()
	cmd.Env = append(append(os.Environ(), childEnv+"=1"), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t, cmd, in, bufio.NewReader(out)}
	t.Cleanup(c.kill)
	return c
}

// begin sends a command; result reads its answer.
func (c *child) begin(command string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, command+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

func (c *child) result() string {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		c.t.Fatalf("the child does not answer: %v", err)
	}
	return strings.TrimSpace(line)
}

// must sends a command that must succeed and returns what it says.
func (c *child) must(command string) string {
	c.t.Helper()
	c.begin(command)
	text, ok := strings.CutPrefix(c.result(), "ok")
	if !ok {
		c.t.Fatalf("%s: %s", command, text)
	}
	return strings.TrimSpace(text)
}

// fails sends a command that must fail with the code, and returns the text.
func (c *child) fails(command string, want *winerr.Error) string {
	c.t.Helper()
	c.begin(command)
	line := c.result()
	if !strings.HasPrefix(line, strconv.Itoa(int(want.Code))+" ") {
		c.t.Errorf("%s: %s, want %v", command, line, want)
	}
	return line
}

// kill ends the child as kill -9 does, and waits until it is gone.
func (c *child) kill() {
	if c.cmd.ProcessState == nil {
		c.cmd.Process.Kill()
		c.cmd.Wait()
	}
}
