/* thread.c: threads. Each thread that calls the library gets a struct thread, which ends with it. */
#include "world.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

static __thread struct thread *self;
static pthread_key_t at_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static DWORD system_thread_id(void) {
#ifdef __linux__
    return (DWORD)syscall(SYS_gettid);
#else
    uint64_t id = 0;
    pthread_threadid_np(NULL, &id);
    return (DWORD)id;
#endif
}

/* Ends a thread's share in the world: called by the system when the thread ends, however that comes about. */
static void thread_end(void *pointer) {
    struct thread *thread = pointer;
    HANDLE own_handle = thread->own_handle;
    requests_cancel_thread(thread);
    security_revert(thread);
    if (thread->wake_pipe[1] != 0) {
        close(thread->wake_pipe[0]);
        close(thread->wake_pipe[1]);
    }
    lock_world();
    thread->ended = true;
    if (thread->code == STILL_ACTIVE)
        thread->code = 0;
    mutexes_abandon_locked(thread);
    while (thread->first != NULL) {
        struct apc *apc = thread->first;
        thread->first = apc->next;
        free(apc);
    }
    thread->last = NULL;
    object_signal_locked(&thread->object);
    object_release_locked(thread);
    unlock_world();
    self = NULL;
    if (own_handle != NULL)
        CloseHandle(own_handle);
}

static void make_key(void) { pthread_key_create(&at_end, thread_end); }

static struct thread *thread_new(void) {
    struct thread *thread = object_new(THREAD, sizeof *thread);
    if (thread != NULL) {
        thread->code = STILL_ACTIVE;
        condition_init(&thread->wake);
    }
    return thread;
}

/* Makes a struct thread the one of the running thread, which takes over a reference. */
static void thread_adopt(struct thread *thread) {
    pthread_once(&once, make_key);
    pthread_setspecific(at_end, thread);
    self = thread;
}

struct thread *thread_self(void) {
    if (self == NULL) {
        struct thread *thread = thread_new();
        if (thread == NULL)
            return NULL;
        thread->id = system_thread_id();
        thread_adopt(thread);
    }
    return self;
}

/* ---- starting and ending ----------------------------------------------------------------------------------------- */

static void *run(void *pointer) {
    struct thread *thread = pointer;
    thread_adopt(thread);
    lock_world();
    thread->id = system_thread_id();
    pthread_cond_broadcast(&thread->wake);
    while (thread->suspended > 0)
        pthread_cond_wait(&thread->wake, &world);
    unlock_world();
    DWORD code = 0;
    if (thread->simple_start != NULL)
        thread->simple_start(thread->parameter);
    else
        code = thread->start(thread->parameter);
    lock_world();
    thread->code = code;
    unlock_world();
    return NULL;
}

/* Starts a thread; it has a reference of its own besides the caller's. */
static BOOL thread_start(struct thread *thread, SIZE_T stack) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (stack > (1u << 20))
        pthread_attr_setstacksize(&attributes, (stack + 65535) & ~(SIZE_T)65535);
    lock_world();
    object_keep_locked(thread);
    unlock_world();
    pthread_t started;
    int error = pthread_create(&started, &attributes, run, thread);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        object_release(thread);
        return fail(error == EAGAIN ? ERROR_NOT_ENOUGH_MEMORY : ERROR_INVALID_PARAMETER);
    }
    lock_world();
    while (thread->id == 0)
        pthread_cond_wait(&thread->wake, &world);
    unlock_world();
    return TRUE;
}

/* The wait above and the thread's own share one condition, which is why a suspended thread's id is awaited before it may run. */
static HANDLE create(struct thread *thread, const SECURITY_ATTRIBUTES *security, SIZE_T stack, DWORD flags, LPDWORD id) {
    thread->suspended = 1;
    BOOL started = thread_start(thread, stack);
    HANDLE handle = started ? handle_new(thread, security) : NULL;
    if (!started)
        object_release(thread);
    if (handle == NULL)
        return NULL; /* without memory for a handle the thread stays suspended: nothing of the program runs in it */
    if (id != NULL)
        *id = thread->id;
    if (thread->simple_start != NULL)
        thread->own_handle = handle;
    if ((flags & CREATE_SUSPENDED) == 0)
        ResumeThread(handle);
    return handle;
}

HANDLE CreateThread(LPSECURITY_ATTRIBUTES security, SIZE_T stack, LPTHREAD_START_ROUTINE start, LPVOID parameter, DWORD flags, LPDWORD id) {
    struct thread *thread = thread_new();
    if (thread == NULL)
        return NULL;
    thread->start = start;
    thread->parameter = parameter;
    return create(thread, security, stack, flags, id);
}

uintptr_t _beginthreadex(void *security, unsigned stack, _beginthreadex_proc_type start, void *parameter, unsigned flags, unsigned *id) {
    return (uintptr_t)CreateThread(security, stack, start, parameter, flags, id);
}

uintptr_t _beginthread(_beginthread_proc_type start, unsigned stack, void *parameter) {
    struct thread *thread = thread_new();
    if (thread == NULL)
        return (uintptr_t)-1;
    thread->simple_start = start;
    thread->parameter = parameter;
    HANDLE handle = create(thread, NULL, stack, 0, NULL);
    return handle != NULL ? (uintptr_t)handle : (uintptr_t)-1;
}

VOID ExitThread(DWORD code) {
    struct thread *thread = thread_self();
    if (thread != NULL) {
        lock_world();
        thread->code = code;
        unlock_world();
    }
    pthread_exit(NULL);
}

void _endthread(void) { ExitThread(0); }

DWORD ResumeThread(HANDLE handle) {
    struct thread *thread = handle_object(handle, THREAD);
    if (thread == NULL)
        return (DWORD)-1;
    lock_world();
    DWORD before = (DWORD)thread->suspended;
    if (thread->suspended > 0 && --thread->suspended == 0)
        pthread_cond_broadcast(&thread->wake);
    object_release_locked(thread);
    unlock_world();
    return before;
}

BOOL TerminateThread(HANDLE handle, DWORD code) {
    (void)code;
    struct thread *thread = handle_object(handle, THREAD);
    if (thread == NULL)
        return FALSE;
    object_release(thread);
    return fail(ERROR_NOT_SUPPORTED);
}

BOOL SetThreadPriority(HANDLE handle, int priority) {
    (void)priority; /* the system's scheduler decides */
    struct thread *thread = handle_object(handle, THREAD);
    if (thread == NULL)
        return FALSE;
    object_release(thread);
    return TRUE;
}

/* ---- what is known of a thread ----------------------------------------------------------------------------------- */

BOOL GetExitCodeThread(HANDLE handle, LPDWORD code) {
    struct thread *thread = handle_object(handle, THREAD);
    if (thread == NULL)
        return FALSE;
    lock_world();
    *code = thread->ended ? thread->code : STILL_ACTIVE;
    object_release_locked(thread);
    unlock_world();
    return TRUE;
}

DWORD GetThreadId(HANDLE handle) {
    struct thread *thread = handle_object(handle, THREAD);
    if (thread == NULL)
        return 0;
    DWORD id = thread->id;
    object_release(thread);
    return id;
}

HANDLE GetCurrentThread(VOID) { return (HANDLE)-2; }
DWORD GetCurrentThreadId(VOID) { return system_thread_id(); }
BOOL SwitchToThread(VOID) { return sched_yield() == 0; }
