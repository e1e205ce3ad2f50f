/* anypipe.h: Windows named pipes, with their exact semantics, for C and whatever can call C.
 *
 * Copyright The anypipe Authors. Apache License 2.0.
 *
 * The words are Windows' own: pipe, instance, server end, client end, type, read mode, quota. What each operation does in
 * each state is in docs/semantics.md; the comments here name the Win32 function that an operation follows.
 *
 * Rules that hold for every function:
 *
 * Results.   A function that returns int returns a Win32 error number: 0 (ANYPIPE_OK) is success, 109 is
 *            ERROR_BROKEN_PIPE and so on. Results go to pointers, which are written before any return, also on
 *            failure: counts to 0, handles to 0, pointers to NULL, unless the function says that a failure has one.
 *            anypipe_error_name and anypipe_error_text put a number into words; anypipe_last_detail says what exactly
 *            was wrong with the last call of this thread.
 * Handles.   A handle is a number that is never used again in this process. 0 is never a handle. A handle that was
 *            closed, or never was one, gives ANYPIPE_INVALID_HANDLE, never a crash; so does one of the wrong kind.
 * Threads.   Every function may be called from every thread at any time, for the same handle too. Reads waiting on one
 *            end are served in the order they were called, and so are writes. Closing an end ends all its waiting calls.
 * Blocking.  Only functions with a timeout block. timeout_ms is in milliseconds; ANYPIPE_FOREVER (-1) waits without
 *            limit and 0 does not wait: what is ready is done, else ANYPIPE_TIMEOUT is returned. A wait that a
 *            timeout, anypipe_cancel or anypipe_close ended leaves nothing half done, except that the part of a write which the
 *            other end had read by then stays read.
 * Memory.    The caller owns what it passes; the library does not keep pointers after the call, except the buffers of
 *            operations that were started (anypipe_read_start and its kin), which must stay until the operation is done.
 *            What the library allocates is released by anypipe_free.
 * Text.      Names and descriptors are UTF-8, ended by NUL.
 * Structs.   The caller sets size to sizeof the struct and the rest to zero before use (the ANYPIPE_..._INIT macros do), so that
 *            later versions can add fields. A size that the library does not know is ANYPIPE_INVALID_PARAMETER.
 * Processes. Handles are not inherited. After fork without exec, every function of the child returns
 *            ANYPIPE_NOT_SUPPORTED; the parent is not disturbed. The library changes no signal's disposition that the
 *            program uses: docs/c.md says what it does.
 */
#ifndef ANYPIPE_H
#define ANYPIPE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && !defined(ANYPIPE_STATIC)
#define ANYPIPE_API __declspec(dllimport)
#else
#define ANYPIPE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* The numbers that functions return: Win32's. */
enum {
    ANYPIPE_OK                 = 0,
    ANYPIPE_INVALID_FUNCTION   = 1,    /* only the server end can do this */
    ANYPIPE_NOT_EXIST          = 2,    /* ERROR_FILE_NOT_FOUND: no pipe of that name */
    ANYPIPE_NO_NAME            = 3,    /* ERROR_PATH_NOT_FOUND: the name is empty */
    ANYPIPE_ACCESS_DENIED      = 5,    /* descriptor, direction, or the name was to be the first */
    ANYPIPE_INVALID_HANDLE     = 6,    /* closed, of another kind, or never was one */
    ANYPIPE_OUT_OF_MEMORY      = 8,    /* ERROR_NOT_ENOUGH_MEMORY */
    ANYPIPE_NOT_SUPPORTED      = 50,   /* this kind of pipe, system or process can't */
    ANYPIPE_INVALID_PARAMETER  = 87,
    ANYPIPE_BROKEN_PIPE        = 109,  /* the other end closed, and everything was read */
    ANYPIPE_TIMEOUT            = 121,  /* ERROR_SEM_TIMEOUT: the time was over */
    ANYPIPE_INVALID_NAME       = 123,
    ANYPIPE_NAME_TOO_LONG      = 206,  /* ERROR_FILENAME_EXCED_RANGE: over 256 characters */
    ANYPIPE_BAD_PIPE           = 230,  /* the state, type or mode does not allow this */
    ANYPIPE_PIPE_BUSY          = 231,  /* no instance free; limit reached; unread data before a transact */
    ANYPIPE_NO_DATA            = 232,  /* the other end is closed (writes); empty (reads with no_wait) */
    ANYPIPE_NOT_CONNECTED      = 233,  /* the server disconnected */
    ANYPIPE_MORE_DATA          = 234,  /* the buffer is full and the message goes on */
    ANYPIPE_PIPE_CONNECTED     = 535,  /* anypipe_connect: a client is there already, a success */
    ANYPIPE_PIPE_LISTENING     = 536,  /* no client has come yet */
    ANYPIPE_ABORTED            = 995,  /* ERROR_OPERATION_ABORTED: cancelled, or its handle was closed */
    ANYPIPE_IO_PENDING         = 997,  /* started, not done yet */
    ANYPIPE_NOT_FOUND          = 1168, /* no such client or operation */
    ANYPIPE_CANNOT_IMPERSONATE = 1368,
    ANYPIPE_OTHER              = 1359  /* ERROR_INTERNAL_ERROR: the system failed otherwise; see anypipe_last_detail */
};

