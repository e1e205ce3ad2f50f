//go:build cgo

package main

import (
	"testing"

	"github.com/anypipe/anypipe"
)

// No handle is given twice, an old one is nothing, and each is removed once.
func TestHandlesAreNeverReused(t *testing.T) {
	var h handles
	seen := map[uint64]bool{}
	for range 5000 {
		e := &entry{conn: new(anypipe.Conn)}
		n := h.add(e)
		if n == 0 || seen[n] || h.get(n) != e {
			t.Fatalf("handle %#x: given before: %v", n, seen[n])
		}
		seen[n] = true
		if !h.remove(e) || h.remove(e) || h.get(n) != nil {
			t.Fatalf("handle %#x was not removed once", n)
		}
	}
	if h.next != 1 || h.open.Load() != 0 {
		t.Errorf("%d slots were used, %d handles are open", h.next, h.open.Load())
	}
	for _, n := range []uint64{0, 1, indexMask, 1 << 63, lastHandle} {
		if h.get(n) != nil {
			t.Errorf("%#x is a handle", n)
		}
	}
}

// A slot whose numbers are used up is left alone.
func TestUsedUpSlot(t *testing.T) {
	var h handles
	e := &entry{}
	h.remove(func() *entry { h.add(e); return e }())
	h.free[0] = lastHandle - indexMask // the last number of slot 0
	last := h.add(e)
	h.remove(e)
	if len(h.free) != 0 {
		t.Errorf("after %#x the slot is free again: %#x", last, h.free)
	}
	if next := h.add(e); next&indexMask != 1 {
		t.Errorf("the next handle is %#x", next)
	}
}
