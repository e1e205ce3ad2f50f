/* securecrt.h: the C library's functions with sizes. Where text does not fit they end the program, as Windows' do by default. */
#ifndef ANYPIPE_SECURECRT_H
#define ANYPIPE_SECURECRT_H

#include <stdio.h>

#include "windef.h"

typedef int errno_t;
#define _TRUNCATE ((size_t)-1) /* as a count: cut what does not fit */

ANYPIPE_W32_BEGIN
errno_t strcpy_s(char *to, size_t size, const char *from) ANYPIPE_W32(strcpy_s);
errno_t strcat_s(char *to, size_t size, const char *from) ANYPIPE_W32(strcat_s);
errno_t strncpy_s(char *to, size_t size, const char *from, size_t count) ANYPIPE_W32(strncpy_s);
int sprintf_s(char *to, size_t size, const char *format, ...) ANYPIPE_W32(sprintf_s);
/* -1, and no NUL, if the text is longer than size. */
int _snprintf(char *to, size_t size, const char *format, ...) ANYPIPE_W32(snprintf);
errno_t memcpy_s(void *to, size_t size, const void *from, size_t count) ANYPIPE_W32(memcpy_s);
errno_t fopen_s(FILE **file, const char *name, const char *mode) ANYPIPE_W32(fopen_s);
errno_t wcscpy_s(wchar_t *to, size_t size, const wchar_t *from) ANYPIPE_W32_WIDE(wcscpy_s);
errno_t wcscat_s(wchar_t *to, size_t size, const wchar_t *from) ANYPIPE_W32_WIDE(wcscat_s);
int swprintf_s(wchar_t *to, size_t size, const wchar_t *format, ...) ANYPIPE_W32_WIDE(swprintf_s);
ANYPIPE_W32_END

#define _stricmp strcasecmp
#define _strnicmp strncasecmp
#define _strdup strdup

#ifdef __cplusplus
/* In C++ the size of an array is known. */
extern "C++" {
template <size_t size> inline errno_t strcpy_s(char (&to)[size], const char *from) { return strcpy_s(to, size, from); }
template <size_t size> inline errno_t strcat_s(char (&to)[size], const char *from) { return strcat_s(to, size, from); }
template <size_t size> inline errno_t strncpy_s(char (&to)[size], const char *from, size_t n) { return strncpy_s(to, size, from, n); }
template <size_t size> inline errno_t wcscpy_s(wchar_t (&to)[size], const wchar_t *from) { return wcscpy_s(to, size, from); }
template <size_t size> inline errno_t wcscat_s(wchar_t (&to)[size], const wchar_t *from) { return wcscat_s(to, size, from); }
#if __cplusplus >= 201103L
template <size_t size, typename... Values> inline int sprintf_s(char (&to)[size], const char *format, Values... values) {
    return sprintf_s(to, size, format, values...);
}
template <size_t size, typename... Values> inline int swprintf_s(wchar_t (&to)[size], const wchar_t *format, Values... values) {
    return swprintf_s(to, size, format, values...);
}
#endif
}
#endif

#endif
