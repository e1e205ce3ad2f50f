/* handleapi.h: what all handles have in common. */
#ifndef ANYPIPE_HANDLEAPI_H
#define ANYPIPE_HANDLEAPI_H

#include "minwinbase.h"

#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)
#define HANDLE_FLAG_INHERIT 1u
#define HANDLE_FLAG_PROTECT_FROM_CLOSE 2u

ANYPIPE_W32_BEGIN
BOOL WINAPI CloseHandle(HANDLE handle) ANYPIPE_W32(CloseHandle);
/* Within this process only: both process handles are GetCurrentProcess(). */
BOOL WINAPI DuplicateHandle(HANDLE source_process, HANDLE source, HANDLE target_process, LPHANDLE target, DWORD access, BOOL inherit,
                            DWORD options) ANYPIPE_W32(DuplicateHandle);
BOOL WINAPI GetHandleInformation(HANDLE handle, LPDWORD flags) ANYPIPE_W32(GetHandleInformation);
BOOL WINAPI SetHandleInformation(HANDLE handle, DWORD mask, DWORD flags) ANYPIPE_W32(SetHandleInformation);
BOOL WINAPI CompareObjectHandles(HANDLE first, HANDLE second) ANYPIPE_W32(CompareObjectHandles);
ANYPIPE_W32_END

#endif
