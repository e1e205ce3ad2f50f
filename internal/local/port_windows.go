package local

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// port is the process's completion port: the kernel puts a packet there when an operation that was pending has ended. One
// goroutine takes the packets out and wakes whoever waits, so that any number of pending operations needs one thread. It is
// package state: it begins with the first pipe and lives as long as the process, as the pipes' handles may.
type port struct {
	handle windows.Handle
	last   atomic.Uintptr      // the number that was given last
	direct chan windows.Handle // events for direct waits, see directWaits
	live   [64]shelf           // the operations under way, by the last bits of their numbers
}

// shelf holds operations that the kernel may still write to, by the number that their packet will have. It keeps their status
// blocks and buffers alive, also when nobody waits for them any more. There are many, so that calls don't wait for each other.
type shelf struct {
	mu  sync.Mutex // guards ops
	ops map[uintptr]*operation
}

// completions returns the port, and makes it when it is first needed.
var completions = sync.OnceValues(openPort)

func openPort() (*port, error) {
	handle, err := windows.CreateIoCompletionPort(windows.InvalidHandle, 0, 0, 1)
	if err != nil {
		return nil, err
	}
	p := &port{handle: handle, direct: make(chan windows.Handle, directWaits)}
	for range directWaits {
		event, err := windows.CreateEvent(nil, 0, 0, nil)
		if err != nil {
			return nil, err
		}
		p.direct <- event
	}
	go p.dispatch()
	return p, nil
}

// attach makes the operations of an overlapped handle end at the port.
func (p *port) attach(handle windows.Handle) error {
	if _, err := windows.CreateIoCompletionPort(handle, p.handle, 0, 0); err != nil {
		return err
	}
	// What ends at once needs no packet. If the system sends one all the same, dispatch finds nobody for it.
	const modes = windows.FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | windows.FILE_SKIP_SET_EVENT_ON_HANDLE
	return windows.SetFileCompletionNotificationModes(handle, modes)
}

// dispatch hands out packets for as long as the process lives.
func (p *port) dispatch() {
	for {
		var key, id uintptr
		var iosb windows.IO_STATUS_BLOCK
		status, _, _ := procRemoveIoCompletion.Call(uintptr(p.handle), uintptr(unsafe.Pointer(&key)),
			uintptr(unsafe.Pointer(&id)), uintptr(unsafe.Pointer(&iosb)), 0)
		if failed(windows.NTStatus(status)) {
			panic("anypipe: the completion port is broken: " + windows.NTStatus(status).Error()) // somebody closed our handle
		}
		if op := p.forget(id); op != nil {
			op.ended <- struct{}{} // has room
		}
	}
}

// shelf returns where the operation with the number is kept.
func (p *port) shelf(id uintptr) *shelf { return &p.live[id%uintptr(len(p.live))] }

// register gives op its number, before the kernel gets it.
func (p *port) register(op *operation) {
	op.id = p.last.Add(1)
	s := p.shelf(op.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ops == nil {
		s.ops = make(map[uintptr]*operation)
	}
	s.ops[op.id] = op
}

// forget returns the operation with the number, if it is under way, and lets go of it.
func (p *port) forget(id uintptr) *operation {
	s := p.shelf(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	op := s.ops[id]
	delete(s.ops, id)
	return op
}

// operation is one call of the kernel that may stay pending. While it is on its shelf the kernel owns block and the buffers.
type operation struct {
	handle  windows.Handle
	block   windows.Overlapped // its beginning is the IO_STATUS_BLOCK
	event   windows.Handle     // of a direct wait, else 0
	id      uintptr            // of its packet; 0 if it gets none, as it has an event
	ended   chan struct{}      // one token: the packet has come
	code    uint32             // of a control
	in, out []byte             // what is sent, what is filled
	reason  error              // why it was cancelled; guarded by side.mu while it waits
}

var operations = sync.Pool{New: func() any { return &operation{ended: make(chan struct{}, 1)} }}

// newOperation returns a fresh operation; free gives it back after its end.
func newOperation(handle windows.Handle) *operation {
	op := operations.Get().(*operation)
	op.handle = handle
	return op
}

func (op *operation) free() {
	*op = operation{ended: op.ended}
	operations.Put(op)
}

// begin submits the operation. pending says that its end is still to come; else status is its end.
func (p *port) begin(op *operation, submit func(*operation) windows.NTStatus) (status windows.NTStatus, pending bool) {
	if op.event != 0 {
		op.block.Internal = uintptr(windows.STATUS_PENDING)
		status = submit(op)
		return status, status == windows.STATUS_PENDING
	}
	p.register(op)
	status = submit(op)
	if status == windows.STATUS_PENDING {
		return status, true
	}
	p.forget(op.id)
	return status, false
}

// status and count are the end of an operation that was pending; count is also that of one that ended at once.
func (op *operation) status() windows.NTStatus { return windows.NTStatus(op.block.Internal) }
func (op *operation) count() int               { return int(op.block.InternalHigh) }

// stop asks the kernel to cancel. The operation then ends soon, maybe with success: it may have been over.
func (op *operation) stop() { _ = windows.CancelIoEx(op.handle, &op.block) }

// cancel is stop with a reason, for side.cancelAll.
func (op *operation) cancel(reason error) {
	op.reason = reason
	op.stop()
}

// await waits until a pending operation has ended, and cancels it when ctx is done.
func (op *operation) await(ctx context.Context, s *side) {
	if op.event != 0 {
		op.awaitEvent()
		return
	}
	done := ctx.Done()
	if done == nil {
		<-op.ended
		return
	}
	select {
	case <-op.ended:
	case <-done:
		s.cancelOne(op, ctx.Err())
		<-op.ended
	}
}

func submitRead(op *operation) windows.NTStatus {
	status, _, _ := syscall.SyscallN(procReadFile.Addr(), uintptr(op.handle), uintptr(op.event), 0, op.id, uintptr(unsafe.Pointer(&op.block)),
		start(op.out), uintptr(len(op.out)), 0, 0)
	return windows.NTStatus(status)
}

func submitWrite(op *operation) windows.NTStatus {
	status, _, _ := syscall.SyscallN(procWriteFile.Addr(), uintptr(op.handle), uintptr(op.event), 0, op.id, uintptr(unsafe.Pointer(&op.block)),
		start(op.in), uintptr(len(op.in)), 0, 0)
	return windows.NTStatus(status)
}

func submitControl(op *operation) windows.NTStatus {
	status, _, _ := syscall.SyscallN(procFsControlFile.Addr(), uintptr(op.handle), uintptr(op.event), 0, op.id, uintptr(unsafe.Pointer(&op.block)),
		uintptr(op.code), start(op.in), uintptr(len(op.in)), start(op.out), uintptr(len(op.out)))
	return windows.NTStatus(status)
}
