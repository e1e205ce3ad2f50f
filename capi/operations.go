package main

/*
#include "anypipe.h"
#include "abi.h"
*/
import "C"

import (
	"context"
	"unsafe"

	"github.com/anypipe/anypipe"
)

// operation is one that was started and is not over.
type operation struct {
	end  *entry // immutable, like all
	run  *anypipe.Operation
	done C.anypipe_done
	user C.uintptr_t // what done is called with: no pointer for Go, as it may be any number
}

// start finishes what was started if it is over, else makes it an operation with a handle, whose done will be called.
func start(e *entry, run *anypipe.Operation, done C.anypipe_done, user C.uintptr_t, handle *C.anypipe_handle, length *C.size_t) C.int {
	if run.Done() {
		return over(run, length)
	}
	o := &operation{end: e, run: run, done: done, user: user}
	self := &entry{operation: o}
	if !e.callbacks.begin() { // the end is being closed
		_ = run.Cancel()
		return over(run, length)
	}
	if table.add(self) == 0 {
		e.callbacks.done()
		_ = run.Cancel()
		return over(run, length)
	}
	if handle != nil {
		*handle = C.anypipe_handle(self.handle)
	}
	go o.await(self)
	return C.ANYPIPE_IO_PENDING
}

// over returns the result of an operation that is over.
func over(run *anypipe.Operation, length *C.size_t) C.int {
	n, err := run.Wait(context.Background())
	if length != nil {
		*length = C.size_t(n)
	}
	return result(err)
}

// await waits for the operation and calls done. self is its entry.
func (o *operation) await(self *entry) {
	n, err := o.run.Wait(context.Background())
	C.libanypipe_call_done(o.done, o.user, number(err), C.size_t(n), C.anypipe_handle(o.end.handle))
	table.remove(self)
	o.end.callbacks.done()
}

//export libReadStart
func libReadStart(handle C.anypipe_handle, buffer unsafe.Pointer, size C.size_t, done C.anypipe_done, user C.uintptr_t, operation *C.anypipe_handle, length *C.size_t) C.int {
	e := end(uint64(handle))
	if e == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	return start(e, e.conn.StartRead(view(buffer, size)), done, user, operation, length)
}

//export libWriteStart
func libWriteStart(handle C.anypipe_handle, data unsafe.Pointer, size C.size_t, done C.anypipe_done, user C.uintptr_t, operation *C.anypipe_handle, length *C.size_t) C.int {
	e := end(uint64(handle))
	if e == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	return start(e, e.conn.StartWrite(view(data, size)), done, user, operation, length)
}

//export libTransactStart
func libTransactStart(handle C.anypipe_handle, request unsafe.Pointer, requestSize C.size_t, reply unsafe.Pointer, replySize C.size_t, done C.anypipe_done, user C.uintptr_t, operation *C.anypipe_handle, length *C.size_t) C.int {
	e := end(uint64(handle))
	if e == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	return start(e, e.conn.StartTransact(view(request, requestSize), view(reply, replySize)), done, user, operation, length)
}

//export libFlushStart
func libFlushStart(handle C.anypipe_handle, done C.anypipe_done, user C.uintptr_t, operation *C.anypipe_handle) C.int {
	e := end(uint64(handle))
	if e == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	return start(e, e.conn.StartFlush(), done, user, operation, nil)
}

//export libConnectStart
func libConnectStart(handle C.anypipe_handle, done C.anypipe_done, user C.uintptr_t, operation *C.anypipe_handle) C.int {
	e, code := instance(handle)
	if e == nil {
		return code
	}
	return start(e, e.instance.StartConnect(), done, user, operation, nil)
}
