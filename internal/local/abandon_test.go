//go:build linux || darwin || freebsd

package local

import (
	"context"
	"errors"
	"os"
	"testing"
)

// A Create that is cancelled while it waits for the lock leaves no directory behind: the name was removed by who has the turn, and
// made anew by the one that gives up.
func TestCancelledCreateLeavesNothing(t *testing.T) {
	dir := useDir(t)
	release, err := takeTurn(context.Background(), claimPath(dir, "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if _, err := Create(canceled(), "x", config()); !errors.Is(err, context.Canceled) {
		t.Fatalf("create: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
