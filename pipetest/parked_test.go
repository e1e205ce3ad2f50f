package pipetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// watch starts f and looks whether it stays blocked.
func watch(ctx context.Context, f func()) error {
	id, done := make(chan string), make(chan struct{})
	go func() {
		defer close(done)
		id <- goroutineID()
		f()
	}()
	return parked(ctx, <-id, done)
}

func TestParked(t *testing.T) {
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	var mu sync.Mutex // guards entered
	entered := 0
	mu.Lock()
	t.Cleanup(mu.Unlock)
	for name, f := range map[string]func(){
		"receive": func() { <-forever },
		"select": func() {
			select {
			case <-forever:
			case <-t.Context().Done():
			}
		},
		"mutex": func() {
			mu.Lock()
			entered++
			mu.Unlock()
		},
	} {
		if err := watch(t.Context(), f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := watch(t.Context(), func() {}); !errors.Is(err, errFinished) {
		t.Errorf("a function that returns: got %v", err)
	}
}

// What polls, with or without sleeping, is not blocked.
func TestPollingIsNotParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := watch(ctx, func() {
			for ctx.Err() == nil {
				time.Sleep(time.Hour)
			}
		})
		if err == nil || errors.Is(err, errFinished) {
			t.Errorf("a function that sleeps: got %v", err)
		}
		time.Sleep(2 * time.Hour) // fake time, in which the function ends
	})
}

func TestGoroutineState(t *testing.T) {
	for head, want := range map[string]string{
		"goroutine 7 [IO wait]:\nmain":           "IO wait",
		"goroutine 7 [IO wait, 2 minutes]:\n":    "IO wait",
		"goroutine 7 [select (durable)]:\n":      "select",
		"goroutine 7 gp=0x1 m=nil [running]:\n":  "running",
		"goroutine 7 [chan receive, locked to]:": "chan receive",
		"":                                       "",
	} {
		if got := goroutineState(head); got != want {
			t.Errorf("%q: got %q, want %q", head, got, want)
		}
	}
}
