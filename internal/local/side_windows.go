package local

import (
	"os"
	"sync"
)

// waiter is something that a deadline or Close can end early.
type waiter interface {
	// cancel ends it for that reason; it is called under side.mu, more than once if need be.
	cancel(reason error)
}

// side is one direction of an end: its deadline and what waits now.
type side struct {
	by   deadline
	pace pace

	mu      sync.Mutex // guards waiting and the reasons of what waits
	waiting map[waiter]struct{}
}

func newSide() *side {
	s := &side{waiting: make(map[waiter]struct{})}
	s.by.expired = func() { s.cancelAll(os.ErrDeadlineExceeded) }
	return s
}

// cancelAll ends everything that waits and reports whether anything did.
func (s *side) cancelAll(reason error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.waiting {
		w.cancel(reason)
	}
	return len(s.waiting) > 0
}

// cancelOne ends what w waits for.
func (s *side) cancelOne(w waiter, reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.cancel(reason)
}

// add makes w subject to cancelAll. over is looked at after that, so that w can't miss what made it not nil.
func (s *side) add(w waiter, over func(*side) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[w] = struct{}{}
	if reason := over(s); reason != nil {
		w.cancel(reason)
	}
}

func (s *side) remove(w waiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, w)
}