/* Returns the number's Win32 constant, such as "ERROR_PIPE_BUSY", or "ERROR_<number>" for one that pipes don't know. The text
 * lives as long as the process. Never blocks. */
ANYPIPE_API const char *anypipe_error_name(int error);

/* Returns what the number means, in English, such as "every instance of the pipe is taken". As above. */
ANYPIPE_API const char *anypipe_error_text(int error);

/* Copies what was wrong with this thread's last failed call into buffer, cut to size and ended by NUL, and returns the
 * length of the whole text without the NUL. buffer may be NULL if size is 0. Valid until the thread's next call that fails. */
ANYPIPE_API size_t anypipe_last_detail(char *buffer, size_t size);

/* ---- the library ------------------------------------------------------------------------------------------------- */

/* The interface that this header describes. A library serves programs of the same major number, and no newer minor. */
#define ANYPIPE_ABI_MAJOR 1
#define ANYPIPE_ABI_MINOR 0

/* Returns major << 16 | minor of the library. */
ANYPIPE_API uint32_t anypipe_abi(void);

/* Returns the library's version, such as "v0.2.0". The text lives as long as the process. */
ANYPIPE_API const char *anypipe_version(void);

/* Returns how many handles of this process are open: 0 when a program has closed all it opened. */
ANYPIPE_API size_t anypipe_open_handles(void);

/* Releases memory that the library allocated. NULL is allowed. */
ANYPIPE_API void anypipe_free(void *memory);

/* ---- handles ----------------------------------------------------------------------------------------------------- */

/* An instance (server end), a client end, a listener, or an operation. */
typedef uint64_t anypipe_handle;

#define ANYPIPE_FOREVER      (-1)
#define ANYPIPE_DEFAULT_WAIT (-2) /* anypipe_wait and anypipe_call: what the pipe's first creator chose */

/* CloseHandle. Ends an instance, end or listener: its waiting calls return ANYPIPE_ABORTED, its operations are done with
 * ANYPIPE_ABORTED, and it returns when none of its callbacks runs any more (from within one of them it returns at once). What was
 * written and not read stays readable for the other end; call anypipe_flush before to be sure that all was read. A listener's
 * close leaves the ends that it gave out. An operation is released by its done callback and can't be closed
 * (ANYPIPE_INVALID_HANDLE). */
ANYPIPE_API int anypipe_close(anypipe_handle handle);

/* ---- servers ----------------------------------------------------------------------------------------------------- */

enum { ANYPIPE_BYTE = 0, ANYPIPE_MESSAGE = 1 };                          /* types and read modes */
enum { ANYPIPE_DUPLEX = 0, ANYPIPE_INBOUND = 1, ANYPIPE_OUTBOUND = 2 };  /* as the server sees it */
enum { ANYPIPE_DISCONNECTED = 1, ANYPIPE_LISTENING = 2, ANYPIPE_CONNECTED = 3, ANYPIPE_CLOSING = 4 };

#define ANYPIPE_UNLIMITED_INSTANCES 255
#define ANYPIPE_UNBUFFERED          (-1) /* a quota of 0 */

/* What CreateNamedPipe is given. Zeroes make a duplex byte pipe of unlimited instances for this user only. What the name's
 * first creator gives for type, direction, max_instances, default_timeout_ms and sddl holds for all instances. */
