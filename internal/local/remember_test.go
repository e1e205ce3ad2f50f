//go:build linux || darwin || freebsd

package local

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// recalls reports whether a client would open the claim without reading its directory.
func recalls(t *testing.T, path string) bool {
	t.Helper()
	c, err := statClaim(path)
	ok(t, "stat", err)
	_, known := c.recall()
	return known
}

// The only door of a claim is remembered while the directory is as it was, and not if it changed a moment ago.
func TestRememberedDoor(t *testing.T) {
	useDir(t)
	in := mustCreate(t, "x", config())
	path := in.server.claim.path
	open(t, "x")
	if recalls(t, path) {
		t.Error("remembered, though the directory may change once more at the same time")
	}
	ok(t, "age", os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)))
	second := mustCreate(t, "x", config())
	open(t, "x")
	if !recalls(t, path) {
		t.Error("not remembered")
	}
	ok(t, "change", os.WriteFile(filepath.Join(path, "new"), nil, 0o600))
	if recalls(t, path) {
		t.Error("remembered, though there is something new")
	}
	ok(t, "remove", os.Remove(filepath.Join(path, "new")))
	ok(t, "age", os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)))
	third := mustCreate(t, "x", config())
	open(t, "x")
	if !recalls(t, path) {
		t.Error("not remembered again")
	}
	for _, i := range []*Instance{in, second, third} {
		ok(t, "close", i.Close())
	}
	again := mustCreate(t, "x", config())
	if again.server.id == in.server.id {
		t.Fatal("the same door")
	}
	open(t, "x") // at the new door
}
