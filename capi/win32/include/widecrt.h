/* widecrt.h: the C library's functions of wide text, with the meaning that Windows gives them.
 *
 * In a wide format Windows' %s is wide text; the C library of Unix takes it for narrow text. With -fshort-wchar the C library can't
 * handle wide text at all. So the usual names are bound to the library's own functions. */
#ifndef ANYPIPE_WIDECRT_H
#define ANYPIPE_WIDECRT_H

#include <stdio.h>

#include "windef.h"

ANYPIPE_W32_BEGIN
#if !defined(__USE_FORTIFY_LEVEL) || __USE_FORTIFY_LEVEL == 0
/* The fortified library has these names as inline functions, which can't be bound again. */
int wprintf(const wchar_t *format, ...) ANYPIPE_W32_WIDE(wprintf);
int fwprintf(FILE *stream, const wchar_t *format, ...) ANYPIPE_W32_WIDE(fwprintf);
int swprintf(wchar_t *to, size_t size, const wchar_t *format, ...) ANYPIPE_W32_WIDE(swprintf);
#endif
int anypipe_wprintf(const wchar_t *format, ...) ANYPIPE_W32_WIDE(wprintf);
int anypipe_fwprintf(FILE *stream, const wchar_t *format, ...) ANYPIPE_W32_WIDE(fwprintf);
int anypipe_swprintf(wchar_t *to, size_t size, const wchar_t *format, ...) ANYPIPE_W32_WIDE(swprintf);
#if __SIZEOF_WCHAR_T__ == 2
size_t wcslen(const wchar_t *text) ANYPIPE_W32_WIDE(wcslen);
wchar_t *wcscpy(wchar_t *to, const wchar_t *from) ANYPIPE_W32_WIDE(wcscpy);
wchar_t *wcscat(wchar_t *to, const wchar_t *from) ANYPIPE_W32_WIDE(wcscat);
int wcscmp(const wchar_t *first, const wchar_t *second) ANYPIPE_W32_WIDE(wcscmp);
int wcsncmp(const wchar_t *first, const wchar_t *second, size_t count) ANYPIPE_W32_WIDE(wcsncmp);
#endif
int anypipe_wcsicmp(const wchar_t *first, const wchar_t *second) ANYPIPE_W32_WIDE(wcsicmp);
wchar_t *anypipe_wcsncpy(wchar_t *to, const wchar_t *from, size_t count) ANYPIPE_W32_WIDE(wcsncpy);
wchar_t *anypipe_wcschr(const wchar_t *text, wchar_t c) ANYPIPE_W32_WIDE(wcschr);
wchar_t *anypipe_wcsrchr(const wchar_t *text, wchar_t c) ANYPIPE_W32_WIDE(wcsrchr);
wchar_t *anypipe_wcsstr(const wchar_t *text, const wchar_t *part) ANYPIPE_W32_WIDE(wcsstr);
int anypipe_wtoi(const wchar_t *text) ANYPIPE_W32_WIDE(wtoi);
wchar_t *anypipe_fgetws(wchar_t *to, int size, FILE *stream) ANYPIPE_W32_WIDE(fgetws);

/* The library has a main, for programs without one, that calls wmain. */
#ifdef __cplusplus
int wmain(int argc, wchar_t **argv) ANYPIPE_W32_WIDE(wmain);
}
int wmain(void) ANYPIPE_W32_WIDE(wmain_plain);
#else
int wmain() ANYPIPE_W32_WIDE(wmain);
#endif

#endif
