/* thread.h: what the C side of the library shares: the calling thread's state, and whether this is a forked child. */
#ifndef LIBANYPIPE_THREAD_H
#define LIBANYPIPE_THREAD_H

#include "abi.h"

/* Must be asked before Go is called. 0 in a process that was made by fork from one that had loaded the library: Go's threads are not here
 * then. */
int libanypipe_may_enter(void);

/* Before Go's runtime starts: takes over .NET's handler, which Go would make unusable. */
void libanypipe_take_handler(void);

/* Before the thread is in Go's code, or from there in the program's: notes where the thread's own stack is. */
void libanypipe_note_stack(void);

/* The end whose callback the calling thread runs, 0 if it runs none. */
anypipe_handle libanypipe_inside(void);

/* Notes the error of the call that is about to return, and returns it. */
int libanypipe_failed(int error);

/* As above, with what was wrong. */
int libanypipe_refused(int error, const char *why);

#endif
