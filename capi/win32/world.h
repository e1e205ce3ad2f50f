/* world.h: what the files of this library share.
 *
 * One lock, the world's, guards everything that is shared: the handle table, the state of every object, every wait and every
 * pending operation. No call into libanypipe and no system call that may block is made while it is held. Functions
 * whose name ends in _locked need it. */
#ifndef ANYPIPE_WIN32_WORLD_H
#define ANYPIPE_WIN32_WORLD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <pthread.h>
#include <stdbool.h>

#include "include/conio.h"
#include "include/process.h"
#include "include/strsafe.h"
#include "include/sddl.h"
#include "include/windows.h"

#include "../anypipe.h"

/* ---- objects ----------------------------------------------------------------------------------------------------- */

enum kind { ANY, EVENT, MUTEX, SEMAPHORE, THREAD, PROCESS, PORT, STREAM };

/* What a handle stands for. Each kind's struct begins with one. All fields are guarded by the world's lock, kind excepted. */
struct object {
    enum kind kind;
    int references;              /* of handles, waits, operations and calls; freed with the last */
    int handles;
    bool signalled;              /* events, threads, processes, streams */
    struct block *first, *last; /* waits for it, in order */
};

struct event {
    struct object object;
    bool manual;
};

struct mutex {
    struct object object;
    struct thread *owner;        /* NULL is free */
    int depth;
    bool abandoned;              /* its last owner ended without releasing it */
    struct mutex *next;          /* in its owner's list */
};

struct semaphore {
    struct object object;
    LONG count, maximum;
};

/* A completion packet, waiting in a port. */
struct packet {
    struct packet *next;
    OVERLAPPED_ENTRY entry;
};

struct port {
    struct object object;
    struct packet *first, *last;
};

struct apc {
    struct apc *next;
    PAPCFUNC function;                            /* of QueueUserAPC, or NULL */
    ULONG_PTR parameter;
    LPOVERLAPPED_COMPLETION_ROUTINE routine;      /* of ReadFileEx and WriteFileEx */
    DWORD error, length;
    LPOVERLAPPED overlapped;
};

struct thread {
    struct object object;
    DWORD id;
    DWORD code;                   /* STILL_ACTIVE until it ends */
    bool ended;
    struct waiter *waiter;        /* what it waits for, if it does */
    struct apc *first, *last;
    struct mutex *owned;
    pthread_cond_t wake;          /* its waiter, or a request that it waits for, is done */

    /* Set before it starts. */
    LPTHREAD_START_ROUTINE start;
    void (*simple_start)(void *); /* of _beginthread */
    LPVOID parameter;
    HANDLE own_handle;            /* of _beginthread: closed when it ends */
    int suspended;                /* guarded by the world's lock */

    /* Its own. */
    bool impersonating;
    unsigned group;
    int group_count;
    void *groups;                 /* what RevertToSelf restores */
    int wake_pipe[2];             /* ends its poll on a descriptor; 0, 0 is none yet */
};

struct process {
    struct object object;
    int pid;
    DWORD code;
    bool terminated;              /* by TerminateProcess with exit code killed */
    UINT killed;
};

/* A pipe's end, or a descriptor of this system. */
struct stream {
    struct object object;
    anypipe_handle end;           /* 0: it is a descriptor */
    int descriptor;
    bool owned;                   /* the descriptor is closed with it */
    bool pipe;                    /* the descriptor is an anonymous pipe */
    bool no_wait;                 /* of an anonymous pipe */
    bool server;                  /* the server's end */
    bool overlapped;              /* opened with FILE_FLAG_OVERLAPPED */
    DWORD access;                 /* of a descriptor */

    /* Guarded by the world's lock. */
    bool closed;                  /* its last handle is */
    struct port *port;
    ULONG_PTR key;
    UCHAR modes;                  /* of SetFileCompletionNotificationModes */
};

extern pthread_mutex_t world;

void lock_world(void);
void unlock_world(void);
void *object_new(enum kind kind, size_t size);
void object_keep_locked(void *object);
void object_release(void *object);
void object_release_locked(void *object);

/* ---- handles ----------------------------------------------------------------------------------------------------- */

/* Makes a handle and takes over the caller's reference; NULL, with the error set, when there is no memory. */
HANDLE handle_new(void *object, const SECURITY_ATTRIBUTES *security);
/* The object of a handle with one more reference; NULL and ERROR_INVALID_HANDLE when it is none, or of another kind. */
void *handle_object(HANDLE handle, enum kind kind);
bool handle_inherits(HANDLE handle);
void stream_close(struct stream *stream);
void port_close_locked(struct port *port);
/* Frees the packets of a port that nobody else uses. */
void port_drain(struct port *port);

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

/* One object of a wait, in the object's list while the wait lasts. */
struct block {
    struct object *object;
    struct waiter *waiter;
    struct block *next, *previous;
};

