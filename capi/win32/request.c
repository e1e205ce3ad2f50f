/* request.c: the life of one operation, from the call that starts it to the OVERLAPPED, event, packet or procedure call that tells
 * its end. */
#include "world.h"

#include <stdlib.h>

/* Guarded by the world's lock. */
static struct request *pending; /* those that were started and are not done, in no particular order */
static pthread_cond_t completed = PTHREAD_COND_INITIALIZER; /* some request is done */

/* ---- beginning --------------------------------------------------------------------------------------------------- */

static bool low_bit(const OVERLAPPED *overlapped) { return ((uintptr_t)overlapped->hEvent & 1) != 0; }

static void request_free(struct request *request) {
    free(request->packet);
    free(request->apc);
    free(request);
}

/* What tells the end is allocated with the request. */
static struct request *allocate(bool packet, bool apc) {
    struct request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->packet = packet ? calloc(1, sizeof *request->packet) : NULL;
    request->apc = apc ? calloc(1, sizeof *request->apc) : NULL;
    if ((request->packet != NULL) == packet && (request->apc != NULL) == apc)
        return request;
    request_free(request);
    return NULL;
}

/* Enters a request into the world and resets its signal. */
static void begin(struct request *request) {
    lock_world();
    object_keep_locked(request->stream);
    object_keep_locked(request->thread);
    if (request->event != NULL)
        request->event->object.signalled = false;
    else
        request->stream->object.signalled = false;
    request->next = pending;
    if (pending != NULL)
        pending->previous = request;
    pending = request;
    unlock_world();
}

/* NULL, with the error set, if the OVERLAPPED names no event or memory is short. */
struct request *request_new(struct stream *stream, OVERLAPPED *overlapped, LPOVERLAPPED_COMPLETION_ROUTINE routine) {
    struct event *event = NULL;
    /* Completion routines leave hEvent to the program. */
    if (overlapped != NULL && routine == NULL && ((uintptr_t)overlapped->hEvent & ~(uintptr_t)3) != 0 &&
        (event = handle_object(overlapped->hEvent, EVENT)) == NULL)
        return NULL;
    lock_world();
    bool bound = stream->port != NULL;
    unlock_world();
    struct thread *self = thread_self();
    struct request *request = NULL;
    if (bound && routine != NULL)
        SetLastError(ERROR_INVALID_PARAMETER); /* a port or a routine, not both */
    else if (self == NULL || (request = allocate(bound && overlapped != NULL && !low_bit(overlapped), routine != NULL)) == NULL)
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    if (request == NULL) {
        if (event != NULL)
            object_release(event);
        return NULL;
    }
    request->stream = stream;
    request->thread = self;
    request->overlapped = overlapped;
    request->event = event;
    request->routine = routine;
    request->synchronous = overlapped == NULL || !stream->overlapped;
    request->references = 2;
    if (overlapped != NULL)
        __atomic_store_n(&overlapped->Internal, STATUS_PENDING, __ATOMIC_RELEASE);
    begin(request);
    return request;
}

static void request_release_locked(struct request *request) {
    if (--request->references > 0)
        return;
    object_release_locked(request->stream);
    object_release_locked(request->thread);
    if (request->event != NULL)
        object_release_locked(request->event);
    request_free(request);
}

/* ---- ending ------------------------------------------------------------------------------------------------------ */

/* Tells the end to whoever waits for it: first the OVERLAPPED, then the event or handle, then the port or the thread. */
static void tell_locked(struct request *request, bool was_pending) {
    struct stream *stream = request->stream;
    OVERLAPPED *overlapped = request->overlapped;
    DWORD status = status_of_error(request->error);
    if (overlapped != NULL) {
        overlapped->InternalHigh = request->length;
        __atomic_store_n(&overlapped->Internal, status, __ATOMIC_RELEASE);
    }
    if (request->event != NULL)
        object_signal_locked(&request->event->object);
    else if ((stream->modes & FILE_SKIP_SET_EVENT_ON_HANDLE) == 0 || request->synchronous)
        object_signal_locked(&stream->object);
    /* A port that was closed meanwhile is no longer the stream's. */
    bool told = was_pending || (stream->modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS) == 0;
    if (request->packet != NULL && stream->port != NULL && told) {
        request->packet->entry = (OVERLAPPED_ENTRY){stream->key, overlapped, status, (DWORD)request->length};
        port_post_locked(stream->port, request->packet);
        request->packet = NULL;
    }
    if (request->apc != NULL && !request->thread->ended) {
        *request->apc = (struct apc){NULL, NULL, 0, request->routine, request->error, (DWORD)request->length, overlapped};
        thread_queue_locked(request->thread, request->apc);
        request->apc = NULL;
    }
}

