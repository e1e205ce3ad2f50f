package main

/*
#include "anypipe.h"
#include "abi.h"
*/
import "C"

import (
	"unsafe"

	"github.com/anypipe/anypipe"
)

// runOfBytes is how much of a byte pipe one call of on_message brings at most.
const runOfBytes = 64 << 10

//export libOnMessage
func libOnMessage(handle C.anypipe_handle, onMessage C.anypipe_message, user C.uintptr_t) C.int {
	e := end(uint64(handle))
	if e == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	if !e.receiving.CompareAndSwap(false, true) {
		return C.ANYPIPE_PIPE_BUSY
	}
	if !e.callbacks.begin() {
		return C.ANYPIPE_ABORTED
	}
	go e.receive(onMessage, user)
	return C.ANYPIPE_OK
}

// receive reads and calls onMessage until that ends with an error, which is the last call.
func (e *entry) receive(onMessage C.anypipe_message, user C.uintptr_t) {
	defer e.callbacks.done()
	next := e.nextBytes
	if e.conn.Type() == anypipe.Message {
		next = e.conn.AppendMessage
	}
	buf := make([]byte, 0, runOfBytes)
	var err error
	for {
		if buf, err = next(buf[:0]); err != nil {
			break
		}
		C.libanypipe_call_message(onMessage, user, unsafe.Pointer(unsafe.SliceData(buf)), C.size_t(len(buf)), C.ANYPIPE_OK, C.anypipe_handle(e.handle))
	}
	e.receiving.Store(false) // before the last call, which may begin anew
	C.libanypipe_call_message(onMessage, user, nil, 0, number(err), C.anypipe_handle(e.handle))
}

func (e *entry) nextBytes(buf []byte) ([]byte, error) {
	n, err := e.conn.Read(buf[:cap(buf)])
	return buf[:n], err
}
