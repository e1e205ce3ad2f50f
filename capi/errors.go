package main

/*
#include <stdlib.h>
#include "anypipe.h"
#include "abi.h"
*/
import "C"

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"unsafe"

	"github.com/anypipe/anypipe"
)

// result turns an error into its number and keeps what it says for anypipe_last_detail, if that is more than the number's text.
func result(err error) C.int {
	if err == nil {
		return C.ANYPIPE_OK
	}
	code := number(err)
	if !plain(code) {
		detail(err.Error())
	}
	return code
}

// number returns the Win32 number of an error.
func number(err error) C.int {
	switch {
	case err == nil:
		return C.ANYPIPE_OK
	case err == io.EOF:
		return C.ANYPIPE_BROKEN_PIPE
	case errors.Is(err, net.ErrClosed), errors.Is(err, context.Canceled):
		return C.ANYPIPE_ABORTED
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return C.ANYPIPE_TIMEOUT
	}
	if code := anypipe.Win32Code(err); code != 0 {
		return C.int(code)
	}
	return C.ANYPIPE_OTHER
}

// plain reports whether the number says all: these are everyday results, which must not cost much.
func plain(code C.int) bool {
	switch code {
	case C.ANYPIPE_OK, C.ANYPIPE_BROKEN_PIPE, C.ANYPIPE_TIMEOUT, C.ANYPIPE_NO_DATA, C.ANYPIPE_NOT_CONNECTED, C.ANYPIPE_MORE_DATA,
		C.ANYPIPE_PIPE_CONNECTED, C.ANYPIPE_PIPE_LISTENING, C.ANYPIPE_ABORTED, C.ANYPIPE_IO_PENDING:
		return true
	}
	return false
}

// detail keeps a text for the calling thread, which is the one that called us from C.
func detail(text string) {
	C.libanypipe_keep_detail((*C.char)(unsafe.Pointer(unsafe.StringData(text))), C.size_t(len(text)))
}

// invalid is the result of a parameter that is not valid.
func invalid(why string) C.int {
	detail(why)
	return C.ANYPIPE_INVALID_PARAMETER
}
