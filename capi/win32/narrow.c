/* narrow.c: functions of narrow text, which is UTF-8: copying, printing, messages. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "text.h"

#define TEXT_CHAR char
struct output;
static void put_converted(struct output *output, const void *text, size_t length, bool wide);
#include "format.h"

static void put_converted(struct output *output, const void *text, size_t length, bool wide) {
    const wchar_t *at = text, *end = at + (wide ? length : 0);
    char units[4];
    while (at != end)
        for (size_t i = 0, count = put_utf8(next_wide(&at, end), units); i < count; ++i)
            put(output, units[i]);
    for (size_t i = 0; !wide && i < length; ++i)
        put(output, ((const char *)text)[i]);
}

/* ---- lstr, wsprintf ---------------------------------------------------------------------------------------------- */

int lstrlenA(LPCSTR text) { return text != NULL ? (int)strlen(text) : 0; }
int lstrcmpA(LPCSTR first, LPCSTR second) { return strcmp(first, second); }
int lstrcmpiA(LPCSTR first, LPCSTR second) { return strcasecmp(first, second); }
LPSTR lstrcpyA(LPSTR to, LPCSTR from) { return strcpy(to, from); }
LPSTR lstrcatA(LPSTR to, LPCSTR from) { return strcat(to, from); }

LPSTR lstrcpynA(LPSTR to, LPCSTR from, int size) {
    StringCchCopyA(to, size > 0 ? (size_t)size : 0, from);
    return to;
}

int wvsprintfA(LPSTR to, LPCSTR format, va_list arguments) {
    size_t length = print(to, 1025, format, arguments);
    return (int)(length < 1024 ? length : 1024);
}

int wsprintfA(LPSTR to, LPCSTR format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = wvsprintfA(to, format, arguments);
    va_end(arguments);
    return length;
}

/* ---- strsafe ----------------------------------------------------------------------------------------------------- */

HRESULT StringCchLengthA(LPCSTR text, size_t size, size_t *length) {
    size_t count = text != NULL ? strnlen(text, size) : size;
    if (length != NULL)
        *length = count < size ? count : 0;
    return count < size && size <= STRSAFE_MAX_CCH ? S_OK : STRSAFE_E_INVALID_PARAMETER;
}

