package pipetest

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/anypipe/anypipe"
)

// end is what an actor holds. The scope owns it from put to take.
type end struct {
	conn     *anypipe.Conn
	instance *anypipe.Instance // nil for client ends
}

// scope holds the ends and the operations of one case in one agent.
type scope struct {
	mu    sync.Mutex            // guards all below
	ends  map[string]*end       // by actor
	ops   map[string]*operation // by label
	ended bool                  // no new ends or operations
}

// operation is a call in its own goroutine.
type operation struct {
	goroutine string             // its id, to look up what it waits for
	conn      *anypipe.Conn      // the end it was started on, nil if it makes one
	by        canceller          // what ends it early
	stop      context.CancelFunc // of its context
	done      chan struct{}      // closed when result is there
	result    Result
}

func newScope() *scope { return &scope{ends: make(map[string]*end), ops: make(map[string]*operation)} }

func (s *scope) end(actor string) *end {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ends[actor]
}

func (s *scope) put(actor string, e *end) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return fmt.Errorf("the case has ended")
	}
	if s.ends[actor] != nil {
		return fmt.Errorf("%s has an open end already", actor)
	}
	s.ends[actor] = e
	return nil
}

func (s *scope) take(actor string) *end {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.ends[actor]
	delete(s.ends, actor)
	return e
}

func (s *scope) operation(label string) *operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ops[label]
}

// start runs the call in a goroutine of its own, which finish joins.
func (s *scope) start(label string, in *invocation) (*operation, error) {
	v, ok := verbs[in.call.Verb]
	if !ok || v.run == nil {
		return nil, fmt.Errorf("no agent can %s", in.call.Verb)
	}
	op := &operation{by: v.cancel, done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.ops[label] != nil {
		return nil, fmt.Errorf("operation %s can't start: the label is taken or the case has ended", label)
	}
	if e := s.ends[in.actor]; e != nil {
		op.conn = e.conn
	}
	in.ctx, op.stop = context.WithCancel(in.ctx)
	s.ops[label] = op
	id := make(chan string)
	go func() {
		defer close(op.done)
		id <- goroutineID()
		op.result = v.run(in)
	}()
	op.goroutine = <-id
	return op, nil
}

// longAgo as a deadline cancels what is waiting.
var longAgo = time.Unix(1, 0)

// cancel ends the operation early and, as deadlines belong to the end, everything else that waits in that direction.
// It returns when the operation is over; the end can be used on.
func (op *operation) cancel(ctx context.Context) error {
	set := func(time.Time) error { op.stop(); return nil }
	if op.conn != nil && op.by == byReadDeadline {
		set = op.conn.SetReadDeadline
	} else if op.conn != nil && op.by == byWriteDeadline {
		set = op.conn.SetWriteDeadline
	}
	if err := set(longAgo); err != nil {
		return err
	}
	select {
	case <-op.done:
		return set(time.Time{})
	case <-ctx.Done():
		return fmt.Errorf("cancelled, and still waiting:\n%s", goroutineStack(op.goroutine))
	}
}

// finish closes all ends and joins all operations, as Close must unblock everything. It returns what is still stuck.
func (s *scope) finish(ctx context.Context) error {
	s.mu.Lock()
	s.ended = true // nothing is added from here on
	ends, ops := maps.Clone(s.ends), maps.Clone(s.ops)
	s.mu.Unlock()
	for _, e := range ends {
		e.conn.Close()
	}
	for label, op := range ops {
		op.stop()
		select {
		case <-op.done:
		case <-ctx.Done():
			return fmt.Errorf("everything is closed, but operation %s still waits:\n%s", label, goroutineStack(op.goroutine))
		}
	}
	return nil
}
