package main

/*
#include "anypipe.h"
*/
import "C"

import (
	"context"
	"math"
	"time"

	"github.com/anypipe/anypipe"
)

// listenConfig translates the options of a creation; why is not empty if they are not valid.
func listenConfig(o *C.anypipe_create_options) (lc *anypipe.ListenConfig, why string, err error) {
	if o == nil {
		return &anypipe.ListenConfig{}, "", nil
	}
	switch {
	case o.size != C.sizeof_anypipe_create_options:
		return nil, "options->size is not sizeof(anypipe_create_options)", nil
	case o._type > C.ANYPIPE_MESSAGE || o.read_mode > C.ANYPIPE_MESSAGE:
		return nil, "options->type or read_mode is neither ANYPIPE_BYTE nor ANYPIPE_MESSAGE", nil
	case o.direction > C.ANYPIPE_OUTBOUND:
		return nil, "options->direction is none of ANYPIPE_DUPLEX, ANYPIPE_INBOUND and ANYPIPE_OUTBOUND", nil
	case o.max_instances > C.ANYPIPE_UNLIMITED_INSTANCES:
		return nil, "options->max_instances is over 255", nil
	case !isQuota(o.in_buffer) || !isQuota(o.out_buffer):
		return nil, "options->in_buffer or out_buffer is no size", nil
	case o.backlog > math.MaxInt32:
		return nil, "options->backlog is too large", nil
	}
	lc = &anypipe.ListenConfig{
		Type: anypipe.Mode(o._type), ReadMode: anypipe.Mode(o.read_mode), NoWait: o.no_wait != 0, Direction: anypipe.Direction(o.direction),
		MaxInstances: int(o.max_instances), First: o.first != 0, InBuffer: int(o.in_buffer), OutBuffer: int(o.out_buffer),
		DefaultTimeout: time.Duration(o.default_timeout_ms) * time.Millisecond, AcceptRemote: o.accept_remote != 0,
		NoForeign: o.no_foreign != 0, Backlog: int(o.backlog), MaxMessage: messageLimit(o.max_message),
	}
	if o.sddl != nil {
		lc.Security, err = anypipe.ParseSDDL(C.GoString(o.sddl))
	}
	return lc, "", err
}

// isQuota reports whether n is a buffer size of the contract that an int can hold.
func isQuota(n C.int64_t) bool { return n >= C.ANYPIPE_UNBUFFERED && int64(n) <= math.MaxInt }

// messageLimit translates a max_message. One that an int can't hold is no limit, as no message is so long.
func messageLimit(n C.uint64_t) int {
	if uint64(n) > math.MaxInt {
		return 0
	}
	return int(n)
}

//export libCreate
func libCreate(name *C.char, options *C.anypipe_create_options, instance *C.anypipe_handle) C.int {
	lc, why, err := listenConfig(options)
	switch {
	case why != "":
		return invalid(why)
	case err != nil:
		return result(err)
	}
	in, err := lc.Create(context.Background(), C.GoString(name))
	if err != nil {
		return result(err)
	}
	return give(serverEnd(in), instance)
}

// instance returns the server end of the handle, or why there is none.
func instance(handle C.anypipe_handle) (*entry, C.int) {
	e := end(uint64(handle))
	switch {
	case e == nil:
		return nil, C.ANYPIPE_INVALID_HANDLE
	case e.instance == nil:
		return nil, C.ANYPIPE_INVALID_FUNCTION
	}
	return e, C.ANYPIPE_OK
}

//export libConnect
func libConnect(handle C.anypipe_handle, timeout C.int64_t) C.int {
	e, code := instance(handle)
	if e == nil {
		return code
	}
	ctx, stop, valid := until(timeout)
	if !valid {
		return invalid(badTimeoutText)
	}
	defer stop()
	return result(e.instance.Connect(ctx))
}

//export libDisconnect
func libDisconnect(handle C.anypipe_handle) C.int {
	e, code := instance(handle)
	if e == nil {
		return code
	}
	return result(e.instance.Disconnect())
}

//export libListen
func libListen(name *C.char, options *C.anypipe_create_options, listener *C.anypipe_handle) C.int {
	lc, why, err := listenConfig(options)
	switch {
	case why != "":
		return invalid(why)
	case err != nil:
		return result(err)
	}
	l, err := lc.Listen(context.Background(), C.GoString(name))
	if err != nil {
		return result(err)
	}
	return give(&entry{listener: l}, listener)
}

//export libAccept
func libAccept(handle C.anypipe_handle, timeout C.int64_t, out *C.anypipe_handle) C.int {
	e := table.get(uint64(handle))
	if e == nil || e.listener == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	ctx, stop, valid := until(timeout)
	if !valid {
		return invalid(badTimeoutText)
	}
	defer stop()
	ctx, remove := e.accepts.add(ctx)
	defer remove()
	in, err := e.listener.AcceptInstance(ctx)
	if err != nil {
		return result(err)
	}
	return give(serverEnd(in), out)
}
