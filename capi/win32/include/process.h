/* process.h: threads, the C library's way. */
#ifndef ANYPIPE_PROCESS_H
#define ANYPIPE_PROCESS_H

#include <unistd.h>

#include "processthreadsapi.h"

typedef unsigned(WINAPI *_beginthreadex_proc_type)(void *parameter);
typedef void(__cdecl *_beginthread_proc_type)(void *parameter);

ANYPIPE_W32_BEGIN
/* 0 on failure. */
uintptr_t _beginthreadex(void *security, unsigned stack, _beginthreadex_proc_type start, void *parameter, unsigned flags, unsigned *id)
    ANYPIPE_W32(beginthreadex);
void _endthreadex(unsigned code) ANYPIPE_W32(ExitThread) __attribute__((noreturn));
/* (uintptr_t)-1 on failure. The handle closes itself when the thread ends. */
uintptr_t _beginthread(_beginthread_proc_type start, unsigned stack, void *parameter) ANYPIPE_W32(beginthread);
void _endthread(void) ANYPIPE_W32(endthread) __attribute__((noreturn));
ANYPIPE_W32_END

#define _getpid getpid

#endif
