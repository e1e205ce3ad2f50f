package pipetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// agentVariable in the environment of a test binary makes Main an agent for the backend that it names.
const agentVariable = "ANYPIPE_PIPETEST_AGENT"

// link is the runner's side of an agent. Its owner calls close, which joins the agent.
type link struct {
	writing sync.Mutex // guards to and next
	to      *json.Encoder
	next    int

	mu      sync.Mutex         // guards waiting and gone
	waiting map[int]chan reply // by request.ID
	gone    error              // set when the agent ended

	pid    int
	reader sync.WaitGroup // the goroutine that receives
	kill   func()         // ends the agent at once; nil for one in this process
	close  func() error   // ends the agent, joins it and says how it ended
}

func newLink(to io.Writer, from io.Reader) *link {
	l := &link{to: json.NewEncoder(to), waiting: make(map[int]chan reply)}
	l.reader.Go(func() { l.receive(from) })
	return l
}

// receive hands out the replies until the agent ends.
func (l *link) receive(from io.Reader) {
	replies := json.NewDecoder(from)
	for {
		var r reply
		if err := replies.Decode(&r); err != nil {
			l.fail(err)
			return
		}
		l.mu.Lock()
		ch := l.waiting[r.ID]
		delete(l.waiting, r.ID)
		l.mu.Unlock()
		if ch != nil {
			ch <- r // has room for one
		}
	}
}

// fail tells everyone who waits that the agent is gone.
func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = fmt.Errorf("the agent is gone: %w", err)
	for id, ch := range l.waiting {
		close(ch)
		delete(l.waiting, id)
	}
}

// call sends a request and waits for the reply. The agent keeps the time; ctx only ends the wait with the test.
func (l *link) call(ctx context.Context, q request) (*Result, error) {
	ch := make(chan reply, 1)
	if err := l.send(q, ch); err != nil {
		return nil, err
	}
	select {
	case r, ok := <-ch:
		if !ok {
			l.mu.Lock()
			defer l.mu.Unlock()
			return nil, l.gone
		}
		if r.Problem != "" {
			return r.Result, errors.New(r.Problem)
		}
		return r.Result, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (l *link) send(q request, ch chan reply) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.next++
	q.ID = l.next
	l.mu.Lock()
	gone := l.gone
	if gone == nil {
		l.waiting[q.ID] = ch
	}
	l.mu.Unlock()
	if gone != nil {
		return gone
	}
	return l.to.Encode(q)
}

// startHere starts an agent in this process.
func startHere(b *Backend) *link {
	requests, toAgent := io.Pipe()
	fromAgent, replies := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- serve(b, requests, replies)
		replies.Close()
	}()
	l := newLink(toAgent, fromAgent)
	l.close = func() error {
		toAgent.Close()
		err := <-done
		l.reader.Wait()
		return err
	}
	return l
}

// startProcess starts an agent in a process of its own: this test binary again, whose TestMain calls Main.
func startProcess(b *Backend) (*link, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), agentVariable+"="+b.Name)
	var said strings.Builder
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	l := newLink(in, out)
	l.pid = cmd.Process.Pid
	killed := false
	l.kill = func() {
		killed = true
		cmd.Process.Kill() // an error means that it ended by itself, which close reports
		l.reader.Wait()
	}
	l.close = func() error {
		in.Close()
		stuck := time.AfterFunc(bound, func() { cmd.Process.Kill() })
		defer stuck.Stop()
		l.reader.Wait() // before Wait, which closes out
		if err := cmd.Wait(); err != nil && !killed {
			return fmt.Errorf("the agent ended with %w and said:\n%s", err, said.String())
		}
		return nil
	}
	return l, nil
}