HRESULT StringCchCopyA(LPSTR to, size_t size, LPCSTR from) {
    if (size == 0 || size > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    size_t length = strlen(from), most = length < size ? length : size - 1;
    memcpy(to, from, most);
    to[most] = 0;
    return length < size ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}

HRESULT StringCchCatA(LPSTR to, size_t size, LPCSTR from) {
    size_t length = strnlen(to, size);
    return length < size ? StringCchCopyA(to + length, size - length, from) : STRSAFE_E_INVALID_PARAMETER;
}

HRESULT StringCchVPrintfA(LPSTR to, size_t size, LPCSTR format, va_list arguments) {
    if (size == 0 || size > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    return print(to, size, format, arguments) < size ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}

HRESULT StringCchPrintfA(LPSTR to, size_t size, LPCSTR format, ...) {
    va_list arguments;
    va_start(arguments, format);
    HRESULT result = StringCchVPrintfA(to, size, format, arguments);
    va_end(arguments);
    return result;
}

HRESULT StringCbLengthA(LPCSTR text, size_t size, size_t *length) { return StringCchLengthA(text, size, length); }
HRESULT StringCbCopyA(LPSTR to, size_t size, LPCSTR from) { return StringCchCopyA(to, size, from); }
HRESULT StringCbCatA(LPSTR to, size_t size, LPCSTR from) { return StringCchCatA(to, size, from); }

HRESULT StringCbPrintfA(LPSTR to, size_t size, LPCSTR format, ...) {
    va_list arguments;
    va_start(arguments, format);
    HRESULT result = StringCchVPrintfA(to, size, format, arguments);
    va_end(arguments);
    return result;
}

/* ---- the C library's functions with sizes ------------------------------------------------------------------------ */

void too_small(const char *function) {
    fprintf(stderr, "%s: the text does not fit\n", function);
    abort();
}

errno_t strcpy_s(char *to, size_t size, const char *from) {
    if (StringCchCopyA(to, size, from) != S_OK)
        too_small("strcpy_s");
    return 0;
}

errno_t strcat_s(char *to, size_t size, const char *from) {
    if (StringCchCatA(to, size, from) != S_OK)
        too_small("strcat_s");
    return 0;
}

errno_t strncpy_s(char *to, size_t size, const char *from, size_t count) {
    size_t length = strnlen(from, count == _TRUNCATE ? size : count);
    bool cut = count == _TRUNCATE && length >= size;
    if (size == 0 || (length >= size && !cut))
        too_small("strncpy_s");
    length = cut ? size - 1 : length;
    memcpy(to, from, length);
    to[length] = 0;
    return cut ? 80 /* Windows' STRUNCATE */ : 0;
}

int sprintf_s(char *to, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t length = print(to, size, format, arguments);
    va_end(arguments);
    if (length >= size)
        too_small("sprintf_s");
    return (int)length;
}

int _snprintf(char *to, size_t size, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    size_t length = print(NULL, 0, format, arguments);
    char *whole = malloc(length + 1);
    if (whole != NULL) {
        print(whole, length + 1, format, again);
        memcpy(to, whole, length < size ? length + 1 : size);
    }
    free(whole);
    va_end(again);
    va_end(arguments);
    return whole != NULL && length <= size ? (int)length : -1;
}

errno_t memcpy_s(void *to, size_t size, const void *from, size_t count) {
    if (count > size)
        too_small("memcpy_s");
    memcpy(to, from, count);
    return 0;
}

errno_t fopen_s(FILE **file, const char *name, const char *mode) {
    *file = fopen(name, mode);
    return *file != NULL ? 0 : errno;
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

DWORD FormatMessageA(DWORD flags, LPCVOID source, DWORD error, DWORD language, LPSTR buffer, DWORD size, va_list *arguments) {
    (void)source, (void)language, (void)arguments;
    const char *message = (flags & FORMAT_MESSAGE_FROM_SYSTEM) != 0 ? message_of_error(error) : NULL;
    if ((flags & FORMAT_MESSAGE_FROM_SYSTEM) == 0)
        return fail(ERROR_NOT_SUPPORTED), 0;
    if (message == NULL)
        return fail(ERROR_MR_MID_NOT_FOUND), 0;
    /* With a width there are no line ends, but a blank. */
    const char *end = (flags & FORMAT_MESSAGE_MAX_WIDTH_MASK) != 0 ? " " : "\r\n";
    size_t length = strlen(message) + strlen(end);
    char *to = buffer;
    if ((flags & FORMAT_MESSAGE_ALLOCATE_BUFFER) != 0) {
        size_t room = length + 1 > size ? length + 1 : size;
        *(char **)(void *)buffer = to = LocalAlloc(LPTR, room);
        if (to == NULL)
            return 0;
    } else if (size <= length) {
        return fail(ERROR_INSUFFICIENT_BUFFER), 0;
    }
    strcpy(to, message);
    strcat(to, end);
    return (DWORD)length;
}

/* ---- functions that fill in text: the narrow ones; wide.c has the others ------------------------------------------ */

BOOL GetNamedPipeHandleStateA(HANDLE pipe, LPDWORD state, LPDWORD instances, LPDWORD collection_count, LPDWORD collection_timeout, LPSTR user,
                              DWORD user_size) {
    DWORD error = pipe_state(pipe, state, instances, collection_count != NULL || collection_timeout != NULL);
    char name[256];
    if (error == ERROR_SUCCESS && user != NULL)
        error = user_of_pipe(pipe, name, sizeof name);
    if (error == ERROR_SUCCESS && user != NULL)
        error = StringCchCopyA(user, user_size, name) == S_OK ? ERROR_SUCCESS : ERROR_INSUFFICIENT_BUFFER;
    return error == ERROR_SUCCESS ? TRUE : fail(error);
}

/* A local client has no other computer's name. */
BOOL GetNamedPipeClientComputerNameA(HANDLE pipe, LPSTR name, ULONG size) {
    (void)name, (void)size;
    ULONG id;
    return GetNamedPipeClientProcessId(pipe, &id) ? fail(ERROR_PIPE_LOCAL) : FALSE;
}
