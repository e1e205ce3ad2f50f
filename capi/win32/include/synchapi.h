/* synchapi.h: events, mutexes, semaphores, waiting, and the locks that have no handle.
 *
 * Objects have no names here, as a name could not be shared with another process: one gives ERROR_NOT_SUPPORTED. */
#ifndef ANYPIPE_SYNCHAPI_H
#define ANYPIPE_SYNCHAPI_H

#include "handleapi.h"

#define INFINITE 0xFFFFFFFFu
#define WAIT_OBJECT_0 0u
#define WAIT_ABANDONED 0x80u
#define WAIT_ABANDONED_0 0x80u
#define WAIT_IO_COMPLETION 0xC0u
#define WAIT_FAILED 0xFFFFFFFFu
#define CREATE_EVENT_MANUAL_RESET 1u
#define CREATE_EVENT_INITIAL_SET 2u
#define CREATE_MUTEX_INITIAL_OWNER 1u

/* The fields are the library's. */
typedef struct _RTL_CRITICAL_SECTION {
    __extension__ union {
        long long Align;
        char Room[96];
    };
} CRITICAL_SECTION, *PCRITICAL_SECTION, *LPCRITICAL_SECTION;
typedef struct _RTL_SRWLOCK {
    PVOID Ptr;
} SRWLOCK, *PSRWLOCK;
typedef struct _RTL_CONDITION_VARIABLE {
    PVOID Ptr;
} CONDITION_VARIABLE, *PCONDITION_VARIABLE;
#define SRWLOCK_INIT { 0 }
#define CONDITION_VARIABLE_INIT { 0 }
#define CONDITION_VARIABLE_LOCKMODE_SHARED 1u

ANYPIPE_W32_BEGIN
#define ANYPIPE_W32_CreateEvent(C, M) (LPSECURITY_ATTRIBUTES security, BOOL manual_reset, BOOL initial_state, C name)
ANYPIPE_W32_AW(HANDLE, CreateEvent);
#define ANYPIPE_W32_CreateEventEx(C, M) (LPSECURITY_ATTRIBUTES security, C name, DWORD flags, DWORD access)
ANYPIPE_W32_AW(HANDLE, CreateEventEx);
#define ANYPIPE_W32_CreateMutex(C, M) (LPSECURITY_ATTRIBUTES security, BOOL initial_owner, C name)
ANYPIPE_W32_AW(HANDLE, CreateMutex);
#define ANYPIPE_W32_CreateSemaphore(C, M) (LPSECURITY_ATTRIBUTES security, LONG initial, LONG maximum, C name)
ANYPIPE_W32_AW(HANDLE, CreateSemaphore);

BOOL WINAPI SetEvent(HANDLE event) ANYPIPE_W32(SetEvent);
BOOL WINAPI ResetEvent(HANDLE event) ANYPIPE_W32(ResetEvent);
BOOL WINAPI PulseEvent(HANDLE event) ANYPIPE_W32(PulseEvent);
BOOL WINAPI ReleaseMutex(HANDLE mutex) ANYPIPE_W32(ReleaseMutex);
BOOL WINAPI ReleaseSemaphore(HANDLE semaphore, LONG count, LPLONG previous) ANYPIPE_W32(ReleaseSemaphore);
DWORD WINAPI WaitForSingleObject(HANDLE handle, DWORD timeout) ANYPIPE_W32(WaitForSingleObject);
DWORD WINAPI WaitForSingleObjectEx(HANDLE handle, DWORD timeout, BOOL alertable) ANYPIPE_W32(WaitForSingleObjectEx);
DWORD WINAPI WaitForMultipleObjects(DWORD count, const HANDLE *handles, BOOL all, DWORD timeout) ANYPIPE_W32(WaitForMultipleObjects);
DWORD WINAPI WaitForMultipleObjectsEx(DWORD count, const HANDLE *handles, BOOL all, DWORD timeout, BOOL alertable)
    ANYPIPE_W32(WaitForMultipleObjectsEx);
DWORD WINAPI SignalObjectAndWait(HANDLE signal, HANDLE wait, DWORD timeout, BOOL alertable) ANYPIPE_W32(SignalObjectAndWait);
VOID WINAPI Sleep(DWORD timeout) ANYPIPE_W32(Sleep);
DWORD WINAPI SleepEx(DWORD timeout, BOOL alertable) ANYPIPE_W32(SleepEx);

VOID WINAPI InitializeCriticalSection(LPCRITICAL_SECTION section) ANYPIPE_W32(InitializeCriticalSection);
BOOL WINAPI InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION section, DWORD spins)
    ANYPIPE_W32(InitializeCriticalSectionAndSpinCount);
BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION section, DWORD spins, DWORD flags) ANYPIPE_W32(InitializeCriticalSectionEx);
VOID WINAPI EnterCriticalSection(LPCRITICAL_SECTION section) ANYPIPE_W32(EnterCriticalSection);
BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION section) ANYPIPE_W32(TryEnterCriticalSection);
VOID WINAPI LeaveCriticalSection(LPCRITICAL_SECTION section) ANYPIPE_W32(LeaveCriticalSection);
VOID WINAPI DeleteCriticalSection(LPCRITICAL_SECTION section) ANYPIPE_W32(DeleteCriticalSection);
VOID WINAPI InitializeSRWLock(PSRWLOCK lock) ANYPIPE_W32(InitializeSRWLock);
VOID WINAPI AcquireSRWLockExclusive(PSRWLOCK lock) ANYPIPE_W32(AcquireSRWLockExclusive);
VOID WINAPI AcquireSRWLockShared(PSRWLOCK lock) ANYPIPE_W32(AcquireSRWLockShared);
BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK lock) ANYPIPE_W32(TryAcquireSRWLockExclusive);
BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK lock) ANYPIPE_W32(TryAcquireSRWLockShared);
VOID WINAPI ReleaseSRWLockExclusive(PSRWLOCK lock) ANYPIPE_W32(ReleaseSRWLockExclusive);
VOID WINAPI ReleaseSRWLockShared(PSRWLOCK lock) ANYPIPE_W32(ReleaseSRWLockShared);
VOID WINAPI InitializeConditionVariable(PCONDITION_VARIABLE condition) ANYPIPE_W32(InitializeConditionVariable);
BOOL WINAPI SleepConditionVariableCS(PCONDITION_VARIABLE condition, PCRITICAL_SECTION section, DWORD timeout)
    ANYPIPE_W32(SleepConditionVariableCS);
BOOL WINAPI SleepConditionVariableSRW(PCONDITION_VARIABLE condition, PSRWLOCK lock, DWORD timeout, ULONG flags)
    ANYPIPE_W32(SleepConditionVariableSRW);
VOID WINAPI WakeConditionVariable(PCONDITION_VARIABLE condition) ANYPIPE_W32(WakeConditionVariable);
VOID WINAPI WakeAllConditionVariable(PCONDITION_VARIABLE condition) ANYPIPE_W32(WakeAllConditionVariable);
ANYPIPE_W32_END

#endif
