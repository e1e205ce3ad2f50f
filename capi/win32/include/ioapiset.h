/* ioapiset.h: results and cancellation of overlapped operations, and completion ports. */
#ifndef ANYPIPE_IOAPISET_H
#define ANYPIPE_IOAPISET_H

#include "handleapi.h"

#define FILE_SKIP_COMPLETION_PORT_ON_SUCCESS 1
#define FILE_SKIP_SET_EVENT_ON_HANDLE 2

ANYPIPE_W32_BEGIN
BOOL WINAPI GetOverlappedResult(HANDLE file, LPOVERLAPPED overlapped, LPDWORD length, BOOL wait) ANYPIPE_W32(GetOverlappedResult);
BOOL WINAPI GetOverlappedResultEx(HANDLE file, LPOVERLAPPED overlapped, LPDWORD length, DWORD timeout, BOOL alertable)
    ANYPIPE_W32(GetOverlappedResultEx);
BOOL WINAPI CancelIo(HANDLE file) ANYPIPE_W32(CancelIo);
BOOL WINAPI CancelIoEx(HANDLE file, LPOVERLAPPED overlapped) ANYPIPE_W32(CancelIoEx);
BOOL WINAPI CancelSynchronousIo(HANDLE thread) ANYPIPE_W32(CancelSynchronousIo);
HANDLE WINAPI CreateIoCompletionPort(HANDLE file, HANDLE port, ULONG_PTR key, DWORD threads) ANYPIPE_W32(CreateIoCompletionPort);
BOOL WINAPI GetQueuedCompletionStatus(HANDLE port, LPDWORD length, PULONG_PTR key, LPOVERLAPPED *overlapped, DWORD timeout)
    ANYPIPE_W32(GetQueuedCompletionStatus);
BOOL WINAPI GetQueuedCompletionStatusEx(HANDLE port, LPOVERLAPPED_ENTRY entries, ULONG count, PULONG removed, DWORD timeout,
                                        BOOL alertable) ANYPIPE_W32(GetQueuedCompletionStatusEx);
BOOL WINAPI PostQueuedCompletionStatus(HANDLE port, DWORD length, ULONG_PTR key, LPOVERLAPPED overlapped)
    ANYPIPE_W32(PostQueuedCompletionStatus);
BOOL WINAPI SetFileCompletionNotificationModes(HANDLE file, UCHAR flags) ANYPIPE_W32(SetFileCompletionNotificationModes);
ANYPIPE_W32_END

#endif