typedef struct anypipe_create_options {
    uint32_t size;               /* sizeof(anypipe_create_options) */
    uint32_t type;               /* ANYPIPE_BYTE or ANYPIPE_MESSAGE */
    uint32_t read_mode;          /* of the server ends; ANYPIPE_MESSAGE needs type ANYPIPE_MESSAGE */
    uint32_t direction;          /* ANYPIPE_DUPLEX, ANYPIPE_INBOUND or ANYPIPE_OUTBOUND */
    uint32_t max_instances;      /* 1 to 254; 0 and 255 are unlimited */
    uint32_t default_timeout_ms; /* what ANYPIPE_DEFAULT_WAIT waits; 0 is 50 */
    int64_t in_buffer;           /* quota in bytes, client to server; 0 is 65536, ANYPIPE_UNBUFFERED is 0 */
    int64_t out_buffer;          /* quota in bytes, server to client; as above */
    const char *sddl;            /* security descriptor; NULL is the owner only */
    uint8_t first;               /* nonzero: fail with ANYPIPE_ACCESS_DENIED if the name exists */
    uint8_t no_wait;             /* nonzero: PIPE_NOWAIT for the server ends */
    uint8_t accept_remote;       /* nonzero: clients of other machines may come in */
    uint8_t no_foreign;          /* nonzero: byte type does not also serve plain Unix-socket programs */
    uint32_t backlog;            /* anypipe_listen: instances kept LISTENING; 0 is 8 */
    uint64_t max_message;        /* longest message that the server ends take whole, in bytes; 0 is no limit */
} anypipe_create_options;

#define ANYPIPE_CREATE_OPTIONS_INIT { sizeof(anypipe_create_options), 0, 0, 0, 0, 0, 0, 0, NULL, 0, 0, 0, 0, 0, 0 }

/* CreateNamedPipe: makes one instance, which is LISTENING at once. options may be NULL. For most servers anypipe_listen is
 * what they want. Errors: ANYPIPE_ACCESS_DENIED, ANYPIPE_PIPE_BUSY (limit), ANYPIPE_INVALID_NAME, ANYPIPE_INVALID_PARAMETER. */
ANYPIPE_API int anypipe_create(const char *name, const anypipe_create_options *options, anypipe_handle *instance);

/* ConnectNamedPipe: waits for a client. Three results mean that there is a connection to serve: ANYPIPE_OK (one came while it
 * waited), ANYPIPE_PIPE_CONNECTED (one was there) and ANYPIPE_NO_DATA (one came and went; what it wrote is readable).
 * After anypipe_disconnect it makes the instance LISTENING again. A timeout leaves it LISTENING. */
ANYPIPE_API int anypipe_connect(anypipe_handle instance, int64_t timeout_ms);

/* DisconnectNamedPipe: the client's end is dead at once and everything unread, both ways, is gone. Does not block. */
ANYPIPE_API int anypipe_disconnect(anypipe_handle instance);

/* Creates the pipe and keeps instances LISTENING, so that no client meets a gap. options may be NULL. */
ANYPIPE_API int anypipe_listen(const char *name, const anypipe_create_options *options, anypipe_handle *listener);

/* Waits for the next client and gives its server end, an instance, which the caller closes. ANYPIPE_ABORTED when the listener was
 * closed. */
ANYPIPE_API int anypipe_accept(anypipe_handle listener, int64_t timeout_ms, anypipe_handle *instance);

/* ---- clients ----------------------------------------------------------------------------------------------------- */

#define ANYPIPE_GENERIC_READ  0x80000000u
#define ANYPIPE_GENERIC_WRITE 0x40000000u

/* What CreateFile is given. Zeroes open for reading and writing, in byte-read mode. */
typedef struct anypipe_dial_options {
    uint32_t size;            /* sizeof(anypipe_dial_options) */
    uint32_t access;          /* ANYPIPE_GENERIC_READ, _WRITE or specific rights; 0 is both */
    uint32_t read_mode;       /* ANYPIPE_MESSAGE fails with ANYPIPE_INVALID_PARAMETER on byte pipes */
    uint32_t no_busy_wait;    /* nonzero: ANYPIPE_PIPE_BUSY at once when no instance is free */
    const char *expect_owner; /* SID or user name that must own the pipe; NULL is any */
    uint64_t max_message;     /* longest message taken whole, in bytes; 0 is no limit */
} anypipe_dial_options;