/* Takes the request out of the list and, unless it failed at once, which leaves no trace, tells its end. */
static void complete(struct request *request, DWORD error, size_t length, bool was_pending) {
    bool untold = !was_pending && error != ERROR_SUCCESS && error != ERROR_MORE_DATA;
    lock_world();
    /* What is pending when its own end closes is told what the driver tells. */
    if (error == ERROR_OPERATION_ABORTED && !request->cancelled && request->stream->closed)
        error = ERROR_BROKEN_PIPE;
    *(request->previous != NULL ? &request->previous->next : &pending) = request->next;
    if (request->next != NULL)
        request->next->previous = request->previous;
    request->error = error;
    request->length = error == ERROR_SUCCESS || error == ERROR_MORE_DATA ? length : 0;
    request->done = true;
    if (!untold)
        tell_locked(request, was_pending);
    pthread_cond_broadcast(&request->thread->wake);
    pthread_cond_broadcast(&completed);
    request_release_locked(request);
    unlock_world();
}

void request_done(void *context, int error, size_t length) { complete(context, (DWORD)error, length, true); }

/* What the Win32 function returns for a request that is done. The caller's reference ends. */
static BOOL outcome(struct request *request, LPDWORD count) {
    bool overlapped = !request->synchronous, routine = request->routine != NULL;
    lock_world();
    DWORD error = request->error;
    DWORD length = (DWORD)request->length;
    request_release_locked(request);
    unlock_world();
    /* An overlapped call that returns ERROR_MORE_DATA leaves the count to GetOverlappedResult. */
    if (count != NULL && (error == ERROR_SUCCESS || (error == ERROR_MORE_DATA && !overlapped)))
        *count = length;
    if (routine && (error == ERROR_SUCCESS || error == ERROR_MORE_DATA))
        return SetLastError(error), TRUE;
    return error == ERROR_SUCCESS ? TRUE : fail(error);
}

BOOL request_finished(struct request *request, DWORD error, size_t length, LPDWORD count) {
    complete(request, error, length, false);
    return outcome(request, count);
}

BOOL request_started(struct request *request, const struct start *start, LPDWORD count) {
    if (start->error != ANYPIPE_IO_PENDING)
        return request_finished(request, (DWORD)start->error, start->length, count);
    lock_world();
    request->operation = start->operation;
    bool cancel = request->cancelled && !request->done;
    unlock_world();
    if (cancel)
        anypipe_cancel(start->operation);
    lock_world();
    if (request->synchronous) {
        while (!request->done)
            pthread_cond_wait(&request->thread->wake, &world);
        unlock_world();
        return outcome(request, count);
    }
    bool routine = request->routine != NULL;
    request_release_locked(request);
    unlock_world();
    return routine ? (SetLastError(ERROR_SUCCESS), TRUE) : fail(ERROR_IO_PENDING);
}

/* ---- cancelling -------------------------------------------------------------------------------------------------- */

static bool matches(const struct request *request, const struct stream *stream, const struct thread *thread,
                    const OVERLAPPED *overlapped, bool only_synchronous) {
    return !request->cancelled && (stream == NULL || request->stream == stream) && (thread == NULL || request->thread == thread) &&
           (overlapped == NULL || request->overlapped == overlapped) && (!only_synchronous || request->synchronous);
}

/* Cancels one request that it has a reference of and, as on Windows, returns when it is done. */
static void cancel_and_wait(struct request *request) {
    lock_world();
    anypipe_handle operation = request->operation;
    struct thread *thread = request->thread;
    if (operation == 0 && thread->wake_pipe[1] != 0)
        write(thread->wake_pipe[1], "", 1);
    unlock_world();
    if (operation != 0)
        anypipe_cancel(operation);
    lock_world();
    while (!request->done)
        pthread_cond_wait(&completed, &world);
    request_release_locked(request);
    unlock_world();
}

