package local

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/windows"
)

// RunAsClient runs f on a thread that has the client's identity: ImpersonateNamedPipeClient … RevertToSelf.
func (in *Instance) RunAsClient(f func() error) error {
	if err := in.enter(); err != nil {
		return err
	}
	defer in.leave()
	return in.impersonate(f)
}

// impersonate does the work of RunAsClient on a goroutine of its own, which it waits for. If the way back fails, the goroutine
// ends without unlocking its thread, which dies with it. The caller has entered.
func (in *Instance) impersonate(f func() error) error {
	result := errors.New("the function ended its goroutine")
	var panicked any
	done := make(chan struct{})
	go func() {
		defer close(done) // also when f calls runtime.Goexit
		panicked, result = asClient(in.handle, f)
	}()
	<-done
	if panicked != nil {
		panic(panicked)
	}
	return result
}

// asClient runs f on this goroutine's thread with the identity of the client of the pipe.
func asClient(pipe windows.Handle, f func() error) (panicked any, err error) {
	runtime.LockOSThread()
	if r, _, e := procImpersonateClient.Call(uintptr(pipe)); r == 0 {
		runtime.UnlockOSThread()
		return nil, win32Condition(e)
	}
	defer func() {
		if back := windows.RevertToSelf(); back != nil {
			err = errors.Join(err, fmt.Errorf("returning from the client's identity: %w", back))
			return // still locked: the thread ends with the goroutine
		}
		runtime.UnlockOSThread()
	}()
	defer func() { panicked = recover() }()
	return nil, f()
}
