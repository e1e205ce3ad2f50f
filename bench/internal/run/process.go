package run

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/host"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// Role is what a process of this program is, told by its arguments: -peer ROLE [spec].
type Role string

const (
	Server Role = "server"
	Client Role = "client"
	Hog    Role = "hog" // computes until its input ends
)

// PeerFlag comes before the role.
const PeerFlag = "-peer"

// process is a running child with its three streams. It ends when its input is closed, or is killed with its context.
type process struct {
	role  Role
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
	said  tail // standard error
}

// tail keeps the last of what a process says on standard error.
type tail struct{ bytes.Buffer }

const maxSaid = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.Buffer.Write(p)
	if over := t.Len() - maxSaid; over > 0 {
		t.Next(over)
	}
	return len(p), nil
}

// command is this program, or the contender's own, in the given role.
func (r *Runner) command(ctx context.Context, c contender.Contender, role Role, s *spec.Spec) (*exec.Cmd, error) {
	if c.Program != "" {
		return exec.CommandContext(ctx, program(r.Programs, c.Program), append([]string{string(role)}, s.Args()...)...), nil
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, self, PeerFlag, string(role), string(text)), nil
}

// start starts a process whose namespace of pipes is the measurement's own directory.
func (r *Runner) start(ctx context.Context, c contender.Contender, role Role, s *spec.Spec, at spec.Placement) (*process, error) {
	cmd, err := r.command(ctx, c, role, s)
	if err != nil {
		return nil, err
	}
	p := &process{role: role, cmd: cmd}
	cmd.Env = append(os.Environ(), "ANYPIPE_DIR="+s.Dir)
	cmd.Stderr, cmd.WaitDelay = &p.said, time.Second
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.lines = bufio.NewScanner(out)
	if at == spec.OneCPU {
		err = host.StartOnOneCPU(cmd)
	} else {
		err = cmd.Start()
	}
	return p, err
}

// line returns the next line of the process's output.
func (p *process) line() (string, error) {
	if p.lines.Scan() {
		return p.lines.Text(), nil
	}
	return "", fmt.Errorf("the %s said nothing more: %w", p.role, errors.Join(p.lines.Err(), io.ErrUnexpectedEOF))
}

// expect reads the next line, which must be want.
func (p *process) expect(want string) error {
	got, err := p.line()
	if err == nil && got != want {
		err = fmt.Errorf("the %s said %q instead of %q", p.role, got, want)
	}
	return err
}

// goOn answers a line.
func (p *process) goOn() error {
	_, err := io.WriteString(p.in, "\n")
	return err
}

// end closes the input and joins the process. The error has what the process said.
func (p *process) end() error {
	p.in.Close() // the process may be gone already, which Wait tells
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s", p.role, err, strings.TrimSpace(p.said.String()))
	}
	return nil
}

// cpu is what a joined process has used.
func (p *process) cpu() time.Duration {
	if p == nil || p.cmd.ProcessState == nil {
		return 0
	}
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}
