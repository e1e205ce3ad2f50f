/* pipe.c: making, opening and waiting for pipes, and what is done with an end of one. */
#include "world.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool is_separator(char c) { return c == '\\' || c == '/'; }

/* \\SERVER\pipe\NAME or, if it must be local, \\.\pipe\NAME or \\?\pipe\NAME. */
bool is_pipe_name(const char *name, bool local) {
    if (!is_separator(name[0]) || !is_separator(name[1]))
        return false;
    const char *server = name + 2;
    size_t length = strcspn(server, "\\/");
    if (length == 0 || (local && (length != 1 || (*server != '.' && *server != '?'))))
        return false;
    const char *word = server + length;
    return *word != 0 && strncasecmp(word + 1, "pipe", 4) == 0 && is_separator(word[5]);
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

struct stream *stream_new(void) {
    struct stream *stream = object_new(STREAM, sizeof *stream);
    if (stream != NULL) {
        stream->object.signalled = true;
        stream->descriptor = -1;
    }
    return stream;
}

void stream_close(struct stream *stream) {
    lock_world();
    stream->closed = true;
    struct port *port = stream->port;
    unlock_world();
    if (stream->end != 0)
        anypipe_close(stream->end);
    else
        requests_cancel(stream, NULL, NULL, false);
    if (stream->end == 0 && stream->owned)
        close(stream->descriptor);
    if (port != NULL) {
        lock_world();
        stream->port = NULL;
        object_release_locked(port);
        unlock_world();
    }
}

/* Wraps an end; INVALID_HANDLE_VALUE if there is no memory. */
static HANDLE end_handle(anypipe_handle end, bool server, DWORD flags, const SECURITY_ATTRIBUTES *security) {
    struct stream *stream = stream_new();
    if (stream == NULL) {
        anypipe_close(end);
        return INVALID_HANDLE_VALUE;
    }
    stream->end = end;
    stream->server = server;
    stream->overlapped = (flags & FILE_FLAG_OVERLAPPED) != 0;
    HANDLE handle = handle_new(stream, security);
    return handle != NULL ? handle : INVALID_HANDLE_VALUE;
}

enum {
    OPEN_MODES = PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE | WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY,
    PIPE_MODES = PIPE_NOWAIT | PIPE_READMODE_MESSAGE | PIPE_TYPE_MESSAGE | PIPE_REJECT_REMOTE_CLIENTS
};

static bool modes_are_valid(DWORD open_mode, DWORD pipe_mode, DWORD max_instances) {
    return (open_mode & ~(OPEN_MODES | FILE_FLAG_OVERLAPPED | FILE_FLAG_WRITE_THROUGH)) == 0 && (open_mode & PIPE_ACCESS_DUPLEX) != 0 &&
           (pipe_mode & ~(DWORD)PIPE_MODES) == 0 && (pipe_mode & 6) != PIPE_READMODE_MESSAGE && max_instances >= 1 &&
           max_instances <= PIPE_UNLIMITED_INSTANCES;
}

static int64_t quota(DWORD size) { return size == 0 ? ANYPIPE_UNBUFFERED : (int64_t)size; }

HANDLE CreateNamedPipeA(LPCSTR name, DWORD open_mode, DWORD pipe_mode, DWORD max_instances, DWORD out_buffer, DWORD in_buffer,
                        DWORD timeout, LPSECURITY_ATTRIBUTES security) {
    if (name == NULL)
        return fail(ERROR_PATH_NOT_FOUND), INVALID_HANDLE_VALUE;
    if (!modes_are_valid(open_mode, pipe_mode, max_instances))
        return fail(ERROR_INVALID_PARAMETER), INVALID_HANDLE_VALUE;
    if (!is_pipe_name(name, true))
        return fail(ERROR_INVALID_NAME), INVALID_HANDLE_VALUE;
    anypipe_create_options options = ANYPIPE_CREATE_OPTIONS_INIT;
    options.type = (pipe_mode & PIPE_TYPE_MESSAGE) != 0;
    options.read_mode = (pipe_mode & PIPE_READMODE_MESSAGE) != 0;
    options.direction = (open_mode & PIPE_ACCESS_DUPLEX) % PIPE_ACCESS_DUPLEX; /* 1 inbound, 2 outbound, 3 becomes 0 */
    options.max_instances = max_instances;
    options.default_timeout_ms = timeout;
    options.in_buffer = quota(in_buffer);
    options.out_buffer = quota(out_buffer);
    options.first = (open_mode & FILE_FLAG_FIRST_PIPE_INSTANCE) != 0;
    options.no_wait = (pipe_mode & PIPE_NOWAIT) != 0;
    options.accept_remote = (pipe_mode & PIPE_REJECT_REMOTE_CLIENTS) == 0;
    char *text;
    DWORD error = security_text(security, &text);
    if (error != ERROR_SUCCESS)
        return fail(error), INVALID_HANDLE_VALUE;
    options.sddl = text;
    anypipe_handle end;
    error = (DWORD)anypipe_create(name, &options, &end);
    free(text);
    if (error != ERROR_SUCCESS)
        return fail(error), INVALID_HANDLE_VALUE;
    anypipe_info info = {.size = sizeof info};
    bool later = anypipe_get_info(end, &info) == ANYPIPE_OK && info.instances > 1;
    HANDLE handle = end_handle(end, true, open_mode, security);
    if (handle != INVALID_HANDLE_VALUE)
        SetLastError(later ? ERROR_ALREADY_EXISTS : ERROR_SUCCESS);
    return handle;
}

static int open_pipe(const char *name, DWORD access, anypipe_handle *end) {
    anypipe_dial_options options = ANYPIPE_DIAL_OPTIONS_INIT;
    options.access = access != 0 ? access : SYNCHRONIZE | FILE_READ_ATTRIBUTES;
    options.no_busy_wait = 1;
    return anypipe_dial(name, &options, ANYPIPE_FOREVER, end);
}

HANDLE CreateFileA(LPCSTR name, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES security, DWORD disposition, DWORD flags, HANDLE model) {
    (void)share, (void)model;
    if (name == NULL || *name == 0)
        return fail(ERROR_PATH_NOT_FOUND), INVALID_HANDLE_VALUE;
    if (!is_pipe_name(name, false))
        return descriptor_open(name, access, disposition, flags, security);
    anypipe_handle end;
    int error = open_pipe(name, access, &end);
    if (error != ANYPIPE_OK)
        return fail((DWORD)error), INVALID_HANDLE_VALUE;
    HANDLE handle = end_handle(end, false, flags, security);
    if (handle != INVALID_HANDLE_VALUE)
        SetLastError(ERROR_SUCCESS);
    return handle;
}

/* ---- waiting and calling ----------------------------------------------------------------------------------------- */

/* The server's process is asked, which takes a moment: a wait of less than a tick of Windows' clock is one of a tick. */
static int wait_for_pipe(const char *name, DWORD timeout) {
    enum { TICK = 16 };
    return anypipe_wait(name, timeout == NMPWAIT_USE_DEFAULT_WAIT ? ANYPIPE_DEFAULT_WAIT
                              : timeout == NMPWAIT_WAIT_FOREVER   ? ANYPIPE_FOREVER
                              : timeout < TICK                    ? TICK
                                                                  : (int64_t)timeout);
}

BOOL WaitNamedPipeA(LPCSTR name, DWORD timeout) {
    if (name == NULL || !is_pipe_name(name, false))
        return fail(ERROR_PATH_NOT_FOUND);
    return result_of(wait_for_pipe(name, timeout));
}

/* As on Windows, the timeout is for a free instance only: the answer is waited for without limit. */
BOOL CallNamedPipeA(LPCSTR name, LPVOID request, DWORD request_size, LPVOID reply, DWORD reply_size, LPDWORD length, DWORD timeout) {
    *length = 0;
    if (name == NULL || !is_pipe_name(name, false))
        return fail(ERROR_PATH_NOT_FOUND);
    anypipe_handle end;
    int error = open_pipe(name, GENERIC_READ | GENERIC_WRITE, &end);
    if (error != ANYPIPE_OK && (error = wait_for_pipe(name, timeout)) == ANYPIPE_OK)
        error = open_pipe(name, GENERIC_READ | GENERIC_WRITE, &end);
    if (error != ANYPIPE_OK)
        return fail((DWORD)error);
    size_t got = 0;
    error = anypipe_set_modes(end, ANYPIPE_MESSAGE, 0);
    if (error == ANYPIPE_OK)
        error = anypipe_transact(end, request, request_size, reply, reply_size, &got, ANYPIPE_FOREVER);
    *length = (DWORD)got;
    anypipe_close(end);
    return result_of(error);
}
