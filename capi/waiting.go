package main

/*
#include "anypipe.h"
*/
import "C"

import (
	"context"
	"sync"
	"time"

	"github.com/anypipe/anypipe"
)

// maxTimeout keeps a count of milliseconds within time.Duration.
const maxTimeout = int64(1<<63-1) / int64(time.Millisecond)

// passed is done already: it makes a wait look once.
var passed, _ = context.WithDeadline(context.Background(), time.Unix(1, 0))

// until returns a context for a timeout of the contract. valid is false for a negative one that means nothing.
func until(timeout C.int64_t) (ctx context.Context, stop context.CancelFunc, valid bool) {
	switch ms := int64(timeout); {
	case ms == C.ANYPIPE_FOREVER:
		return context.Background(), func() {}, true
	case ms < 0:
		return nil, nil, false
	case ms == 0:
		return passed, func() {}, true
	default:
		ctx, stop = context.WithTimeout(context.Background(), duration(ms))
		return ctx, stop, true
	}
}

func duration(ms int64) time.Duration {
	return time.Duration(min(ms, maxTimeout)) * time.Millisecond
}

// await waits for a started operation as long as the timeout, which is valid, says.
func await(o *anypipe.Operation, timeout C.int64_t) (int, error) {
	if o.Done() || timeout == C.ANYPIPE_FOREVER {
		return o.Wait(context.Background())
	}
	ctx, stop, _ := until(timeout)
	defer stop()
	return o.Wait(ctx)
}

// badTimeout reports whether a timeout means nothing.
func badTimeout(timeout C.int64_t) bool { return timeout < C.ANYPIPE_FOREVER }

const badTimeoutText = "timeout_ms is negative and none of the ANYPIPE_ constants that the function takes"

// waits are the calls that wait at a listener, for anypipe_cancel.
type waits struct {
	mu  sync.Mutex // guards all
	all map[*context.CancelFunc]struct{}
}

// add makes a context that cancelAll ends.
func (w *waits) add(ctx context.Context) (c context.Context, remove func()) {
	c, cancel := context.WithCancel(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = make(map[*context.CancelFunc]struct{})
	}
	w.all[&cancel] = struct{}{}
	return c, func() {
		w.mu.Lock()
		delete(w.all, &cancel)
		w.mu.Unlock()
		cancel()
	}
}

// cancelAll ends what waits and reports whether anything did.
func (w *waits) cancelAll() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for cancel := range w.all {
		(*cancel)()
	}
	return len(w.all) > 0
}
