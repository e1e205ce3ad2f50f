/* strsafe.h: copying text into buffers of known size. The Cch functions count characters, the Cb functions bytes. */
#ifndef ANYPIPE_STRSAFE_H
#define ANYPIPE_STRSAFE_H

#include "winerror.h"

typedef char *STRSAFE_LPSTR;
typedef const char *STRSAFE_LPCSTR;
#define STRSAFE_MAX_CCH 2147483647
#define STRSAFE_E_INSUFFICIENT_BUFFER ((HRESULT)0x8007007A)
#define STRSAFE_E_INVALID_PARAMETER ((HRESULT)0x80070057)
#define STRSAFE_E_END_OF_FILE ((HRESULT)0x80070026)

ANYPIPE_W32_BEGIN
#define ANYPIPE_W32_StringCchCopy(C, M) (M to, size_t size, C from)
ANYPIPE_W32_AW(HRESULT, StringCchCopy);
#define ANYPIPE_W32_StringCchCat(C, M) (M to, size_t size, C from)
ANYPIPE_W32_AW(HRESULT, StringCchCat);
#define ANYPIPE_W32_StringCchLength(C, M) (C text, size_t size, size_t *length)
ANYPIPE_W32_AW(HRESULT, StringCchLength);
#define ANYPIPE_W32_StringCchPrintf(C, M) (M to, size_t size, C format, ...)
ANYPIPE_W32_AW(HRESULT, StringCchPrintf);
#define ANYPIPE_W32_StringCchVPrintf(C, M) (M to, size_t size, C format, va_list arguments)
ANYPIPE_W32_AW(HRESULT, StringCchVPrintf);
#define ANYPIPE_W32_StringCbCopy(C, M) (M to, size_t size, C from)
ANYPIPE_W32_AW(HRESULT, StringCbCopy);
#define ANYPIPE_W32_StringCbCat(C, M) (M to, size_t size, C from)
ANYPIPE_W32_AW(HRESULT, StringCbCat);
#define ANYPIPE_W32_StringCbLength(C, M) (C text, size_t size, size_t *length)
ANYPIPE_W32_AW(HRESULT, StringCbLength);
#define ANYPIPE_W32_StringCbPrintf(C, M) (M to, size_t size, C format, ...)
ANYPIPE_W32_AW(HRESULT, StringCbPrintf);
ANYPIPE_W32_END

#endif
