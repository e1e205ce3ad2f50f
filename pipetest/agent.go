package pipetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// bound is how long anything that must happen may take. It only serves to fail.
const bound = 30 * time.Second

// errFinished: the operation that should be blocked is over.
var errFinished = errors.New("it is not blocked but finished")

// request is one line from the runner to an agent.
type request struct {
	ID    int
	Do    string // run, start, pends, await, cancel, end
	Scope string // the case's run
	Label string
	Actor string
	Call  Call
}

// reply is one line from an agent to the runner.
type reply struct {
	ID      int
	Result  *Result // of run and await
	Problem string  // why the request could not be carried out, or what it found wrong
}

// agent carries out requests. All requests are served at the same time, each in its own goroutine; serve joins them.
type agent struct {
	backend *Backend
	ctx     context.Context // ends with serve

	mu     sync.Mutex        // guards scopes
	scopes map[string]*scope // by request.Scope

	writing sync.Mutex // guards out
	out     *json.Encoder
}

// serve is the life of an agent: it answers requests until in ends, then closes everything that cases left behind.
func serve(b *Backend, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	a := &agent{backend: b, ctx: ctx, scopes: make(map[string]*scope), out: json.NewEncoder(out)}
	var served sync.WaitGroup
	requests := json.NewDecoder(in)
	var err error
	for {
		var q request
		if err = requests.Decode(&q); err != nil {
			break
		}
		served.Go(func() { a.answer(&q) })
	}
	cancel()
	served.Wait()
	for _, s := range a.scopes { // only of cases whose runner went away
		s.finish(ctx)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return err
}

func (a *agent) answer(q *request) {
	ctx, cancel := context.WithTimeout(a.ctx, bound)
	defer cancel()
	result, err := a.do(ctx, q)
	r := reply{ID: q.ID, Result: result}
	if err != nil {
		r.Problem = err.Error()
	}
	a.writing.Lock()
	defer a.writing.Unlock()
	a.out.Encode(r) // an error means that the runner is gone, which the reading side sees as well
}

func (a *agent) do(ctx context.Context, q *request) (*Result, error) {
	s := a.scope(q.Scope)
	switch q.Do {
	case "run":
		op, err := a.start(s, q)
		if err != nil {
			return nil, err
		}
		return op.await(ctx)
	case "start":
		_, err := a.start(s, q)
		return nil, err
	case "end":
		a.mu.Lock()
		delete(a.scopes, q.Scope)
		a.mu.Unlock()
		return nil, s.finish(ctx)
	}
	op := s.operation(q.Label)
	if op == nil {
		return nil, fmt.Errorf("no operation %s", q.Label)
	}
	switch q.Do {
	case "pends":
		err := parked(ctx, op.goroutine, op.done)
		if errors.Is(err, errFinished) {
			err = fmt.Errorf("%w: %s", err, op.result.describe())
		}
		return nil, err
	case "await":
		return op.await(ctx)
	case "cancel":
		return nil, op.cancel(ctx)
	}
	return nil, fmt.Errorf("unknown request %q", q.Do)
}

// start begins the operation. Its context is the agent's: a request's would end with the answer.
func (a *agent) start(s *scope, q *request) (*operation, error) {
	return s.start(q.Label, &invocation{ctx: a.ctx, backend: a.backend, scope: s, actor: q.Actor, call: q.Call})
}

func (a *agent) scope(key string) *scope {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.scopes[key]
	if s == nil {
		s = newScope()
		a.scopes[key] = s
	}
	return s
}

// await waits for the result.
func (op *operation) await(ctx context.Context) (*Result, error) {
	select {
	case <-op.done:
		return &op.result, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("no result after %v:\n%s", bound, goroutineStack(op.goroutine))
	}
}
