/* handle.c: the world's lock, the lives of objects, and the table of handles. */
#include "world.h"

#include <stdlib.h>

pthread_mutex_t world = PTHREAD_MUTEX_INITIALIZER;
bool forked;

/* A fork in the middle of a call of another thread must not leave the child with a locked world. */
static void after_fork_in_child(void) {
    forked = true;
    pthread_mutex_unlock(&world);
}

__attribute__((constructor)) static void prepare_forks(void) { pthread_atfork(lock_world, unlock_world, after_fork_in_child); }

void lock_world(void) { pthread_mutex_lock(&world); }
void unlock_world(void) { pthread_mutex_unlock(&world); }

/* ---- objects ----------------------------------------------------------------------------------------------------- */

void *object_new(enum kind kind, size_t size) {
    struct object *object = calloc(1, size);
    if (object == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    object->kind = kind;
    object->references = 1;
    return object;
}

void object_keep_locked(void *object) { ++((struct object *)object)->references; }

static void object_free(struct object *object) {
    if (object->kind == THREAD) {
        struct thread *thread = (struct thread *)object;
        pthread_cond_destroy(&thread->wake);
        free(thread->groups);
    }
    if (object->kind == PORT)
        port_drain((struct port *)object);
    free(object);
}

void object_release_locked(void *pointer) {
    struct object *object = pointer;
    if (--object->references == 0)
        object_free(object);
}

void object_release(void *object) {
    lock_world();
    object_release_locked(object);
    unlock_world();
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* Guarded by the world's lock. Handles are (index + 1) * 4, as Windows keeps the two low bits free. Free entries are used again in the
 * order in which they became free, so that a stale handle stays invalid for as long as possible. */
static struct entry {
    struct object *object; /* NULL: free */
    DWORD flags;           /* HANDLE_FLAG_... */
    uint32_t next_free;
} *table;
static uint32_t table_size, first_free, last_free;
enum { NONE = 0 }; /* no free entry: index 0 is never used */

static bool table_grow_locked(void) {
    uint32_t size = table_size == 0 ? 64 : table_size * 2;
    struct entry *grown = realloc(table, size * sizeof *grown);
    if (grown == NULL)
        return false;
    table = grown;
    for (uint32_t i = table_size == 0 ? 1 : table_size; i < size; ++i)
        table[i] = (struct entry){NULL, 0, i + 1 < size ? i + 1 : NONE};
    first_free = table_size == 0 ? 1 : table_size;
    last_free = size - 1;
    table_size = size;
    return true;
}

static struct entry *entry_of_locked(HANDLE handle) {
    uintptr_t index = (uintptr_t)handle / 4;
    if (index == 0 || index >= table_size || table[index].object == NULL)
        return NULL;
    return &table[index];
}

static HANDLE handle_new_locked(struct object *object, DWORD flags) {
    if (first_free == NONE && !table_grow_locked())
        return NULL;
    uint32_t index = first_free;
    first_free = table[index].next_free;
    table[index] = (struct entry){object, flags, NONE};
    ++object->handles;
    return (HANDLE)((uintptr_t)index * 4);
}

static void entry_free_locked(struct entry *entry) {
    uint32_t index = (uint32_t)(entry - table);
    *entry = (struct entry){NULL, 0, NONE};
    if (first_free == NONE)
        first_free = index;
    else
        table[last_free].next_free = index;
    last_free = index;
}

HANDLE handle_new(void *object, const SECURITY_ATTRIBUTES *security) {
    lock_world();
    HANDLE handle = handle_new_locked(object, security != NULL && security->bInheritHandle ? HANDLE_FLAG_INHERIT : 0);
    unlock_world();
    if (handle == NULL) {
        if (((struct object *)object)->kind == STREAM)
            stream_close(object);
        object_release(object);
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    }
    return handle;
}

void *handle_object(HANDLE handle, enum kind kind) {
    if (handle == (HANDLE)-2 && (kind == ANY || kind == THREAD)) {
        struct thread *self = thread_self();
        if (self == NULL)
            return NULL;
        lock_world();
        object_keep_locked(self);
        unlock_world();
        return self;
    }
    lock_world();
    struct entry *entry = entry_of_locked(handle);
    struct object *object = entry != NULL && (kind == ANY || entry->object->kind == kind) ? entry->object : NULL;
    if (object != NULL)
        object_keep_locked(object);
    unlock_world();
    if (object == NULL)
        SetLastError(ERROR_INVALID_HANDLE);
    return object;
}

bool handle_inherits(HANDLE handle) {
    lock_world();
    struct entry *entry = entry_of_locked(handle);
    bool inherits = entry != NULL && (entry->flags & HANDLE_FLAG_INHERIT) != 0;
    unlock_world();
    return inherits;
}

/* ---- what programs call ------------------------------------------------------------------------------------------ */

BOOL CloseHandle(HANDLE handle) {
    if (handle == (HANDLE)-2)
        return TRUE;
    lock_world();
    struct entry *entry = entry_of_locked(handle);
    if (entry == NULL || (entry->flags & HANDLE_FLAG_PROTECT_FROM_CLOSE) != 0) {
        unlock_world();
        return fail(ERROR_INVALID_HANDLE);
    }
    struct object *object = entry->object;
    entry_free_locked(entry);
    bool last = --object->handles == 0;
    if (last && object->kind == PORT)
        port_close_locked((struct port *)object);
    unlock_world();
    /* Outside of the lock, as it waits for callbacks, which need the lock. */
    if (last && object->kind == STREAM)
        stream_close((struct stream *)object);
    object_release(object);
    return TRUE;
}

BOOL DuplicateHandle(HANDLE source_process, HANDLE source, HANDLE target_process, LPHANDLE target, DWORD access, BOOL inherit,
                     DWORD options) {
    (void)access; /* a duplicate has the rights of its source */
    if (target != NULL)
        *target = NULL;
    if (source_process != GetCurrentProcess() || target_process != GetCurrentProcess())
        return fail(ERROR_NOT_SUPPORTED);
    struct object *object = handle_object(source, ANY);
    if (object == NULL)
        return FALSE;
    SECURITY_ATTRIBUTES security = {sizeof security, NULL, inherit};
    HANDLE made = handle_new(object, &security);
    if (made == NULL)
        return FALSE;
    if ((options & DUPLICATE_CLOSE_SOURCE) != 0)
        CloseHandle(source);
    if (target != NULL)
        *target = made;
    return TRUE;
}

BOOL GetHandleInformation(HANDLE handle, LPDWORD flags) {
    lock_world();
    struct entry *entry = entry_of_locked(handle);
    if (entry != NULL && flags != NULL)
        *flags = entry->flags;
    unlock_world();
    return entry != NULL ? TRUE : fail(ERROR_INVALID_HANDLE);
}

BOOL SetHandleInformation(HANDLE handle, DWORD mask, DWORD flags) {
    if ((mask & ~(HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE)) != 0)
        return fail(ERROR_INVALID_PARAMETER);
    lock_world();
    struct entry *entry = entry_of_locked(handle);
    if (entry != NULL)
        entry->flags = (entry->flags & ~mask) | (flags & mask);
    unlock_world();
    return entry != NULL ? TRUE : fail(ERROR_INVALID_HANDLE);
}

BOOL CompareObjectHandles(HANDLE first, HANDLE second) {
    lock_world();
    struct entry *one = entry_of_locked(first), *other = entry_of_locked(second);
    bool same = one != NULL && other != NULL && one->object == other->object;
    unlock_world();
    return same;
}
