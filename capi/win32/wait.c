/* wait.c: waiting for objects and for procedure calls.
 *
 * Whoever signals an object satisfies the waits for it, in the order in which they began, in the name of the waiting threads. So a
 * signal is never lost and never used twice, and waiting for all is atomic. */
#include "world.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

/* ---- time -------------------------------------------------------------------------------------------------------- */

#ifdef __APPLE__
/* macOS has no condition variables on the monotonic clock, but waits for a span. */
void condition_init(pthread_cond_t *condition) { pthread_cond_init(condition, NULL); }

bool deadline_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct deadline *deadline) {
    if (deadline->never)
        return pthread_cond_wait(condition, mutex), true;
    struct timespec now, left = deadline->at;
    clock_gettime(CLOCK_MONOTONIC, &now);
    left.tv_sec -= now.tv_sec;
    left.tv_nsec -= now.tv_nsec;
    if (left.tv_nsec < 0)
        left.tv_nsec += 1000000000, --left.tv_sec;
    if (left.tv_sec < 0)
        return false;
    return pthread_cond_timedwait_relative_np(condition, mutex, &left) != ETIMEDOUT;
}
#else
void condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool deadline_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct deadline *deadline) {
    if (deadline->never)
        return pthread_cond_wait(condition, mutex), true;
    return pthread_cond_timedwait(condition, mutex, &deadline->at) != ETIMEDOUT;
}
#endif

struct deadline deadline_in(DWORD timeout) {
    struct deadline deadline = {timeout == INFINITE, {0, 0}};
    clock_gettime(CLOCK_MONOTONIC, &deadline.at);
    deadline.at.tv_sec += timeout / 1000;
    deadline.at.tv_nsec += (long)(timeout % 1000) * 1000000;
    if (deadline.at.tv_nsec >= 1000000000)
        deadline.at.tv_nsec -= 1000000000, ++deadline.at.tv_sec;
    return deadline;
}

/* ---- what an object's signal is ---------------------------------------------------------------------------------- */

static bool ready_locked(const struct object *object, const struct thread *thread) {
    switch (object->kind) {
    case MUTEX: {
        const struct mutex *mutex = (const struct mutex *)object;
        return mutex->owner == NULL || mutex->owner == thread;
    }
    case SEMAPHORE: return ((const struct semaphore *)object)->count > 0;
    case PORT: return ((const struct port *)object)->first != NULL || object->signalled;
    default: return object->signalled;
    }
}

/* Takes what a satisfied wait takes; true if it was an abandoned mutex. */
static bool consume_locked(struct object *object, struct thread *thread) {
    if (object->kind == EVENT && !((struct event *)object)->manual)
        object->signalled = false;
    if (object->kind == SEMAPHORE)
        --((struct semaphore *)object)->count;
    if (object->kind != MUTEX)
        return false;
    struct mutex *mutex = (struct mutex *)object;
    bool abandoned = mutex->abandoned;
    mutex->abandoned = false;
    if (mutex->owner == NULL) {
        mutex->owner = thread;
        mutex->next = thread->owned;
        thread->owned = mutex;
        object_keep_locked(mutex); /* of the owner's list */
    }
    ++mutex->depth;
    return abandoned;
}

/* Satisfies a wait if it can be, and gives its result in *result. */
static bool satisfy_locked(struct waiter *waiter, DWORD *result) {
    DWORD ready = 0;
    while (ready < waiter->count && ready_locked(waiter->blocks[ready].object, waiter->thread) == waiter->all)
        ++ready;
    if (waiter->all != (ready == waiter->count))
        return false;
    bool abandoned = false;
    DWORD first = waiter->all ? 0 : ready, last = waiter->all ? waiter->count : ready + 1;
    for (DWORD i = first; i < last; ++i)
        abandoned |= consume_locked(waiter->blocks[i].object, waiter->thread);
    *result = (abandoned ? WAIT_ABANDONED_0 : WAIT_OBJECT_0) + first;
    return true;
}

/* ---- waits ------------------------------------------------------------------------------------------------------- */

static void link_locked(struct waiter *waiter) {
    for (DWORD i = 0; i < waiter->count; ++i) {
        struct block *block = &waiter->blocks[i];
        struct object *object = block->object;
        block->waiter = waiter;
        block->next = NULL;
        block->previous = object->last;
        *(object->last != NULL ? &object->last->next : &object->first) = block;
        object->last = block;
    }
    waiter->thread->waiter = waiter;
}

/* Ends a wait. */
static void finish_locked(struct waiter *waiter, DWORD result) {
    for (DWORD i = 0; i < waiter->count; ++i) {
        struct block *block = &waiter->blocks[i];
        *(block->previous != NULL ? &block->previous->next : &block->object->first) = block->next;
        *(block->next != NULL ? &block->next->previous : &block->object->last) = block->previous;
    }
    waiter->thread->waiter = NULL;
    waiter->done = true;
    waiter->result = result;
    pthread_cond_signal(&waiter->thread->wake);
}

void object_wake_locked(struct object *object) {
    struct block *block = object->first;
    while (block != NULL && ready_locked(object, block->waiter->thread)) {
        DWORD result;
        /* Only this wait's own blocks leave the list; its next one may be of the same object. */
        struct waiter *waiter = block->waiter;
        struct block *next = block->next;
        while (next != NULL && next->waiter == waiter)
            next = next->next;
        if (satisfy_locked(waiter, &result))
            finish_locked(waiter, result);
        block = next;
    }
    /* A mutex is ready for its owner only, who does not wait first in the list of another. */
}

