/* errhandlingapi.h: the last error, one for each thread. */
#ifndef ANYPIPE_ERRHANDLINGAPI_H
#define ANYPIPE_ERRHANDLINGAPI_H

#include "minwinbase.h"

ANYPIPE_W32_BEGIN
DWORD WINAPI GetLastError(VOID) ANYPIPE_W32(GetLastError);
VOID WINAPI SetLastError(DWORD error) ANYPIPE_W32(SetLastError);
ANYPIPE_W32_END

#endif
