//go:build linux || darwin || freebsd

package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// One user's waits leave room for those of others.
func TestUserWaitsAreBounded(t *testing.T) {
	useDir(t)
	s := mustCreate(t, "x", config()).server
	open(t, "x")
	for i := range maxUserWaits + 1 {
		w := &waiter{foreign: true, uid: 1}
		if registered := s.register(w); registered != (i < maxUserWaits) {
			t.Fatalf("waiter %d: registered %v, %+v", i, registered, w.verdict)
		}
		defer s.settle(w, false)
	}
	other := &waiter{foreign: true, uid: 2}
	if !s.register(other) {
		t.Error("another user can't wait")
	}
	s.settle(other, false)
}

// A foreign user holds so many connections and so much memory and no more; the owner and root are not counted.
func TestHeldConnectionsAreBounded(t *testing.T) {
	useDir(t)
	s := mustCreate(t, "x", config()).server
	client := newIdentity(0, s.claim.owner+1, 0, nil)
	var letGo []func()
	for s.mayHold(client) == nil {
		end, err := s.hold(client, 100<<20)
		if err != nil {
			t.Fatal(err)
		}
		letGo = append(letGo, end)
	}
	if len(letGo) != 11 { // the one that goes beyond 1 GiB is the last
		t.Errorf("%d regions of 100 MiB", len(letGo))
	}
	if _, err := s.hold(client, 1); err == nil || !strings.Contains(err.Error(), "11 connections with 1100 MiB") {
		t.Errorf("hold: %v", err)
	}
	for _, allowed := range []int{s.claim.owner, 0, s.claim.owner + 2} {
		end, err := s.hold(newIdentity(0, allowed, 0, nil), 1)
		if err != nil {
			t.Fatalf("user %d: %v", allowed, err)
		}
		letGo = append(letGo, end)
	}
	for _, end := range letGo {
		end()
		end() // a second Close
	}
	if len(shares.users) > 0 {
		t.Errorf("left: %v", shares.users)
	}
}

// What a process that was killed while it removed a claim left is removed with the next one.
func TestTrashIsRemoved(t *testing.T) {
	dir := useDir(t)
	if err := os.MkdirAll(filepath.Join(dir, trashName+newID(), "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	ok(t, "close", mustCreate(t, "x", config()).Close())
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
