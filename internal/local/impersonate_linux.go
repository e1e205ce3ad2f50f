package local

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/anypipe/anypipe/internal/winerr"
)

// runAs runs f on a thread whose effective user, group and supplementary groups are the client's, which is
// ImpersonateNamedPipeClient … RevertToSelf. Only root can.
//
// The identity belongs to the one thread: the system calls are made raw, as those of the C library and of package syscall
// change all threads. The runtime starts no thread from a locked one, so the identity does not spread. If the way back
// fails, the goroutine ends without unlocking, and the thread dies with it.
func runAs(client *identity, f func() error) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("only root can act as another user: %w", winerr.CannotImpersonate)
	}
	if client.uid < 0 || client.gid < 0 {
		return winerr.CannotImpersonate
	}
	var result error
	var panicked any
	done := make(chan struct{})
	go func() {
		defer close(done) // also when f calls runtime.Goexit
		result = errors.New("the function ended its goroutine")
		panicked, result = onThread(client, f)
	}()
	<-done
	if panicked != nil {
		panic(panicked)
	}
	return result
}

// onThread does the work of runAs on a goroutine of its own.
func onThread(client *identity, f func() error) (panicked any, err error) {
	self := identity{uid: os.Geteuid(), gid: os.Getegid()}
	groups, err := os.Getgroups()
	if err != nil {
		return nil, err
	}
	self.groups = groups
	runtime.LockOSThread()
	defer func() {
		if back := become(&self); back != nil {
			err = errors.Join(err, fmt.Errorf("returning from the client's identity: %w", back))
			return // still locked: the thread ends with the goroutine
		}
		runtime.UnlockOSThread()
	}()
	if err := become(client); err != nil {
		return nil, errors.Join(winerr.CannotImpersonate, err)
	}
	defer func() { panicked = recover() }()
	return nil, f()
}

// become changes the thread's effective ids. Towards root the user comes first, away from root last.
func become(id *identity) error {
	const same = ^uintptr(0) // -1: leave it
	gids := make([]uint32, 0, len(id.groups)+1)
	for _, g := range id.groups {
		gids = append(gids, uint32(g))
	}
	user := func() syscall.Errno {
		_, _, errno := unix.RawSyscall(sysSetresuid, same, uintptr(id.uid), same)
		return errno
	}
	group := func() syscall.Errno {
		_, _, errno := unix.RawSyscall(sysSetresgid, same, uintptr(id.gid), same)
		return errno
	}
	supplementary := func() syscall.Errno {
		_, _, errno := unix.RawSyscall(sysSetgroups, uintptr(len(gids)), uintptr(unsafe.Pointer(unsafe.SliceData(gids))), 0)
		return errno
	}
	steps := []func() syscall.Errno{supplementary, group, user}
	if id.uid == 0 {
		steps = []func() syscall.Errno{user, group, supplementary}
	}
	for _, step := range steps {
		if errno := step(); errno != 0 {
			return errno
		}
	}
	return nil
}
