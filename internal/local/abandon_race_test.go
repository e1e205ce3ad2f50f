//go:build linux || darwin || freebsd

package local

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// Creators that are cancelled at any moment, closers of last instances and clients that tidy leave nothing together.
func TestRacingCreatorsLeaveNothing(t *testing.T) {
	dir := useDir(t)
	for round := range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for i := range 4 {
			running.Go(func() {
				for range 3 {
					in, err := Create(ctx, "x", &npfs.CreateConfig{MaxInstances: 2, DefaultTimeout: npfs.DefaultWait})
					if err == nil {
						err = in.Close()
					}
					if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, winerr.InstanceLimit) {
						t.Error(err)
					}
					if i == 0 {
						cancel()
					}
				}
			})
		}
		running.Go(func() {
			for range 5 {
				c, err := Open(t.Context(), ".", "x", &npfs.OpenConfig{Access: npfs.GenericRead | npfs.GenericWrite})
				if err == nil {
					c.Close()
				}
			}
		})
		running.Wait()
		cancel()
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Fatalf("round %d left %v, %v", round, entries, err)
		}
	}
}