#define ANYPIPE_DIAL_OPTIONS_INIT { sizeof(anypipe_dial_options), 0, 0, 0, NULL, 0 }

/* CreateFile, with WaitNamedPipe while every instance is taken, for at most timeout_ms. options may be NULL. A name
 * that does not exist is ANYPIPE_NOT_EXIST at once; see anypipe_wait. */
ANYPIPE_API int anypipe_dial(const char *name, const anypipe_dial_options *options, int64_t timeout_ms, anypipe_handle *client);

/* WaitNamedPipe: returns ANYPIPE_OK when an instance is LISTENING; reserves nothing. ANYPIPE_NOT_EXIST at once if there is no such
 * pipe, or when it vanishes. timeout_ms may be ANYPIPE_DEFAULT_WAIT. */
ANYPIPE_API int anypipe_wait(const char *name, int64_t timeout_ms);

/* CallNamedPipe: opens a message pipe, waiting while it is busy, sends one message, reads one into reply, closes.
 * *length is what was copied; a reply longer than reply_size is ANYPIPE_MORE_DATA and its rest is lost. */
ANYPIPE_API int anypipe_call(const char *name, const void *request, size_t request_size, void *reply, size_t reply_size,
                             size_t *length, int64_t timeout_ms);

/* anypipe_call with a reply of any size: *reply is the caller's to anypipe_free. An empty reply is length 0 and not NULL. */
ANYPIPE_API int anypipe_call_message(const char *name, const void *request, size_t request_size, void **reply, size_t *length,
                                     int64_t timeout_ms);

/* CreatePipe: an anonymous byte pipe within this process. quota 0 is 4096 bytes. */
ANYPIPE_API int anypipe_pair(size_t quota, anypipe_handle *read_end, anypipe_handle *write_end);

/* ---- bytes and messages ------------------------------------------------------------------------------------------ */

/* ReadFile: at least one byte, or in message-read mode at most one message: if it is longer than size, *length is size, the
 * result is ANYPIPE_MORE_DATA and the next read goes on. An empty message is ANYPIPE_OK and 0. size 0 waits until
 * there is something and takes nothing. ANYPIPE_BROKEN_PIPE when the other end closed and all was read. */
ANYPIPE_API int anypipe_read(anypipe_handle end, void *buffer, size_t size, size_t *length, int64_t timeout_ms);

/* WriteFile: on a message pipe one message, also when size is 0. Returns when what is unread fits into the quota. On failure
 * *length is how much of it the other end had read. data may be NULL if size is 0. */
ANYPIPE_API int anypipe_write(anypipe_handle end, const void *data, size_t size, size_t *length, int64_t timeout_ms);

/* Reads the next whole message, of any size, whatever the read mode; *message is the caller's to anypipe_free. An
 * empty message is length 0 and not NULL. A message over max_message gives its first max_message bytes and
 * ANYPIPE_MORE_DATA; the rest stays. If the wait ends while a message is still coming in, what has come is given with ANYPIPE_TIMEOUT or
 * ANYPIPE_ABORTED, and the next read goes on in it: so *message may be there, to be freed, whatever the result. ANYPIPE_BAD_PIPE on
 * byte pipes. */
ANYPIPE_API int anypipe_read_message(anypipe_handle end, void **message, size_t *length, int64_t timeout_ms);

/* anypipe_write for message pipes only: ANYPIPE_BAD_PIPE on byte pipes, where no boundaries would be kept. */
ANYPIPE_API int anypipe_write_message(anypipe_handle end, const void *data, size_t size, int64_t timeout_ms);

/* What PeekNamedPipe tells. */
typedef struct anypipe_peeked {
    uint32_t size;      /* sizeof(anypipe_peeked) */
    uint32_t state;     /* ANYPIPE_CONNECTED or ANYPIPE_CLOSING */
    uint64_t read;      /* bytes copied */
    uint64_t available; /* bytes that can be read in all, blocked writes included */
    int64_t left;       /* bytes of the first message that were not copied; on byte pipes minus read, as Windows has it */
    uint64_t messages;  /* queued messages; 0 on byte pipes */
    uint64_t length;    /* unread length of the first message; 0 on byte pipes */
} anypipe_peeked;

