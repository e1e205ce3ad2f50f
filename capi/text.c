/* text.c: the numbers in words. */
#include "anypipe.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* The same as internal/winerr has, which a test compares; in C so that a forked child can ask too. */
static const struct {
    int error;
    const char *name, *text;
} errors[] = {
    {ANYPIPE_OK, "ERROR_SUCCESS", "success"},
    {ANYPIPE_INVALID_FUNCTION, "ERROR_INVALID_FUNCTION", "only the server end can do this"},
    {ANYPIPE_NOT_EXIST, "ERROR_FILE_NOT_FOUND", "no pipe of that name exists"},
    {ANYPIPE_NO_NAME, "ERROR_PATH_NOT_FOUND", "the pipe name is missing"},
    {ANYPIPE_ACCESS_DENIED, "ERROR_ACCESS_DENIED", "access to the pipe is denied"},
    {ANYPIPE_INVALID_HANDLE, "ERROR_INVALID_HANDLE", "the handle is closed, of another kind, or never was one"},
    {ANYPIPE_OUT_OF_MEMORY, "ERROR_NOT_ENOUGH_MEMORY", "there is not enough memory"},
    {ANYPIPE_NOT_SUPPORTED, "ERROR_NOT_SUPPORTED", "this kind of pipe can't do this"},
    {ANYPIPE_INVALID_PARAMETER, "ERROR_INVALID_PARAMETER", "a parameter is not valid for this pipe"},
    {ANYPIPE_BROKEN_PIPE, "ERROR_BROKEN_PIPE", "the other end was closed"},
    {ANYPIPE_TIMEOUT, "ERROR_SEM_TIMEOUT", "no instance became available in time"},
    {ANYPIPE_INVALID_NAME, "ERROR_INVALID_NAME", "this is not a pipe name"},
    {ANYPIPE_NAME_TOO_LONG, "ERROR_FILENAME_EXCED_RANGE", "the pipe name is longer than 256 characters"},
    {ANYPIPE_BAD_PIPE, "ERROR_BAD_PIPE", "the pipe's state or mode does not allow this"},
    {ANYPIPE_PIPE_BUSY, "ERROR_PIPE_BUSY", "every instance of the pipe is taken"},
    {ANYPIPE_NO_DATA, "ERROR_NO_DATA", "the other end is closed"},
    {ANYPIPE_NOT_CONNECTED, "ERROR_PIPE_NOT_CONNECTED", "the server disconnected this end"},
    {ANYPIPE_MORE_DATA, "ERROR_MORE_DATA", "the message is longer than the buffer"},
    {ANYPIPE_PIPE_CONNECTED, "ERROR_PIPE_CONNECTED", "a client is already connected"},
    {ANYPIPE_PIPE_LISTENING, "ERROR_PIPE_LISTENING", "no client has connected yet"},
    {ANYPIPE_ABORTED, "ERROR_OPERATION_ABORTED", "the operation was cancelled"},
    {ANYPIPE_IO_PENDING, "ERROR_IO_PENDING", "the operation was started and is not done yet"},
    {ANYPIPE_NOT_FOUND, "ERROR_NOT_FOUND", "there is no such client or operation"},
    {ANYPIPE_OTHER, "ERROR_INTERNAL_ERROR", "the system failed in another way"},
    {ANYPIPE_CANNOT_IMPERSONATE, "ERROR_CANNOT_IMPERSONATE", "the client can't be impersonated"},
};

/* A number that pipes don't know, and its name: made when first asked for, kept as long as the process. */
struct unknown {
    struct unknown *next;
    int error;
    char name[32];
};

static _Atomic(struct unknown *) unknowns;

static const char *unknown_name(int error) {
    struct unknown *first = atomic_load(&unknowns);
    for (struct unknown *u = first; u != NULL; u = u->next)
        if (u->error == error) return u->name;
    struct unknown *u = malloc(sizeof *u);
    if (u == NULL) return "ERROR_UNKNOWN";
    u->error = error;
    snprintf(u->name, sizeof u->name, "ERROR_%d", error);
    u->next = first;
    while (!atomic_compare_exchange_weak(&unknowns, &u->next, u)) {
    }
    return u->name;
}

const char *anypipe_error_name(int error) {
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].error == error) return errors[i].name;
    return unknown_name(error);
}

const char *anypipe_error_text(int error) {
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].error == error) return errors[i].text;
    return "an error that pipes don't know";
}