size_t requests_cancel(const struct stream *stream, const struct thread *thread, const OVERLAPPED *overlapped, bool only_synchronous) {
    size_t count = 0;
    for (;;) {
        lock_world();
        struct request *request = pending;
        while (request != NULL && !matches(request, stream, thread, overlapped, only_synchronous))
            request = request->next;
        if (request != NULL) {
            request->cancelled = true;
            ++request->references;
        }
        unlock_world();
        if (request == NULL)
            return count;
        ++count;
        cancel_and_wait(request);
    }
}

/* Ends what a thread that ends has pending, apart from what a port reports. */
void requests_cancel_thread(struct thread *thread) {
    for (;;) {
        lock_world();
        struct request *request = pending;
        while (request != NULL && (request->packet != NULL || request->cancelled || request->thread != thread))
            request = request->next;
        if (request != NULL) {
            request->cancelled = true;
            ++request->references;
        }
        unlock_world();
        if (request == NULL)
            return;
        cancel_and_wait(request);
    }
}

static BOOL cancel(HANDLE file, const struct thread *thread, const OVERLAPPED *overlapped, bool must_exist) {
    struct stream *stream = handle_object(file, STREAM);
    if (stream == NULL)
        return FALSE;
    size_t count = requests_cancel(stream, thread, overlapped, false);
    object_release(stream);
    return count > 0 || !must_exist ? TRUE : fail(ERROR_NOT_FOUND);
}

BOOL CancelIo(HANDLE file) { return cancel(file, thread_self(), NULL, false); }
BOOL CancelIoEx(HANDLE file, LPOVERLAPPED overlapped) { return cancel(file, NULL, overlapped, true); }

BOOL CancelSynchronousIo(HANDLE handle) {
    struct thread *thread = handle_object(handle, THREAD);
    if (thread == NULL)
        return FALSE;
    size_t count = requests_cancel(NULL, thread, NULL, true);
    object_release(thread);
    return count > 0 ? TRUE : fail(ERROR_NOT_FOUND);
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

static bool is_pending(const OVERLAPPED *overlapped) {
    return __atomic_load_n(&overlapped->Internal, __ATOMIC_ACQUIRE) == STATUS_PENDING;
}

/* Waits for the operation's event, which a wait may take, or for the handle. Returns 0 or the error. */
static DWORD await(HANDLE file, OVERLAPPED *overlapped, DWORD timeout, BOOL alertable) {
    HANDLE event = (HANDLE)((uintptr_t)overlapped->hEvent & ~(uintptr_t)3);
    DWORD result = WaitForSingleObjectEx(event != NULL ? event : file, timeout, alertable);
    if (result == WAIT_FAILED)
        return GetLastError();
    if (result != WAIT_OBJECT_0)
        return result;
    /* The signal may be of another operation on the same event or handle. */
    struct deadline deadline = deadline_in(timeout);
    lock_world();
    bool in_time = true;
    while (is_pending(overlapped) && in_time)
        in_time = timeout == INFINITE ? pthread_cond_wait(&completed, &world) == 0 : deadline_wait(&completed, &world, &deadline);
    unlock_world();
    return is_pending(overlapped) ? WAIT_TIMEOUT : ERROR_SUCCESS;
}

BOOL GetOverlappedResultEx(HANDLE file, LPOVERLAPPED overlapped, LPDWORD length, DWORD timeout, BOOL alertable) {
    if (is_pending(overlapped)) {
        if (timeout == 0)
            return fail(ERROR_IO_INCOMPLETE);
        DWORD error = await(file, overlapped, timeout, alertable);
        if (error != ERROR_SUCCESS)
            return fail(error);
    }
    if (length != NULL)
        *length = (DWORD)overlapped->InternalHigh;
    DWORD error = error_of_status((DWORD)__atomic_load_n(&overlapped->Internal, __ATOMIC_ACQUIRE));
    return error == ERROR_SUCCESS ? TRUE : fail(error);
}

BOOL GetOverlappedResult(HANDLE file, LPOVERLAPPED overlapped, LPDWORD length, BOOL wait) {
    return GetOverlappedResultEx(file, overlapped, length, wait ? INFINITE : 0, FALSE);
}
