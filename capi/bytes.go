package main

/*
#include <stdlib.h>
#include <string.h>
#include "anypipe.h"
*/
import "C"

import (
	"errors"
	"unsafe"

	"github.com/anypipe/anypipe"
)

// view returns the caller's memory as a slice. abi.c has checked that size is no more than a process can have.
func view(memory unsafe.Pointer, size C.size_t) []byte {
	return unsafe.Slice((*byte)(memory), int(size))
}

// giveMessage gives a copy of the message to the caller, if there is one: also the beginning of one that was too long, or that was
// still coming in when the wait ended.
func giveMessage(message []byte, err error, out *unsafe.Pointer, length *C.size_t) C.int {
	if err != nil && len(message) == 0 && !errors.Is(err, anypipe.ErrMoreData) {
		return result(err)
	}
	memory := C.malloc(C.size_t(max(1, len(message))))
	if memory == nil {
		detail("no memory for a message")
		return C.ANYPIPE_OUT_OF_MEMORY
	}
	copy(view(memory, C.size_t(len(message))), message)
	*out, *length = memory, C.size_t(len(message))
	return result(err)
}

//export libRead
func libRead(handle C.anypipe_handle, buffer unsafe.Pointer, size C.size_t, length *C.size_t, timeout C.int64_t) C.int {
	e := end(uint64(handle))
	if e == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	var n int
	var err error
	switch {
	case timeout == C.ANYPIPE_FOREVER:
		n, err = e.conn.Read(view(buffer, size))
	case badTimeout(timeout):
		return invalid(badTimeoutText)
	default:
		n, err = await(e.conn.StartRead(view(buffer, size)), timeout)
	}
	*length = C.size_t(n)
	return result(err)
}

//export libWrite
func libWrite(handle C.anypipe_handle, data unsafe.Pointer, size C.size_t, length *C.size_t, timeout C.int64_t) C.int {
	e := end(uint64(handle))
	if e == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	n, code := write(e, view(data, size), timeout)
	*length = C.size_t(n)
	return code
}

func write(e *entry, p []byte, timeout C.int64_t) (n int, code C.int) {
	var err error
	switch {
	case timeout == C.ANYPIPE_FOREVER:
		n, err = e.conn.Write(p)
	case badTimeout(timeout):
		return 0, invalid(badTimeoutText)
	default:
		n, err = await(e.conn.StartWrite(p), timeout)
	}
	return n, result(err)
}

//export libReadMessage
func libReadMessage(handle C.anypipe_handle, message *unsafe.Pointer, length *C.size_t, timeout C.int64_t) C.int {
	e := end(uint64(handle))
	switch {
	case e == nil:
		return C.ANYPIPE_INVALID_HANDLE
	case badTimeout(timeout):
		return invalid(badTimeoutText)
	}
	o := e.conn.StartReadMessage()
	_, err := await(o, timeout)
	return giveMessage(o.Message(), err, message, length)
}

//export libWriteMessage
func libWriteMessage(handle C.anypipe_handle, data unsafe.Pointer, size C.size_t, timeout C.int64_t) C.int {
	e := end(uint64(handle))
	switch {
	case e == nil:
		return C.ANYPIPE_INVALID_HANDLE
	case e.conn.Type() != anypipe.Message:
		return C.ANYPIPE_BAD_PIPE
	}
	_, code := write(e, view(data, size), timeout)
	return code
}

//export libPeek
func libPeek(handle C.anypipe_handle, buffer unsafe.Pointer, size C.size_t, peeked *C.anypipe_peeked) C.int {
	e := end(uint64(handle))
	if e == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	p, err := e.conn.Peek(view(buffer, size))
	if err != nil {
		return result(err)
	}
	peeked.state, peeked.read, peeked.available = C.uint32_t(p.State), C.uint64_t(p.Read), C.uint64_t(p.Available)
	peeked.left, peeked.messages, peeked.length = C.int64_t(p.Left), C.uint64_t(p.Messages), C.uint64_t(p.Length)
	return C.ANYPIPE_OK
}

//export libTransact
func libTransact(handle C.anypipe_handle, request unsafe.Pointer, requestSize C.size_t, reply unsafe.Pointer, replySize C.size_t, length *C.size_t, timeout C.int64_t) C.int {
	e := end(uint64(handle))
	switch {
	case e == nil:
		return C.ANYPIPE_INVALID_HANDLE
	case badTimeout(timeout):
		return invalid(badTimeoutText)
	}
	n, err := await(e.conn.StartTransact(view(request, requestSize), view(reply, replySize)), timeout)
	*length = C.size_t(n)
	return result(err)
}

//export libTransactMessage
func libTransactMessage(handle C.anypipe_handle, request unsafe.Pointer, requestSize C.size_t, reply *unsafe.Pointer, length *C.size_t, timeout C.int64_t) C.int {
	e := end(uint64(handle))
	switch {
	case e == nil:
		return C.ANYPIPE_INVALID_HANDLE
	case badTimeout(timeout):
		return invalid(badTimeoutText)
	}
	o := e.conn.StartTransactMessage(view(request, requestSize))
	_, err := await(o, timeout)
	return giveMessage(o.Message(), err, reply, length)
}

//export libFlush
func libFlush(handle C.anypipe_handle, timeout C.int64_t) C.int {
	e := end(uint64(handle))
	switch {
	case e == nil:
		return C.ANYPIPE_INVALID_HANDLE
	case badTimeout(timeout):
		return invalid(badTimeoutText)
	}
	_, err := await(e.conn.StartFlush(), timeout)
	return result(err)
}

//export libCloseWrite
func libCloseWrite(handle C.anypipe_handle) C.int {
	e := end(uint64(handle))
	if e == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	return result(e.conn.CloseWrite())
}