/* PeekNamedPipe: copies from the front without taking anything. Never blocks. buffer may be NULL if size is 0. */
ANYPIPE_API int anypipe_peek(anypipe_handle end, void *buffer, size_t size, anypipe_peeked *peeked);

/* TransactNamedPipe: sends request as one message, without regard to the quota, and reads the next message. It needs a duplex
 * message pipe and message-read mode (ANYPIPE_BAD_PIPE), and no unread data (ANYPIPE_PIPE_BUSY). If the reply is longer than
 * reply_size: ANYPIPE_MORE_DATA, and the next read goes on in it. After a timeout the request stays delivered. */
ANYPIPE_API int anypipe_transact(anypipe_handle end, const void *request, size_t request_size, void *reply, size_t reply_size,
                                 size_t *length, int64_t timeout_ms);

/* anypipe_transact with a reply of any size: *reply is the caller's to anypipe_free. */
ANYPIPE_API int anypipe_transact_message(anypipe_handle end, const void *request, size_t request_size, void **reply,
                                         size_t *length, int64_t timeout_ms);

/* FlushFileBuffers: waits until the other end has read everything that this end wrote before. */
ANYPIPE_API int anypipe_flush(anypipe_handle end, int64_t timeout_ms);

/* Ends this direction: the other end reads what is buffered and then ANYPIPE_BROKEN_PIPE. Does not block. On Windows, which has no
 * half-close, it sends an empty message (ANYPIPE_NOT_SUPPORTED on byte pipes). */
ANYPIPE_API int anypipe_close_write(anypipe_handle end);

/* ---- modes, information, identity -------------------------------------------------------------------------------- */

/* SetNamedPipeHandleState: both modes of this end, from the next operation on. */
ANYPIPE_API int anypipe_set_modes(anypipe_handle end, uint32_t read_mode, int no_wait);

/* What GetNamedPipeInfo and GetNamedPipeHandleState tell. */
typedef struct anypipe_info {
    uint32_t size;          /* sizeof(anypipe_info) */
    uint32_t type;          /* ANYPIPE_BYTE or ANYPIPE_MESSAGE */
    uint32_t direction;     /* ANYPIPE_DUPLEX, ANYPIPE_INBOUND or ANYPIPE_OUTBOUND */
    uint32_t state;         /* as this end sees it */
    uint32_t read_mode;     /* of this end */
    uint32_t no_wait;       /* of this end */
    uint32_t server;        /* 1: this is the server end */
    uint32_t reject_remote; /* 1: the instance refuses clients of other machines */
    uint32_t max_instances; /* 255 is unlimited */
    uint32_t instances;     /* server instances of the name now */
    uint64_t in_quota;      /* client to server, the same number on both ends */
    uint64_t out_quota;     /* server to client */
    uint64_t readable;      /* bytes that this end can read now */
    uint64_t write_quota;   /* bytes that this end can write without waiting */
} anypipe_info;

ANYPIPE_API int anypipe_get_info(anypipe_handle end, anypipe_info *info);

/* Who is at the other end, as the system vouches for it. */
typedef struct anypipe_peer {
    uint32_t size;        /* sizeof(anypipe_peer) */
    uint32_t group_count; /* supplementary Unix groups; see anypipe_get_peer_groups */
    int64_t pid;          /* 0 if the system does not tell */
    int64_t session;      /* 0 if unknown */
    int64_t uid;          /* -1 where there is none */
    int64_t gid;          /* -1 where there is none */
    char sid[192];        /* such as "S-1-22-1-1000"; cut if longer, ended by NUL */
    char user[256];       /* cut if longer, ended by NUL */
} anypipe_peer;

/* GetNamedPipeClientProcessId and its kin. Answers after the other end closed too; ANYPIPE_NOT_FOUND if there is no client. */
ANYPIPE_API int anypipe_get_peer(anypipe_handle end, anypipe_peer *peer);

/* Copies up to capacity supplementary group ids; *count is how many there are. groups may be NULL if capacity is 0. */
ANYPIPE_API int anypipe_get_peer_groups(anypipe_handle end, int64_t *groups, size_t capacity, size_t *count);

