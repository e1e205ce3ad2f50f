package local

import (
	"context"
	"slices"
	"sync"
)

// turns orders the reads of an end. Reads share: they wait in the kernel, which serves them in order. A call that takes a whole
// message may need several reads, between which nobody else may read, so it excludes. Turns are given in the order of asking.
type turns struct {
	mu        sync.Mutex // guards all below, and the tickets' fields
	sharing   int
	excluding bool
	queue     []*ticket
}

// ticket is a place in the queue.
type ticket struct {
	excludes bool
	given    bool
	reason   error         // why it was cancelled
	woken    chan struct{} // one token: given or cancelled
}

// fits reports whether a turn can be given now. t.mu must be held.
func (t *turns) fits(excludes bool) bool {
	return !t.excluding && (!excludes || t.sharing == 0)
}

// give takes the turn. t.mu must be held.
func (t *turns) give(excludes bool) {
	if excludes {
		t.excluding = true
	} else {
		t.sharing++
	}
}

// try takes a turn if nobody is before us.
func (t *turns) try(excludes bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) > 0 || !t.fits(excludes) {
		return false
	}
	t.give(excludes)
	return true
}

// take takes a turn. It waits on side s, whose deadline and Close end it.
func (t *turns) take(excludes bool, s *side, over func(*side) error) error {
	if t.try(excludes) {
		return nil
	}
	return t.await(context.Background(), t.join(excludes), s, over)
}

// join takes a place in the queue; await waits for the turn.
func (t *turns) join(excludes bool) *ticket {
	k := &ticket{excludes: excludes, woken: make(chan struct{}, 1)}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = append(t.queue, k)
	t.advance()
	return k
}

// await waits for the ticket's turn on side s, whose deadline and Close end it, and so does ctx.
func (t *turns) await(ctx context.Context, k *ticket, s *side, over func(*side) error) error {
	w := &queued{t, k}
	s.add(w, over)
	select {
	case <-k.woken:
	case <-ctx.Done():
		s.cancelOne(w, ctx.Err())
		<-k.woken
	}
	s.remove(w)
	t.mu.Lock()
	defer t.mu.Unlock()
	if k.given {
		return nil
	}
	return k.reason
}

// has reports whether the ticket's turn has come.
func (t *turns) has(k *ticket) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return k.given
}

// drop gives the turn back.
func (t *turns) drop(excludes bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if excludes {
		t.excluding = false
	} else {
		t.sharing--
	}
	t.advance()
}

// advance gives turns to the front of the queue. t.mu must be held.
func (t *turns) advance() {
	for len(t.queue) > 0 && t.fits(t.queue[0].excludes) {
		k := t.queue[0]
		t.queue = t.queue[1:]
		t.give(k.excludes)
		k.given = true
		k.woken <- struct{}{}
	}
}

// queued is a ticket as a waiter.
type queued struct {
	turns  *turns
	ticket *ticket
}

func (q *queued) cancel(reason error) {
	t, k := q.turns, q.ticket
	t.mu.Lock()
	defer t.mu.Unlock()
	if k.given || k.reason != nil {
		return
	}
	k.reason = reason
	t.queue = slices.DeleteFunc(t.queue, func(other *ticket) bool { return other == k })
	k.woken <- struct{}{}
	t.advance()
}
