package local

import (
	"context"
	"os"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// flushing is a FlushFileBuffers under way. The kernel flushes synchronously, also on overlapped handles, so it holds a thread, and
// only CancelSynchronousIo on that thread ends it early.
type flushing struct {
	handle windows.Handle
	wanted chan struct{} // one token: cancel was called
	ended  chan struct{} // closed when status is there
	status windows.NTStatus
	reason error // why it was cancelled; guarded by side.mu

	mu     sync.Mutex     // guards thread, so that the thread does nothing else while it is cancelled
	thread windows.Handle // 0 when it is not inside the flush
}

// Flush is FlushFileBuffers. It obeys the write deadline.
func (e *end) Flush() error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.leave()
	return e.flush(context.Background())
}

func (e *end) flush(ctx context.Context) error {
	if e.writes.by.passed() {
		return os.ErrDeadlineExceeded
	}
	f := &flushing{handle: e.handle, wanted: make(chan struct{}, 1), ended: make(chan struct{})}
	go f.run()
	e.writes.add(f, e.over)
	select {
	case <-f.ended:
	case <-f.wanted:
		f.interrupt()
	case <-ctx.Done():
		e.writes.cancelOne(f, ctx.Err())
		f.interrupt()
	}
	e.writes.remove(f)
	if f.status == windows.STATUS_CANCELLED && f.reason != nil {
		return f.reason
	}
	return condition(f.status)
}

func (f *flushing) cancel(reason error) {
	if f.reason == nil {
		f.reason = reason
		f.wanted <- struct{}{}
	}
}

// run flushes on a thread of its own; Flush waits for it.
func (f *flushing) run() {
	defer close(f.ended)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	thread, err := windows.OpenThread(windows.THREAD_TERMINATE, false, windows.GetCurrentThreadId())
	if err != nil {
		f.status = windows.STATUS_INSUFFICIENT_RESOURCES
		return
	}
	defer windows.CloseHandle(thread)
	f.inside(thread)
	var block windows.IO_STATUS_BLOCK
	status, _, _ := procFlushBuffersFile.Call(uintptr(f.handle), uintptr(unsafe.Pointer(&block)))
	f.inside(0)
	f.status = windows.NTStatus(status)
}

func (f *flushing) inside(thread windows.Handle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.thread = thread
}

// interrupt cancels until the flush has ended: a cancellation that comes just before the kernel is entered does nothing.
func (f *flushing) interrupt() {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		f.mu.Lock()
		if f.thread != 0 {
			procCancelSynchronousIo.Call(uintptr(f.thread)) // fails if there is nothing to cancel
		}
		f.mu.Unlock()
		select {
		case <-f.ended:
			return
		case <-again.C:
		}
	}
}