/* ImpersonateNamedPipeClient ... RevertToSelf: runs action on a thread that has the client's identity and returns when it has
 * returned; *result is what it returned. result may be NULL. Server ends only; on Unix the process must be root
 * (ANYPIPE_CANNOT_IMPERSONATE). */
ANYPIPE_API int anypipe_run_as_client(anypipe_handle instance, int (*action)(void *context), void *context, int *result);

/* ---- listing ----------------------------------------------------------------------------------------------------- */

/* A live pipe in a listing. The texts live until the callback returns. */
typedef struct anypipe_listed {
    uint32_t size;               /* sizeof(anypipe_listed) in the library: fields beyond it are not there */
    uint32_t type;               /* on Windows type, direction and sddl are not known: 0 and "" */
    uint32_t direction;
    uint32_t max_instances;
    uint32_t instances;
    uint32_t default_timeout_ms;
    int64_t owner_uid;           /* -1 where there is none */
    const char *name;            /* as its first creator spelled it, without prefix */
    const char *sddl;
    const char *owner;           /* user name */
    const char *path;            /* socket path for programs that know only Unix sockets; "" if there is none */
} anypipe_listed;

/* Calls visit for each live pipe of this machine that the user may see, ordered by name, on the calling thread; a nonzero
 * result of visit ends the listing and is not an error. */
ANYPIPE_API int anypipe_list(int (*visit)(void *context, const anypipe_listed *pipe), void *context);

/* ---- event-driven programs --------------------------------------------------------------------------------------- */

/* Called once when an operation that was started is done: what the blocking function would have returned and counted. It runs on a
 * thread of the library. It may call every function but must not wait for other callbacks. It must not throw or jump
 * out. After it returns, the operation's handle is no more. */
typedef void (*anypipe_done)(void *context, int error, size_t length);

/* ReadFile, WriteFile, ConnectNamedPipe, TransactNamedPipe and FlushFileBuffers with an OVERLAPPED. They take their place
 * in the order of reads or writes before they return. If the result is ANYPIPE_IO_PENDING, *operation is a handle for
 * anypipe_cancel, done will be called exactly once, perhaps before the function returns, and the buffers must stay until
 * then. Any other result is final and done is not called; *operation is 0 and *length is the count. operation and length may
 * be NULL. */
ANYPIPE_API int anypipe_read_start(anypipe_handle end, void *buffer, size_t size, anypipe_done done, void *context,
                                   anypipe_handle *operation, size_t *length);
ANYPIPE_API int anypipe_write_start(anypipe_handle end, const void *data, size_t size, anypipe_done done, void *context,
                                    anypipe_handle *operation, size_t *length);
ANYPIPE_API int anypipe_transact_start(anypipe_handle end, const void *request, size_t request_size, void *reply,
                                       size_t reply_size, anypipe_done done, void *context, anypipe_handle *operation,
                                       size_t *length);
ANYPIPE_API int anypipe_flush_start(anypipe_handle end, anypipe_done done, void *context, anypipe_handle *operation);
ANYPIPE_API int anypipe_connect_start(anypipe_handle instance, anypipe_done done, void *context, anypipe_handle *operation);

/* CancelIoEx: ends the waiting of one operation (done gets ANYPIPE_ABORTED, unless it was done before), or of all waiting
 * calls and operations of an end or listener. What a cancelled write had not handed over is taken back. ANYPIPE_NOT_FOUND if
 * nothing was waiting. Does not wait for the callbacks. */
ANYPIPE_API int anypipe_cancel(anypipe_handle handle);

/* Called with each message (message pipes) or each run of bytes (byte pipes), in order, one call at a time, on a thread of the
 * library; data is valid until it returns. Reading pauses while it runs. The last call has error != 0 and no data:
 * ANYPIPE_BROKEN_PIPE, ANYPIPE_NOT_CONNECTED, or ANYPIPE_ABORTED after anypipe_close, which it may call itself. */
typedef void (*anypipe_message)(void *context, const void *data, size_t length, int error);

/* Reads for the program from now on and calls on_message. One at a time for an end: ANYPIPE_PIPE_BUSY for a second. Other
 * reads of the same end compete with it. Does not block. */
ANYPIPE_API int anypipe_on_message(anypipe_handle end, anypipe_message on_message, void *context);

#ifdef __cplusplus
}
#endif
#endif /* ANYPIPE_H */
