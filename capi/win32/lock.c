/* lock.c: critical sections, slim locks and condition variables: the locks that have no handle. */
#include "world.h"


/* ---- critical sections ------------------------------------------------------------------------------------------- */

static pthread_mutex_t *inside(LPCRITICAL_SECTION section) { return (pthread_mutex_t *)(void *)section; }
_Static_assert(sizeof(pthread_mutex_t) <= sizeof(CRITICAL_SECTION), "a critical section holds a mutex");

VOID InitializeCriticalSection(LPCRITICAL_SECTION section) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(inside(section), &attributes);
    pthread_mutexattr_destroy(&attributes);
}

BOOL InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION section, DWORD spins) {
    (void)spins;
    InitializeCriticalSection(section);
    return TRUE;
}

BOOL InitializeCriticalSectionEx(LPCRITICAL_SECTION section, DWORD spins, DWORD flags) {
    (void)flags;
    return InitializeCriticalSectionAndSpinCount(section, spins);
}

VOID EnterCriticalSection(LPCRITICAL_SECTION section) { pthread_mutex_lock(inside(section)); }
BOOL TryEnterCriticalSection(LPCRITICAL_SECTION section) { return pthread_mutex_trylock(inside(section)) == 0; }
VOID LeaveCriticalSection(LPCRITICAL_SECTION section) { pthread_mutex_unlock(inside(section)); }
VOID DeleteCriticalSection(LPCRITICAL_SECTION section) { pthread_mutex_destroy(inside(section)); }

/* ---- places to sleep --------------------------------------------------------------------------------------------- */

/* Slim locks and condition variables are one zeroed pointer, so their sleepers meet in places chosen by address. A place's mutex guards
 * the pointers that fall on it. Locks that share a place wake each other's sleepers, which look and sleep on. */
static struct place {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
} places[64];
static pthread_once_t places_made = PTHREAD_ONCE_INIT;

static void make_places(void) {
    for (size_t i = 0; i < ARRAYSIZE(places); ++i) {
        pthread_mutex_init(&places[i].mutex, NULL);
        condition_init(&places[i].changed);
    }
}

static struct place *enter(const void *address) {
    pthread_once(&places_made, make_places);
    struct place *place = &places[((uintptr_t)address / sizeof(void *)) % ARRAYSIZE(places)];
    pthread_mutex_lock(&place->mutex);
    return place;
}

/* ---- slim locks: the pointer is 0 (free), -1 (exclusive) or the number of sharers --------------------------------- */

static bool acquire(PSRWLOCK lock, bool exclusive, bool wait) {
    struct place *place = enter(lock);
    intptr_t state;
    while ((state = (intptr_t)lock->Ptr) < 0 || (exclusive && state > 0)) {
        if (!wait) {
            pthread_mutex_unlock(&place->mutex);
            return false;
        }
        pthread_cond_wait(&place->changed, &place->mutex);
    }
    lock->Ptr = (PVOID)(exclusive ? (intptr_t)-1 : state + 1);
    pthread_mutex_unlock(&place->mutex);
    return true;
}

static void release(PSRWLOCK lock) {
    struct place *place = enter(lock);
    intptr_t state = (intptr_t)lock->Ptr;
    lock->Ptr = (PVOID)(state < 0 ? 0 : state - 1);
    pthread_cond_broadcast(&place->changed);
    pthread_mutex_unlock(&place->mutex);
}

VOID InitializeSRWLock(PSRWLOCK lock) { lock->Ptr = NULL; }
VOID AcquireSRWLockExclusive(PSRWLOCK lock) { acquire(lock, true, true); }
VOID AcquireSRWLockShared(PSRWLOCK lock) { acquire(lock, false, true); }
BOOLEAN TryAcquireSRWLockExclusive(PSRWLOCK lock) { return acquire(lock, true, false); }
BOOLEAN TryAcquireSRWLockShared(PSRWLOCK lock) { return acquire(lock, false, false); }
VOID ReleaseSRWLockExclusive(PSRWLOCK lock) { release(lock); }
VOID ReleaseSRWLockShared(PSRWLOCK lock) { release(lock); }

/* ---- condition variables: the pointer counts the wakes ----------------------------------------------------------- */

static PVOID wakes(PCONDITION_VARIABLE condition) {
    struct place *place = enter(condition);
    PVOID count = condition->Ptr;
    pthread_mutex_unlock(&place->mutex);
    return count;
}

/* Sleeps until the count is another than before, which was read while the caller still had its lock. */
static bool sleep_on(PCONDITION_VARIABLE condition, PVOID before, DWORD timeout) {
    struct deadline deadline = deadline_in(timeout);
    struct place *place = enter(condition);
    bool in_time = true;
    while (condition->Ptr == before && in_time)
        in_time = deadline_wait(&place->changed, &place->mutex, &deadline);
    bool woken = condition->Ptr != before;
    pthread_mutex_unlock(&place->mutex);
    return woken;
}

VOID InitializeConditionVariable(PCONDITION_VARIABLE condition) { condition->Ptr = NULL; }

BOOL SleepConditionVariableCS(PCONDITION_VARIABLE condition, PCRITICAL_SECTION section, DWORD timeout) {
    PVOID before = wakes(condition);
    LeaveCriticalSection(section);
    bool woken = sleep_on(condition, before, timeout);
    EnterCriticalSection(section);
    return woken ? TRUE : fail(ERROR_TIMEOUT);
}

BOOL SleepConditionVariableSRW(PCONDITION_VARIABLE condition, PSRWLOCK lock, DWORD timeout, ULONG flags) {
    PVOID before = wakes(condition);
    release(lock);
    bool woken = sleep_on(condition, before, timeout);
    acquire(lock, (flags & CONDITION_VARIABLE_LOCKMODE_SHARED) == 0, true);
    return woken ? TRUE : fail(ERROR_TIMEOUT);
}

/* Wakes all: programs must look again after a wake anyway. */
VOID WakeAllConditionVariable(PCONDITION_VARIABLE condition) {
    struct place *place = enter(condition);
    condition->Ptr = (PVOID)((uintptr_t)condition->Ptr + 1);
    pthread_cond_broadcast(&place->changed);
    pthread_mutex_unlock(&place->mutex);
}

VOID WakeConditionVariable(PCONDITION_VARIABLE condition) { WakeAllConditionVariable(condition); }
