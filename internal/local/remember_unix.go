//go:build linux || darwin || freebsd

package local

import (
	"sync"
	"time"
)

// remembered holds the only door of claims that this process has opened, so that opening one again need not read its directory. An
// entry holds as long as the directory's version is the same. It is package state because what a claim holds is the same for
// all who open it.
var remembered = struct {
	mu    sync.Mutex
	doors map[string]rememberedDoor // by the claim's path
}{doors: map[string]rememberedDoor{}}

type rememberedDoor struct {
	version version
	door    doorFile
}

const (
	maxRemembered = 256
	// settled is how old a directory's last change must be, so that another one can't have the same time: several ticks of
	// the clock that file systems take it from.
	settled = 50 * time.Millisecond
)

// remember notes the claim's doors, which were listed after its version was taken. If there are several, the order in which
// they are tried changes all the time and is not worth remembering.
func (c *claim) remember(doors []doorFile) {
	if len(doors) != 1 || time.Since(c.version.modified) < settled {
		return
	}
	remembered.mu.Lock()
	defer remembered.mu.Unlock()
	if len(remembered.doors) >= maxRemembered {
		clear(remembered.doors)
	}
	remembered.doors[c.path] = rememberedDoor{c.version, doors[0]}
}

// recall returns the claim's only door, if it is known and the directory has not changed since.
func (c *claim) recall() (doorFile, bool) {
	remembered.mu.Lock()
	defer remembered.mu.Unlock()
	known, ok := remembered.doors[c.path]
	return known.door, ok && known.version == c.version
}

// forget makes the next opening read the claim's directory.
func (c *claim) forget() {
	remembered.mu.Lock()
	defer remembered.mu.Unlock()
	delete(remembered.doors, c.path)
}
