/* sync.c: events, mutexes and semaphores. */
#include "world.h"

#include <stdlib.h>

/* Objects that other processes could find by name are not offered: a name that is silently private would be worse than none. */
static bool unnamed(LPCSTR name) { return name == NULL || *name == 0 || fail(ERROR_NOT_SUPPORTED); }

static HANDLE handle_or_success(void *object, const SECURITY_ATTRIBUTES *security) {
    HANDLE handle = handle_new(object, security);
    if (handle != NULL)
        SetLastError(ERROR_SUCCESS);
    return handle;
}

HANDLE CreateEventA(LPSECURITY_ATTRIBUTES security, BOOL manual_reset, BOOL initial_state, LPCSTR name) {
    struct event *event = unnamed(name) ? object_new(EVENT, sizeof *event) : NULL;
    if (event == NULL)
        return NULL;
    event->manual = manual_reset;
    event->object.signalled = initial_state;
    return handle_or_success(event, security);
}

HANDLE CreateEventExA(LPSECURITY_ATTRIBUTES security, LPCSTR name, DWORD flags, DWORD access) {
    (void)access;
    return CreateEventA(security, (flags & CREATE_EVENT_MANUAL_RESET) != 0, (flags & CREATE_EVENT_INITIAL_SET) != 0, name);
}

HANDLE CreateMutexA(LPSECURITY_ATTRIBUTES security, BOOL initial_owner, LPCSTR name) {
    struct thread *self = thread_self();
    struct mutex *mutex = unnamed(name) && self != NULL ? object_new(MUTEX, sizeof *mutex) : NULL;
    if (mutex == NULL)
        return NULL;
    HANDLE handle = handle_or_success(mutex, security);
    if (handle != NULL && initial_owner)
        WaitForSingleObject(handle, 0);
    return handle;
}

HANDLE CreateSemaphoreA(LPSECURITY_ATTRIBUTES security, LONG initial, LONG maximum, LPCSTR name) {
    if (maximum <= 0 || initial < 0 || initial > maximum)
        return fail(ERROR_INVALID_PARAMETER), NULL;
    struct semaphore *semaphore = unnamed(name) ? object_new(SEMAPHORE, sizeof *semaphore) : NULL;
    if (semaphore == NULL)
        return NULL;
    semaphore->count = initial;
    semaphore->maximum = maximum;
    return handle_or_success(semaphore, security);
}

static BOOL change_event(HANDLE handle, bool signalled, bool reset) {
    struct event *event = handle_object(handle, EVENT);
    if (event == NULL)
        return FALSE;
    lock_world();
    if (signalled)
        object_signal_locked(&event->object);
    if (reset)
        event->object.signalled = false;
    object_release_locked(event);
    unlock_world();
    return TRUE;
}

BOOL SetEvent(HANDLE event) { return change_event(event, true, false); }
BOOL ResetEvent(HANDLE event) { return change_event(event, false, true); }
BOOL PulseEvent(HANDLE event) { return change_event(event, true, true); }

/* Takes a mutex out of its owner's list and offers it to who waits. */
static void free_mutex_locked(struct mutex *mutex) {
    struct mutex **link = &mutex->owner->owned;
    while (*link != mutex)
        link = &(*link)->next;
    *link = mutex->next;
    mutex->owner = NULL;
    mutex->depth = 0;
    object_wake_locked(&mutex->object);
    object_release_locked(mutex);
}

void mutexes_abandon_locked(struct thread *thread) {
    while (thread->owned != NULL) {
        thread->owned->abandoned = true;
        free_mutex_locked(thread->owned);
    }
}

BOOL ReleaseMutex(HANDLE handle) {
    struct mutex *mutex = handle_object(handle, MUTEX);
    struct thread *self = thread_self();
    if (mutex == NULL)
        return FALSE;
    lock_world();
    bool own = mutex->owner != NULL && mutex->owner == self;
    if (own && --mutex->depth == 0)
        free_mutex_locked(mutex);
    object_release_locked(mutex);
    unlock_world();
    return own ? TRUE : fail(ERROR_NOT_OWNER);
}

BOOL ReleaseSemaphore(HANDLE handle, LONG count, LPLONG previous) {
    if (count <= 0)
        return fail(ERROR_INVALID_PARAMETER);
    struct semaphore *semaphore = handle_object(handle, SEMAPHORE);
    if (semaphore == NULL)
        return FALSE;
    lock_world();
    bool fits = count <= semaphore->maximum - semaphore->count;
    if (fits) {
        if (previous != NULL)
            *previous = semaphore->count;
        semaphore->count += count;
        object_wake_locked(&semaphore->object);
    }
    object_release_locked(semaphore);
    unlock_world();
    return fits ? TRUE : fail(ERROR_TOO_MANY_POSTS);
}

DWORD SignalObjectAndWait(HANDLE signal, HANDLE wait, DWORD timeout, BOOL alertable) {
    struct object *object = handle_object(signal, ANY);
    if (object == NULL)
        return WAIT_FAILED;
    enum kind kind = object->kind;
    object_release(object);
    BOOL signalled = kind == EVENT       ? SetEvent(signal)
                     : kind == MUTEX     ? ReleaseMutex(signal)
                     : kind == SEMAPHORE ? ReleaseSemaphore(signal, 1, NULL)
                                         : fail(ERROR_INVALID_HANDLE);
    return signalled ? WaitForSingleObjectEx(wait, timeout, alertable) : WAIT_FAILED;
}
