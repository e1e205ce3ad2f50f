/* windows.h: source written for Win32's named pipes, compiled for Linux and macOS. capi/win32/README.md says how.
 *
 * Copyright The anypipe Authors. Apache License 2.0. */
#ifndef ANYPIPE_WINDOWS_H
#define ANYPIPE_WINDOWS_H

#ifdef _WIN32
#error "this header is for other systems than Windows, which has its own"
#endif

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "securecrt.h"
#include "winbase.h"
#include "widecrt.h"

#endif
