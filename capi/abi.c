/* abi.c: the public functions of anypipe.h. Each writes its results first, refuses what the contract does not allow, and goes on in
 * Go. A forked child has none of Go's threads, so nothing may go on there. */
#include "thread.h"

#include <stdlib.h>

#include "_cgo_export.h"

/* No process has more memory than this; a larger size is a mistake that Go must not see. */
#define MOST ((size_t)(SIZE_MAX >> 2))

/* Returns from a function of the contract if the process is a forked child. */
#define NOT_IN_CHILD \
    if (!libanypipe_may_enter()) \
    return libanypipe_refused(ANYPIPE_NOT_SUPPORTED, "a process made by fork without exec can't use the library")

/* Returns if a condition of the contract is not met. */
#define NEED(condition) \
    if (!(condition)) \
    return libanypipe_refused(ANYPIPE_INVALID_PARAMETER, "it must be: " #condition)

/* Memory of the caller. With size 0 the pointer may be anything, which Go must not see either. */
#define MEMORY(pointer, size) \
    NEED((pointer) != NULL || (size) == 0); \
    NEED((size) <= MOST); \
    if ((size) == 0) (pointer) = NULL

/* Notes a failure for anypipe_last_detail. */
static int returned(int error) {
    switch (error) {
    case ANYPIPE_OK:
    case ANYPIPE_PIPE_CONNECTED:
    case ANYPIPE_IO_PENDING:
        return error;
    default:
        return libanypipe_failed(error);
    }
}

uint32_t anypipe_abi(void) { return (uint32_t)ANYPIPE_ABI_MAJOR << 16 | ANYPIPE_ABI_MINOR; }

const char *anypipe_version(void) { return libanypipe_may_enter() ? libVersion() : ""; }

size_t anypipe_open_handles(void) { return libanypipe_may_enter() ? libOpenHandles() : 0; }

void anypipe_free(void *memory) { free(memory); }

int anypipe_close(anypipe_handle handle) {
    NOT_IN_CHILD;
    return returned(libClose(handle, libanypipe_inside()));
}

int anypipe_cancel(anypipe_handle handle) {
    NOT_IN_CHILD;
    return returned(libCancel(handle));
}

/* ---- servers and clients ---- */

int anypipe_create(const char *name, const anypipe_create_options *options, anypipe_handle *instance) {
    if (instance != NULL) *instance = 0;
    NOT_IN_CHILD;
    NEED(name != NULL);
    NEED(instance != NULL);
    return returned(libCreate((char *)name, (anypipe_create_options *)options, instance));
}

int anypipe_connect(anypipe_handle instance, int64_t timeout_ms) {
    NOT_IN_CHILD;
    return returned(libConnect(instance, timeout_ms));
}

int anypipe_disconnect(anypipe_handle instance) {
    NOT_IN_CHILD;
    return returned(libDisconnect(instance));
}

int anypipe_listen(const char *name, const anypipe_create_options *options, anypipe_handle *listener) {
    if (listener != NULL) *listener = 0;
    NOT_IN_CHILD;
    NEED(name != NULL);
    NEED(listener != NULL);
    return returned(libListen((char *)name, (anypipe_create_options *)options, listener));
}

int anypipe_accept(anypipe_handle listener, int64_t timeout_ms, anypipe_handle *instance) {
    if (instance != NULL) *instance = 0;
    NOT_IN_CHILD;
    NEED(instance != NULL);
    return returned(libAccept(listener, timeout_ms, instance));
}

int anypipe_dial(const char *name, const anypipe_dial_options *options, int64_t timeout_ms, anypipe_handle *client) {
    if (client != NULL) *client = 0;
    NOT_IN_CHILD;
    NEED(name != NULL);
    NEED(client != NULL);
    return returned(libDial((char *)name, (anypipe_dial_options *)options, timeout_ms, client));
}

int anypipe_wait(const char *name, int64_t timeout_ms) {
    NOT_IN_CHILD;
    NEED(name != NULL);
    return returned(libWait((char *)name, timeout_ms));
}

int anypipe_call(const char *name, const void *request, size_t request_size, void *reply, size_t reply_size, size_t *length,
                 int64_t timeout_ms) {
    if (length != NULL) *length = 0;
    NOT_IN_CHILD;
    NEED(name != NULL);
    NEED(length != NULL);
    MEMORY(request, request_size);
    MEMORY(reply, reply_size);
    return returned(libCall((char *)name, (void *)request, request_size, reply, reply_size, length, timeout_ms));
}

int anypipe_call_message(const char *name, const void *request, size_t request_size, void **reply, size_t *length, int64_t timeout_ms) {
    if (reply != NULL) *reply = NULL;
    if (length != NULL) *length = 0;
    NOT_IN_CHILD;
    NEED(name != NULL);
    NEED(reply != NULL);
    NEED(length != NULL);
    MEMORY(request, request_size);
    return returned(libCallMessage((char *)name, (void *)request, request_size, reply, length, timeout_ms));
}

int anypipe_pair(size_t quota, anypipe_handle *read_end, anypipe_handle *write_end) {
    if (read_end != NULL) *read_end = 0;
    if (write_end != NULL) *write_end = 0;
    NOT_IN_CHILD;
    NEED(read_end != NULL);
    NEED(write_end != NULL);
    NEED(quota <= MOST);
    return returned(libPair(quota, read_end, write_end));
}

/* ---- bytes and messages ---- */

int anypipe_read(anypipe_handle end, void *buffer, size_t size, size_t *length, int64_t timeout_ms) {
    if (length != NULL) *length = 0;
    NOT_IN_CHILD;
    NEED(length != NULL);
    MEMORY(buffer, size);
    return returned(libRead(end, buffer, size, length, timeout_ms));
}

int anypipe_write(anypipe_handle end, const void *data, size_t size, size_t *length, int64_t timeout_ms) {
    if (length != NULL) *length = 0;
    NOT_IN_CHILD;
    NEED(length != NULL);
    MEMORY(data, size);
    return returned(libWrite(end, (void *)data, size, length, timeout_ms));
}

int anypipe_read_message(anypipe_handle end, void **message, size_t *length, int64_t timeout_ms) {
    if (message != NULL) *message = NULL;
    if (length != NULL) *length = 0;
    NOT_IN_CHILD;
    NEED(message != NULL);
    NEED(length != NULL);
    return returned(libReadMessage(end, message, length, timeout_ms));
}

int anypipe_write_message(anypipe_handle end, const void *data, size_t size, int64_t timeout_ms) {
    NOT_IN_CHILD;
    MEMORY(data, size);
    return returned(libWriteMessage(end, (void *)data, size, timeout_ms));
}

int anypipe_peek(anypipe_handle end, void *buffer, size_t size, anypipe_peeked *peeked) {
    NOT_IN_CHILD;
    NEED(peeked != NULL);
    NEED(peeked->size == sizeof *peeked);
    *peeked = (anypipe_peeked){.size = sizeof *peeked};
    MEMORY(buffer, size);
    return returned(libPeek(end, buffer, size, peeked));
}

int anypipe_transact(anypipe_handle end, const void *request, size_t request_size, void *reply, size_t reply_size, size_t *length,
                     int64_t timeout_ms) {
    if (length != NULL) *length = 0;
    NOT_IN_CHILD;
    NEED(length != NULL);
    MEMORY(request, request_size);
    MEMORY(reply, reply_size);
    return returned(libTransact(end, (void *)request, request_size, reply, reply_size, length, timeout_ms));
}

int anypipe_transact_message(anypipe_handle end, const void *request, size_t request_size, void **reply, size_t *length, int64_t timeout_ms) {
    if (reply != NULL) *reply = NULL;
    if (length != NULL) *length = 0;
    NOT_IN_CHILD;
    NEED(reply != NULL);
    NEED(length != NULL);
    MEMORY(request, request_size);
    return returned(libTransactMessage(end, (void *)request, request_size, reply, length, timeout_ms));
}

int anypipe_flush(anypipe_handle end, int64_t timeout_ms) {
    NOT_IN_CHILD;
    return returned(libFlush(end, timeout_ms));
}

int anypipe_close_write(anypipe_handle end) {
    NOT_IN_CHILD;
    return returned(libCloseWrite(end));
}

/* ---- modes, information, identity, listing ---- */

int anypipe_set_modes(anypipe_handle end, uint32_t read_mode, int no_wait) {
    NOT_IN_CHILD;
    return returned(libSetModes(end, read_mode, no_wait));
}

int anypipe_get_info(anypipe_handle end, anypipe_info *info) {
    NOT_IN_CHILD;
    NEED(info != NULL);
    NEED(info->size == sizeof *info);
    *info = (anypipe_info){.size = sizeof *info};
    return returned(libGetInfo(end, info));
}

int anypipe_get_peer(anypipe_handle end, anypipe_peer *peer) {
    NOT_IN_CHILD;
    NEED(peer != NULL);
    NEED(peer->size == sizeof *peer);
    *peer = (anypipe_peer){.size = sizeof *peer};
    return returned(libGetPeer(end, peer));
}

int anypipe_get_peer_groups(anypipe_handle end, int64_t *groups, size_t capacity, size_t *count) {
    if (count != NULL) *count = 0;
    NOT_IN_CHILD;
    NEED(count != NULL);
    NEED(groups != NULL || capacity == 0);
    NEED(capacity <= MOST / sizeof *groups);
    return returned(libGetPeerGroups(end, groups, capacity, count));
}

int anypipe_run_as_client(anypipe_handle instance, int (*action)(void *context), void *context, int *result) {
    if (result != NULL) *result = 0;
    NOT_IN_CHILD;
    NEED(action != NULL);
    return returned(libRunAsClient(instance, action, (uintptr_t)context, result));
}

int anypipe_list(int (*visit)(void *context, const anypipe_listed *pipe), void *context) {
    NOT_IN_CHILD;
    NEED(visit != NULL);
    return returned(libList(visit, (uintptr_t)context));
}

/* ---- event-driven programs ---- */

int anypipe_read_start(anypipe_handle end, void *buffer, size_t size, anypipe_done done, void *context, anypipe_handle *operation,
                       size_t *length) {
    if (operation != NULL) *operation = 0;
    if (length != NULL) *length = 0;
    NOT_IN_CHILD;
    NEED(done != NULL);
    MEMORY(buffer, size);
    return returned(libReadStart(end, buffer, size, done, (uintptr_t)context, operation, length));
}

int anypipe_write_start(anypipe_handle end, const void *data, size_t size, anypipe_done done, void *context, anypipe_handle *operation,
                        size_t *length) {
    if (operation != NULL) *operation = 0;
    if (length != NULL) *length = 0;
    NOT_IN_CHILD;
    NEED(done != NULL);
    MEMORY(data, size);
    return returned(libWriteStart(end, (void *)data, size, done, (uintptr_t)context, operation, length));
}

int anypipe_transact_start(anypipe_handle end, const void *request, size_t request_size, void *reply, size_t reply_size, anypipe_done done,
                           void *context, anypipe_handle *operation, size_t *length) {
    if (operation != NULL) *operation = 0;
    if (length != NULL) *length = 0;
    NOT_IN_CHILD;
    NEED(done != NULL);
    MEMORY(request, request_size);
    MEMORY(reply, reply_size);
    return returned(libTransactStart(end, (void *)request, request_size, reply, reply_size, done, (uintptr_t)context, operation, length));
}

int anypipe_flush_start(anypipe_handle end, anypipe_done done, void *context, anypipe_handle *operation) {
    if (operation != NULL) *operation = 0;
    NOT_IN_CHILD;
    NEED(done != NULL);
    return returned(libFlushStart(end, done, (uintptr_t)context, operation));
}

int anypipe_connect_start(anypipe_handle instance, anypipe_done done, void *context, anypipe_handle *operation) {
    if (operation != NULL) *operation = 0;
    NOT_IN_CHILD;
    NEED(done != NULL);
    return returned(libConnectStart(instance, done, (uintptr_t)context, operation));
}

int anypipe_on_message(anypipe_handle end, anypipe_message on_message, void *context) {
    NOT_IN_CHILD;
    NEED(on_message != NULL);
    return returned(libOnMessage(end, on_message, (uintptr_t)context));
}
