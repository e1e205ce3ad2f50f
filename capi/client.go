package main

/*
#include <stdlib.h>
#include "anypipe.h"
*/
import "C"

import (
	"context"
	"errors"
	"unsafe"

	"github.com/anypipe/anypipe"
)

// dialer translates the options of an opening; why is not empty if they are not valid.
func dialer(o *C.anypipe_dial_options) (d *anypipe.Dialer, why string) {
	if o == nil {
		return &anypipe.Dialer{}, ""
	}
	switch {
	case o.size != C.sizeof_anypipe_dial_options:
		return nil, "options->size is not sizeof(anypipe_dial_options)"
	case o.read_mode > C.ANYPIPE_MESSAGE:
		return nil, "options->read_mode is neither ANYPIPE_BYTE nor ANYPIPE_MESSAGE"
	}
	d = &anypipe.Dialer{
		Access: anypipe.Access(o.access), ReadMode: anypipe.Mode(o.read_mode), NoBusyWait: o.no_busy_wait != 0,
		MaxMessage: messageLimit(o.max_message),
	}
	if o.expect_owner != nil {
		d.ExpectOwner = C.GoString(o.expect_owner)
	}
	return d, ""
}

//export libDial
func libDial(name *C.char, options *C.anypipe_dial_options, timeout C.int64_t, client *C.anypipe_handle) C.int {
	d, why := dialer(options)
	if why != "" {
		return invalid(why)
	}
	ctx, stop, valid := until(timeout)
	if !valid {
		return invalid(badTimeoutText)
	}
	defer stop()
	c, err := d.Dial(ctx, C.GoString(name))
	if err != nil {
		return result(err)
	}
	return give(&entry{conn: c}, client)
}

//export libWait
func libWait(name *C.char, timeout C.int64_t) C.int {
	switch {
	case timeout == C.ANYPIPE_DEFAULT_WAIT:
		return result(anypipe.Wait(context.Background(), C.GoString(name), anypipe.UseDefaultWait))
	case badTimeout(timeout):
		return invalid(badTimeoutText)
	}
	ctx, stop, _ := until(timeout)
	defer stop()
	return result(anypipe.Wait(ctx, C.GoString(name), anypipe.WaitForever))
}

// openForCall opens a message pipe as CallNamedPipe does; ctx is for what comes after it.
func openForCall(name string, timeout C.int64_t, maxMessage int) (c *anypipe.Conn, ctx context.Context, stop context.CancelFunc, err error) {
	d := anypipe.Dialer{ReadMode: anypipe.Message, MaxMessage: maxMessage}
	if timeout != C.ANYPIPE_DEFAULT_WAIT {
		ctx, stop, _ = until(timeout)
		if c, err = d.Dial(ctx, name); err != nil {
			stop()
		}
		return c, ctx, stop, err
	}
	d.NoBusyWait = true
	c, err = d.Dial(context.Background(), name)
	for errors.Is(err, anypipe.ErrPipeBusy) {
		if err = anypipe.Wait(context.Background(), name, anypipe.UseDefaultWait); err == nil {
			c, err = d.Dial(context.Background(), name)
		}
	}
	return c, context.Background(), func() {}, err
}

//export libCall
func libCall(name *C.char, request unsafe.Pointer, requestSize C.size_t, reply unsafe.Pointer, replySize C.size_t, length *C.size_t, timeout C.int64_t) C.int {
	if timeout != C.ANYPIPE_DEFAULT_WAIT && badTimeout(timeout) {
		return invalid(badTimeoutText)
	}
	c, ctx, stop, err := openForCall(C.GoString(name), timeout, 0)
	if err != nil {
		return result(err)
	}
	defer stop()
	defer c.Close()
	n, err := c.StartTransact(view(request, requestSize), view(reply, replySize)).Wait(ctx)
	*length = C.size_t(n)
	return result(err)
}

//export libCallMessage
func libCallMessage(name *C.char, request unsafe.Pointer, requestSize C.size_t, reply *unsafe.Pointer, length *C.size_t, timeout C.int64_t) C.int {
	if timeout != C.ANYPIPE_DEFAULT_WAIT && badTimeout(timeout) {
		return invalid(badTimeoutText)
	}
	c, ctx, stop, err := openForCall(C.GoString(name), timeout, 0)
	if err != nil {
		return result(err)
	}
	defer stop()
	defer c.Close()
	o := c.StartTransactMessage(view(request, requestSize))
	_, err = o.Wait(ctx)
	return giveMessage(o.Message(), err, reply, length)
}

//export libPair
func libPair(quota C.size_t, read, write *C.anypipe_handle) C.int {
	if quota > 1<<62 {
		return invalid("the quota is too large")
	}
	r, w, err := anypipe.Pipe(int(quota))
	if err != nil {
		return result(err)
	}
	if code := give(&entry{conn: r}, read); code != C.ANYPIPE_OK {
		_ = w.Close()
		return code
	}
	code := give(&entry{conn: w}, write)
	if code != C.ANYPIPE_OK {
		libClose(*read, 0)
		*read = 0
	}
	return code
}
