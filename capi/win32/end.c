/* end.c: what is done with an end of a pipe: bytes and messages, modes, information. */
#include "world.h"

#include <stdio.h>
#include <unistd.h>

/* ---- bytes and messages ------------------------------------------------------------------------------------------ */

/* A synchronous read waits for a moment in its own thread, where an answer costs no hand-over. It can't be cancelled meanwhile; who
 * cancels waits for that moment. */
enum { MOMENT_MS = 2 };

static BOOL read_end(struct stream *stream, void *buffer, DWORD size, LPDWORD count, OVERLAPPED *overlapped,
                     LPOVERLAPPED_COMPLETION_ROUTINE routine) {
    struct request *request = request_new(stream, overlapped, routine);
    if (request == NULL)
        return FALSE;
    struct start start = {0, 0, 0};
    if (request->synchronous) {
        int error = anypipe_read(stream->end, buffer, size, &start.length, MOMENT_MS);
        if (error != ANYPIPE_TIMEOUT)
            return request_finished(request, (DWORD)error, start.length, count);
        start.length = 0;
    }
    start.error = anypipe_read_start(stream->end, buffer, size, request_done, request, &start.operation, &start.length);
    return request_started(request, &start, count);
}

static BOOL read_file(HANDLE file, void *buffer, DWORD size, LPDWORD count, OVERLAPPED *overlapped,
                      LPOVERLAPPED_COMPLETION_ROUTINE routine) {
    if (count != NULL)
        *count = 0;
    struct stream *stream = handle_object(file, STREAM);
    if (stream == NULL)
        return FALSE;
    BOOL result = buffer == NULL && size > 0 ? fail(ERROR_NOACCESS)
                  : stream->end == 0         ? descriptor_read(stream, buffer, size, count, overlapped, routine)
                                             : read_end(stream, buffer, size, count, overlapped, routine);
    object_release(stream);
    return result;
}

static BOOL write_end(struct stream *stream, const void *data, DWORD size, LPDWORD count, OVERLAPPED *overlapped,
                      LPOVERLAPPED_COMPLETION_ROUTINE routine) {
    struct request *request = request_new(stream, overlapped, routine);
    if (request == NULL)
        return FALSE;
    struct start start = {0, 0, 0};
    start.error = anypipe_write_start(stream->end, data, size, request_done, request, &start.operation, &start.length);
    return request_started(request, &start, count);
}

static BOOL write_file(HANDLE file, const void *data, DWORD size, LPDWORD count, OVERLAPPED *overlapped,
                       LPOVERLAPPED_COMPLETION_ROUTINE routine) {
    if (count != NULL)
        *count = 0;
    struct stream *stream = handle_object(file, STREAM);
    if (stream == NULL)
        return FALSE;
    BOOL result = data == NULL && size > 0 ? fail(ERROR_INVALID_USER_BUFFER)
                  : stream->end == 0       ? descriptor_write(stream, data, size, count, overlapped, routine)
                                           : write_end(stream, data, size, count, overlapped, routine);
    object_release(stream);
    return result;
}

BOOL ReadFile(HANDLE file, LPVOID buffer, DWORD size, LPDWORD length, LPOVERLAPPED overlapped) {
    return read_file(file, buffer, size, length, overlapped, NULL);
}

BOOL WriteFile(HANDLE file, LPCVOID data, DWORD size, LPDWORD length, LPOVERLAPPED overlapped) {
    return write_file(file, data, size, length, overlapped, NULL);
}

BOOL ReadFileEx(HANDLE file, LPVOID buffer, DWORD size, LPOVERLAPPED overlapped, LPOVERLAPPED_COMPLETION_ROUTINE routine) {
    if (overlapped == NULL || routine == NULL)
        return fail(ERROR_INVALID_PARAMETER);
    return read_file(file, buffer, size, NULL, overlapped, routine);
}

BOOL WriteFileEx(HANDLE file, LPCVOID data, DWORD size, LPOVERLAPPED overlapped, LPOVERLAPPED_COMPLETION_ROUTINE routine) {
    if (overlapped == NULL || routine == NULL)
        return fail(ERROR_INVALID_PARAMETER);
    return write_file(file, data, size, NULL, overlapped, routine);
}

/* ---- pipes only -------------------------------------------------------------------------------------------------- */

/* A stream that is an end of a pipe. A descriptor is a stream too, but no pipe: error is what it is told. */
static struct stream *end_of(HANDLE handle, DWORD error) {
    struct stream *stream = handle_object(handle, STREAM);
    if (stream != NULL && stream->end == 0) {
        object_release(stream);
        SetLastError(error);
        return NULL;
    }
    return stream;
}