/* A thread's wait, on its stack; guarded by the world's lock. */
struct waiter {
    struct thread *thread;
    bool all, alertable, done;
    DWORD count, result;
    struct block blocks[MAXIMUM_WAIT_OBJECTS];
};

struct deadline {
    bool never;
    struct timespec at;
};
struct deadline deadline_in(DWORD timeout);
/* Waits on a condition that was made by condition_init; false when the time is over. */
bool deadline_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct deadline *deadline);
void condition_init(pthread_cond_t *condition);

/* Waits for objects that the caller has references of. */
DWORD wait_for(struct object **objects, DWORD count, bool all, const struct deadline *deadline, bool alertable, bool poll);
/* Tells the waits of an object that it may be signalled now. */
void object_wake_locked(struct object *object);
void object_signal_locked(struct object *object);
void thread_queue_locked(struct thread *thread, struct apc *apc);

/* ---- threads ----------------------------------------------------------------------------------------------------- */

struct thread *thread_self(void);
void mutexes_abandon_locked(struct thread *thread);
extern bool forked; /* this is the child of a fork */

/* ---- operations -------------------------------------------------------------------------------------------------- */

/* One read, write, connect, transact or flush. */
struct request {
    struct stream *stream;         /* with a reference */
    struct thread *thread;         /* who started it; with a reference */
    OVERLAPPED *overlapped;        /* may be NULL */
    struct event *event;           /* of the OVERLAPPED; with a reference */
    LPOVERLAPPED_COMPLETION_ROUTINE routine;
    bool synchronous;              /* the thread waits for it */
    struct packet *packet;         /* for the port, or NULL; made at the start, so that the end can't fail */
    struct apc *apc;               /* for the thread, or NULL */

    /* Guarded by the world's lock. */
    int references;                /* of the starter, the callback and cancellers */
    bool done, cancelled;
    anypipe_handle operation;      /* what cancels it, once it is known */
    DWORD error;
    size_t length;
    struct request *next, *previous; /* in the list of pending ones */
};

struct request *request_new(struct stream *stream, OVERLAPPED *overlapped, LPOVERLAPPED_COMPLETION_ROUTINE routine);
/* What libanypipe calls; context is the request. */
void request_done(void *context, int error, size_t length);
/* What a start function of libanypipe gave. */
struct start {
    int error;
    anypipe_handle operation;
    size_t length;
};
/* Ends the call that started the request: sets the error and gives what the Win32 function returns. count may be NULL. */
BOOL request_started(struct request *request, const struct start *start, LPDWORD count);
/* The same for an operation that is done already. */
BOOL request_finished(struct request *request, DWORD error, size_t length, LPDWORD count);
/* Cancels pending operations: of the stream, thread and overlapped, where NULL is any. Returns how many there were. */
size_t requests_cancel(const struct stream *stream, const struct thread *thread, const OVERLAPPED *overlapped, bool only_synchronous);
void requests_cancel_thread(struct thread *thread);
void port_post_locked(struct port *port, struct packet *packet);

/* ---- descriptors of this system, errors, text -------------------------------------------------------------------- */

BOOL descriptor_read(struct stream *stream, void *buffer, DWORD size, LPDWORD length, OVERLAPPED *overlapped,
                     LPOVERLAPPED_COMPLETION_ROUTINE routine);
BOOL descriptor_write(struct stream *stream, const void *data, DWORD size, LPDWORD length, OVERLAPPED *overlapped,
                      LPOVERLAPPED_COMPLETION_ROUTINE routine);
HANDLE descriptor_open(const char *name, DWORD access, DWORD disposition, DWORD flags, const SECURITY_ATTRIBUTES *security);
BOOL descriptor_peek(struct stream *stream, void *buffer, DWORD size, LPDWORD length, LPDWORD available, LPDWORD left);
struct stream *stream_new(void);

BOOL fail(DWORD error);               /* sets the error and gives FALSE */
BOOL result_of(int anypipe_error);    /* TRUE, or fail */
DWORD error_of_errno(int number);
DWORD error_of_status(DWORD status);
DWORD status_of_error(DWORD error);
const char *message_of_error(DWORD error);

/* The descriptor as SDDL, which the caller frees; NULL in *text is the default. */
DWORD security_text(const SECURITY_ATTRIBUTES *security, char **text);
void security_revert(struct thread *thread);

/* The parts of functions that take text, with UTF-8 in place of it. */
bool is_pipe_name(const char *name, bool local);
DWORD user_of_pipe(HANDLE pipe, char *user, size_t size);
DWORD pipe_state(HANDLE pipe, LPDWORD state, LPDWORD instances, bool collection);
DWORD own_user(char *name, size_t size);

struct text_output; /* see format.h */

/* Ends the program, as Windows' C library does by default when a text does not fit. */
void too_small(const char *function) __attribute__((noreturn));

#endif
