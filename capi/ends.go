package main

/*
#include "anypipe.h"
*/
import "C"

import "github.com/anypipe/anypipe"

// give puts an end into the table and its handle into *handle. It owns the end from then on.
func give(e *entry, handle *C.anypipe_handle) C.int {
	if h := table.add(e); h != 0 {
		*handle = C.anypipe_handle(h)
		return C.ANYPIPE_OK
	}
	if e.conn != nil {
		_ = e.conn.Close()
	} else {
		_ = e.listener.Close()
	}
	detail("the process has as many handles as there can be")
	return C.ANYPIPE_OUT_OF_MEMORY
}

// serverEnd returns the entry of an instance.
func serverEnd(in *anypipe.Instance) *entry { return &entry{conn: &in.Conn, instance: in} }

// libClose closes a handle. inside is the end whose callback the calling thread runs, or 0.
//
//export libClose
func libClose(handle, inside C.anypipe_handle) C.int {
	e := table.get(uint64(handle))
	if e == nil || e.operation != nil || !table.remove(e) {
		return C.ANYPIPE_INVALID_HANDLE
	}
	if e.listener != nil {
		return result(e.listener.Close())
	}
	wait := e.callbacks.close()
	err := e.conn.Close()
	if inside != handle {
		wait()
	}
	return result(err)
}

//export libCancel
func libCancel(handle C.anypipe_handle) C.int {
	e := table.get(uint64(handle))
	switch {
	case e == nil:
		return C.ANYPIPE_INVALID_HANDLE
	case e.conn != nil:
		return result(e.conn.Cancel())
	case e.operation != nil:
		return result(e.operation.run.Cancel())
	case e.accepts.cancelAll():
		return C.ANYPIPE_OK
	}
	return C.ANYPIPE_NOT_FOUND
}

//export libOpenHandles
func libOpenHandles() C.size_t { return C.size_t(table.open.Load()) }