BOOL FlushFileBuffers(HANDLE file) {
    struct stream *stream = handle_object(file, STREAM);
    if (stream == NULL)
        return FALSE;
    BOOL result;
    if (stream->end == 0) {
        result = stream->pipe || fsync(stream->descriptor) == 0 ? TRUE : fail(ERROR_INVALID_FUNCTION);
    } else {
        /* The call waits on overlapped handles too, so it has no OVERLAPPED. */
        struct request *request = request_new(stream, NULL, NULL);
        struct start start = {0, 0, 0};
        if (request != NULL)
            start.error = anypipe_flush_start(stream->end, request_done, request, &start.operation);
        result = request != NULL && request_started(request, &start, NULL);
    }
    object_release(stream);
    return result;
}

BOOL ConnectNamedPipe(HANDLE pipe, LPOVERLAPPED overlapped) {
    struct stream *stream = end_of(pipe, ERROR_INVALID_FUNCTION);
    if (stream == NULL)
        return FALSE;
    struct request *request = request_new(stream, overlapped, NULL);
    struct start start = {0, 0, 0};
    if (request != NULL)
        start.error = anypipe_connect_start(stream->end, request_done, request, &start.operation);
    BOOL result = request != NULL && request_started(request, &start, NULL);
    object_release(stream);
    return result;
}

BOOL TransactNamedPipe(HANDLE pipe, LPVOID request_data, DWORD request_size, LPVOID reply, DWORD reply_size, LPDWORD length,
                       LPOVERLAPPED overlapped) {
    if (length != NULL)
        *length = 0;
    struct stream *stream = end_of(pipe, ERROR_BAD_PIPE);
    if (stream == NULL)
        return FALSE;
    struct request *request = request_new(stream, overlapped, NULL);
    struct start start = {0, 0, 0};
    if (request != NULL)
        start.error = anypipe_transact_start(stream->end, request_data, request_size, reply, reply_size, request_done, request,
                                             &start.operation, &start.length);
    BOOL result = request != NULL && request_started(request, &start, length);
    object_release(stream);
    return result;
}

BOOL DisconnectNamedPipe(HANDLE pipe) {
    struct stream *stream = end_of(pipe, ERROR_INVALID_FUNCTION);
    if (stream == NULL)
        return FALSE;
    BOOL result = result_of(anypipe_disconnect(stream->end));
    object_release(stream);
    return result;
}

BOOL PeekNamedPipe(HANDLE pipe, LPVOID buffer, DWORD size, LPDWORD length, LPDWORD available, LPDWORD left) {
    struct stream *stream = handle_object(pipe, STREAM);
    if (stream == NULL)
        return FALSE;
    BOOL result;
    if (stream->end == 0) {
        result = descriptor_peek(stream, buffer, size, length, available, left);
    } else {
        anypipe_peeked peeked = {.size = sizeof peeked};
        result = result_of(anypipe_peek(stream->end, buffer, buffer != NULL ? size : 0, &peeked));
        if (result && length != NULL)
            *length = (DWORD)peeked.read;
        if (result && available != NULL)
            *available = (DWORD)peeked.available;
        if (result && left != NULL)
            *left = (DWORD)peeked.left;
    }
    object_release(stream);
    return result;
}

/* ---- modes and information --------------------------------------------------------------------------------------- */

BOOL SetNamedPipeHandleState(HANDLE pipe, LPDWORD mode, LPDWORD collection_count, LPDWORD collection_timeout) {
    struct stream *stream = handle_object(pipe, STREAM);
    if (stream == NULL)
        return FALSE;
    int error = ANYPIPE_OK;
    if (stream->end == 0) {
        error = !stream->pipe || (mode != NULL && (*mode & ~PIPE_NOWAIT) != 0) ? ANYPIPE_INVALID_PARAMETER : ANYPIPE_OK;
        if (error == ANYPIPE_OK && mode != NULL)
            stream->no_wait = (*mode & PIPE_NOWAIT) != 0;
    } else if (mode != NULL) {
        /* Rights are checked before values, so an invalid value is passed on as one. */
        bool known = (*mode & ~(PIPE_NOWAIT | PIPE_READMODE_MESSAGE)) == 0;
        uint32_t read_mode = known ? *mode / PIPE_READMODE_MESSAGE : UINT32_MAX;
        error = anypipe_set_modes(stream->end, read_mode, (*mode & PIPE_NOWAIT) != 0);
    }
    /* Local pipes collect nothing. */
    if (error == ANYPIPE_OK && (collection_count != NULL || collection_timeout != NULL))
        error = ANYPIPE_INVALID_PARAMETER;
    object_release(stream);
    return result_of(error);
}