void object_signal_locked(struct object *object) {
    object->signalled = true;
    object_wake_locked(object);
}

/* ---- procedure calls --------------------------------------------------------------------------------------------- */

void thread_queue_locked(struct thread *thread, struct apc *apc) {
    apc->next = NULL;
    *(thread->last != NULL ? &thread->last->next : &thread->first) = apc;
    thread->last = apc;
    if (thread->waiter != NULL && thread->waiter->alertable)
        finish_locked(thread->waiter, WAIT_IO_COMPLETION);
}

static void run_apcs(struct thread *self) {
    for (;;) {
        lock_world();
        struct apc *apc = self->first;
        if (apc != NULL && (self->first = apc->next) == NULL)
            self->last = NULL;
        unlock_world();
        if (apc == NULL)
            return;
        struct apc call = *apc;
        free(apc);
        if (call.function != NULL)
            call.function(call.parameter);
        else
            call.routine(call.error, call.length, call.overlapped);
    }
}

DWORD QueueUserAPC(PAPCFUNC function, HANDLE handle, ULONG_PTR parameter) {
    struct thread *thread = handle_object(handle, THREAD);
    if (thread == NULL)
        return 0;
    struct apc *apc = calloc(1, sizeof *apc);
    DWORD error = apc == NULL ? ERROR_NOT_ENOUGH_MEMORY : ERROR_SUCCESS;
    lock_world();
    if (error == ERROR_SUCCESS && thread->ended)
        error = ERROR_GEN_FAILURE;
    if (error == ERROR_SUCCESS) {
        apc->function = function;
        apc->parameter = parameter;
        thread_queue_locked(thread, apc);
    }
    object_release_locked(thread);
    unlock_world();
    if (error == ERROR_SUCCESS)
        return 1;
    free(apc);
    SetLastError(error);
    return 0;
}

/* ---- the wait ---------------------------------------------------------------------------------------------------- */

DWORD wait_for(struct object **objects, DWORD count, bool all, const struct deadline *deadline, bool alertable, bool poll) {
    struct waiter waiter;
    waiter.thread = thread_self();
    if (waiter.thread == NULL)
        return WAIT_FAILED;
    waiter.all = all && count > 0;
    waiter.alertable = alertable;
    waiter.done = false;
    waiter.count = count;
    for (DWORD i = 0; i < count; ++i)
        waiter.blocks[i].object = objects[i];
    DWORD result;
    lock_world();
    if (count > 0 && satisfy_locked(&waiter, &result)) {
        unlock_world();
        return result;
    }
    if (alertable && waiter.thread->first != NULL) {
        waiter.result = WAIT_IO_COMPLETION;
    } else if (poll) {
        waiter.result = WAIT_TIMEOUT;
    } else {
        link_locked(&waiter);
        while (!waiter.done)
            if (!deadline_wait(&waiter.thread->wake, &world, deadline) && !waiter.done)
                finish_locked(&waiter, WAIT_TIMEOUT);
    }
    unlock_world();
    if (waiter.result == WAIT_IO_COMPLETION && alertable)
        run_apcs(waiter.thread);
    return waiter.result;
}

DWORD WaitForMultipleObjectsEx(DWORD count, const HANDLE *handles, BOOL all, DWORD timeout, BOOL alertable) {
    if (count == 0 || count > MAXIMUM_WAIT_OBJECTS || handles == NULL)
        return fail(ERROR_INVALID_PARAMETER), WAIT_FAILED;
    struct object *objects[MAXIMUM_WAIT_OBJECTS];
    DWORD found = 0, result = WAIT_FAILED;
    while (found < count && (objects[found] = handle_object(handles[found], ANY)) != NULL)
        ++found;
    bool twice = false; /* waiting for all of the same object twice would never end */
    for (DWORD i = 0; all && i < found; ++i)
        for (DWORD j = 0; j < i; ++j)
            twice |= objects[i] == objects[j];
    if (found == count && twice) {
        SetLastError(ERROR_INVALID_PARAMETER);
    } else if (found == count) {
        struct deadline deadline = deadline_in(timeout);
        result = wait_for(objects, count, all, &deadline, alertable, timeout == 0);
    }
    while (found > 0)
        object_release(objects[--found]);
    return result;
}

DWORD WaitForMultipleObjects(DWORD count, const HANDLE *handles, BOOL all, DWORD timeout) {
    return WaitForMultipleObjectsEx(count, handles, all, timeout, FALSE);
}

DWORD WaitForSingleObjectEx(HANDLE handle, DWORD timeout, BOOL alertable) {
    return WaitForMultipleObjectsEx(1, &handle, FALSE, timeout, alertable);
}

DWORD WaitForSingleObject(HANDLE handle, DWORD timeout) { return WaitForMultipleObjectsEx(1, &handle, FALSE, timeout, FALSE); }

DWORD SleepEx(DWORD timeout, BOOL alertable) {
    struct deadline deadline = deadline_in(timeout);
    if (timeout == 0 && !alertable)
        sched_yield();
    return wait_for(NULL, 0, false, &deadline, alertable, timeout == 0) == WAIT_IO_COMPLETION ? WAIT_IO_COMPLETION : 0;
}

VOID Sleep(DWORD timeout) { SleepEx(timeout, FALSE); }
