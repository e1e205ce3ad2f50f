/* port.c: completion ports. */
#include "world.h"

#include <stdlib.h>

void port_post_locked(struct port *port, struct packet *packet) {
    packet->next = NULL;
    *(port->last != NULL ? &port->last->next : &port->first) = packet;
    port->last = packet;
    object_wake_locked(&port->object);
}

void port_drain(struct port *port) {
    while (port->first != NULL) {
        struct packet *packet = port->first;
        port->first = packet->next;
        free(packet);
    }
    port->last = NULL;
}

/* The port's last handle is closed: who waits learns it. Streams that are bound to it keep it in memory. */
void port_close_locked(struct port *port) {
    port_drain(port);
    object_signal_locked(&port->object);
}

static BOOL bind(struct stream *stream, struct port *port, ULONG_PTR key) {
    lock_world();
    bool free_to_bind = stream->port == NULL && stream->overlapped;
    if (free_to_bind) {
        stream->port = port;
        stream->key = key;
        object_keep_locked(port);
    }
    unlock_world();
    return free_to_bind ? TRUE : fail(ERROR_INVALID_PARAMETER);
}

HANDLE CreateIoCompletionPort(HANDLE file, HANDLE existing, ULONG_PTR key, DWORD threads) {
    (void)threads; /* how many run at once is the scheduler's affair */
    if (file == INVALID_HANDLE_VALUE && existing != NULL)
        return fail(ERROR_INVALID_PARAMETER), NULL;
    struct stream *stream = file != INVALID_HANDLE_VALUE ? handle_object(file, STREAM) : NULL;
    if (stream == NULL && file != INVALID_HANDLE_VALUE)
        return NULL;
    struct port *port = existing != NULL ? handle_object(existing, PORT) : object_new(PORT, sizeof *port);
    HANDLE handle = existing;
    BOOL bound = port != NULL && (stream == NULL || bind(stream, port, key));
    if (port != NULL && existing != NULL)
        object_release(port);
    else if (port != NULL && bound)
        handle = handle_new(port, NULL);
    else if (port != NULL)
        object_release(port);
    if (stream != NULL)
        object_release(stream);
    return bound ? handle : NULL;
}

BOOL PostQueuedCompletionStatus(HANDLE handle, DWORD length, ULONG_PTR key, LPOVERLAPPED overlapped) {
    struct port *port = handle_object(handle, PORT);
    struct packet *packet = port != NULL ? calloc(1, sizeof *packet) : NULL;
    if (port == NULL)
        return FALSE;
    if (packet != NULL)
        packet->entry = (OVERLAPPED_ENTRY){key, overlapped, 0, length};
    lock_world();
    if (packet != NULL)
        port_post_locked(port, packet);
    object_release_locked(port);
    unlock_world();
    return packet != NULL ? TRUE : fail(ERROR_NOT_ENOUGH_MEMORY);
}

/* Takes up to count packets, waiting for the first; *error says why there are none. */
static ULONG take(struct port *port, OVERLAPPED_ENTRY *entries, ULONG count, DWORD timeout, BOOL alertable, DWORD *error) {
    struct deadline deadline = deadline_in(timeout);
    struct object *object = &port->object;
    for (;;) {
        DWORD result = wait_for(&object, 1, false, &deadline, alertable, timeout == 0);
        *error = result == WAIT_FAILED ? GetLastError() : result;
        if (result != WAIT_OBJECT_0)
            return 0;
        ULONG taken = 0;
        lock_world();
        bool closed = port->first == NULL && port->object.signalled;
        for (struct packet *packet; taken < count && (packet = port->first) != NULL; ++taken) {
            entries[taken] = packet->entry;
            if ((port->first = packet->next) == NULL)
                port->last = NULL;
            free(packet);
        }
        unlock_world();
        *error = closed ? ERROR_ABANDONED_WAIT_0 : ERROR_SUCCESS;
        /* Another thread may have been faster; then this one waits on. */
        if (taken > 0 || closed)
            return taken;
    }
}

BOOL GetQueuedCompletionStatus(HANDLE handle, LPDWORD length, PULONG_PTR key, LPOVERLAPPED *overlapped, DWORD timeout) {
    *overlapped = NULL;
    struct port *port = handle_object(handle, PORT);
    if (port == NULL)
        return FALSE;
    OVERLAPPED_ENTRY entry;
    DWORD error;
    ULONG taken = take(port, &entry, 1, timeout, FALSE, &error);
    object_release(port);
    if (taken == 0)
        return fail(error);
    *length = entry.dwNumberOfBytesTransferred;
    *key = entry.lpCompletionKey;
    *overlapped = entry.lpOverlapped;
    error = error_of_status((DWORD)entry.Internal);
    return error == ERROR_SUCCESS ? TRUE : fail(error);
}

BOOL GetQueuedCompletionStatusEx(HANDLE handle, LPOVERLAPPED_ENTRY entries, ULONG count, PULONG removed, DWORD timeout, BOOL alertable) {
    if (entries == NULL || count == 0 || removed == NULL)
        return fail(ERROR_INVALID_PARAMETER);
    *removed = 0;
    struct port *port = handle_object(handle, PORT);
    if (port == NULL)
        return FALSE;
    DWORD error;
    *removed = take(port, entries, count, timeout, alertable, &error);
    object_release(port);
    return *removed > 0 ? TRUE : fail(error);
}

BOOL SetFileCompletionNotificationModes(HANDLE file, UCHAR flags) {
    if ((flags & ~(FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE)) != 0)
        return fail(ERROR_INVALID_PARAMETER);
    struct stream *stream = handle_object(file, STREAM);
    if (stream == NULL)
        return FALSE;
    lock_world();
    stream->modes |= flags;
    object_release_locked(stream);
    unlock_world();
    return TRUE;
}