/* GetNamedPipeHandleState without the user. */
DWORD pipe_state(HANDLE pipe, LPDWORD state, LPDWORD instances, bool collection) {
    struct stream *stream = handle_object(pipe, STREAM);
    if (stream == NULL)
        return ERROR_INVALID_HANDLE;
    anypipe_info info = {.size = sizeof info, .instances = 1, .no_wait = stream->no_wait};
    int error = stream->end != 0  ? anypipe_get_info(stream->end, &info)
                : !stream->pipe ? ANYPIPE_INVALID_PARAMETER
                                : ANYPIPE_OK;
    object_release(stream);
    if (error == ANYPIPE_OK && collection)
        error = ANYPIPE_INVALID_PARAMETER;
    if (error != ANYPIPE_OK)
        return (DWORD)error;
    if (state != NULL)
        *state = (info.no_wait != 0 ? PIPE_NOWAIT : 0) | (info.read_mode == ANYPIPE_MESSAGE ? PIPE_READMODE_MESSAGE : 0);
    if (instances != NULL)
        *instances = info.instances < PIPE_UNLIMITED_INSTANCES ? info.instances : PIPE_UNLIMITED_INSTANCES;
    return ERROR_SUCCESS;
}

BOOL GetNamedPipeInfo(HANDLE pipe, LPDWORD flags, LPDWORD out_buffer, LPDWORD in_buffer, LPDWORD max_instances) {
    struct stream *stream = handle_object(pipe, STREAM);
    if (stream == NULL)
        return FALSE;
    anypipe_info info = {.size = sizeof info, .max_instances = 1, .in_quota = 4096, .out_quota = 4096};
    int error = stream->end != 0  ? anypipe_get_info(stream->end, &info)
                : !stream->pipe ? ANYPIPE_INVALID_PARAMETER
                                : ANYPIPE_OK;
    object_release(stream);
    if (error != ANYPIPE_OK)
        return result_of(error);
    if (flags != NULL)
        *flags = (info.server != 0 ? PIPE_SERVER_END : PIPE_CLIENT_END) | (info.type == ANYPIPE_MESSAGE ? PIPE_TYPE_MESSAGE : 0);
    if (out_buffer != NULL)
        *out_buffer = (DWORD)info.out_quota;
    if (in_buffer != NULL)
        *in_buffer = (DWORD)info.in_quota;
    if (max_instances != NULL)
        *max_instances = info.max_instances;
    return TRUE;
}

/* ---- who is at the ends ------------------------------------------------------------------------------------------ */

/* The ids of one end's process, which is this one or the other. */
static BOOL ask_process(HANDLE pipe, bool server, PULONG id, bool session) {
    struct stream *stream = end_of(pipe, ERROR_INVALID_FUNCTION);
    if (stream == NULL)
        return FALSE;
    anypipe_peer peer = {.size = sizeof peer};
    /* The server always knows itself; a client that was disconnected knows nothing any more. */
    int error = stream->server && server ? ANYPIPE_OK : anypipe_get_peer(stream->end, &peer);
    bool own = stream->server == server;
    object_release(stream);
    if (error != ANYPIPE_OK)
        return result_of(error);
    DWORD own_session = 0;
    if (own && session)
        ProcessIdToSessionId(GetCurrentProcessId(), &own_session);
    *id = session ? (own ? own_session : (ULONG)peer.session) : (own ? GetCurrentProcessId() : (ULONG)peer.pid);
    return TRUE;
}

BOOL GetNamedPipeClientProcessId(HANDLE pipe, PULONG id) { return ask_process(pipe, false, id, false); }
BOOL GetNamedPipeServerProcessId(HANDLE pipe, PULONG id) { return ask_process(pipe, true, id, false); }
BOOL GetNamedPipeClientSessionId(HANDLE pipe, PULONG id) { return ask_process(pipe, false, id, true); }
BOOL GetNamedPipeServerSessionId(HANDLE pipe, PULONG id) { return ask_process(pipe, true, id, true); }

/* The client's user, whom only the server's end can ask for. */
DWORD user_of_pipe(HANDLE pipe, char *user, size_t size) {
    struct stream *stream = end_of(pipe, ERROR_INVALID_FUNCTION);
    if (stream == NULL)
        return GetLastError();
    anypipe_peer peer = {.size = sizeof peer};
    int error = stream->server ? anypipe_get_peer(stream->end, &peer) : ANYPIPE_INVALID_FUNCTION;
    object_release(stream);
    if (error == ANYPIPE_NOT_FOUND)
        error = ANYPIPE_CANNOT_IMPERSONATE;
    if (error == ANYPIPE_OK)
        snprintf(user, size, "%s", peer.user);
    return (DWORD)error;
}
