/* abi.h: what Go and abi.c have between them. */
#ifndef LIBANYPIPE_ABI_H
#define LIBANYPIPE_ABI_H

#include "anypipe.h"

typedef int (*libanypipe_action)(void *context);
typedef int (*libanypipe_visit)(void *context, const anypipe_listed *pipe);

/* Keeps what was wrong for the calling thread's anypipe_last_detail. */
void libanypipe_keep_detail(const char *text, size_t length);

/* Call the program's functions. end is whose callback it is: closing it from within does not wait for the callback. */
void libanypipe_call_done(anypipe_done done, uintptr_t context, int error, size_t length, anypipe_handle end);
void libanypipe_call_message(anypipe_message on_message, uintptr_t context, const void *data, size_t length, int error, anypipe_handle end);
int libanypipe_call_action(libanypipe_action action, uintptr_t context);
int libanypipe_call_visit(libanypipe_visit visit, uintptr_t context, anypipe_listed *pipe);

#endif
