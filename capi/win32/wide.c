/* wide.c: the functions of wide text, on top of the narrow ones.
 *
 * It is compiled twice: for a wchar_t of 32 bits and, with -fshort-wchar, of 16. The headers bind each compilation to names of its own. So
 * it uses none of the C library's wide functions. */
#include "world.h"

#include <stdlib.h>

#include "text.h"

#define TEXT_CHAR wchar_t
struct output;
static void put_converted(struct output *output, const void *text, size_t length, bool wide);
#include "format.h"

static void put_converted(struct output *output, const void *text, size_t length, bool wide) {
    const char *at = text, *end = at + (wide ? 0 : length);
    wchar_t units[2];
    while (at != end)
        for (size_t i = 0, count = put_wide(next_utf8(&at, end), units); i < count; ++i)
            put(output, units[i]);
    for (size_t i = 0; wide && i < length; ++i)
        put(output, ((const wchar_t *)text)[i]);
}

/* ---- conversion -------------------------------------------------------------------------------------------------- */

static size_t wide_length(const wchar_t *text) {
    size_t length = 0;
    while (text[length] != 0)
        ++length;
    return length;
}

/* The text as UTF-8, which the caller frees. NULL is NULL; false means that there is no memory. */
static bool narrow(const wchar_t *text, char **made) {
    *made = NULL;
    if (text == NULL)
        return true;
    size_t length = wide_length(text), at = 0;
    const wchar_t *from = text, *end = text + length;
    *made = malloc(length * 4 + 1);
    if (*made == NULL)
        return fail(ERROR_NOT_ENOUGH_MEMORY);
    while (from != end)
        at += put_utf8(next_wide(&from, end), *made + at);
    (*made)[at] = 0;
    return true;
}

/* Writes text into a buffer, cut and ended by NUL; returns the length without cutting. */
static size_t widen(const char *text, size_t text_length, wchar_t *to, size_t size) {
    struct output output = {to, size, 0};
    put_converted(&output, text, text_length, false);
    if (size > 0)
        to[output.length < size ? output.length : size - 1] = 0;
    return output.length;
}

int MultiByteToWideChar(UINT page, DWORD flags, LPCSTR text, int length, LPWSTR wide, int size) {
    (void)page, (void)flags;
    size_t count = length >= 0 ? (size_t)length : strlen(text) + 1, need = 0;
    const char *at = text, *end = text + count;
    while (at != end) {
        wchar_t units[2];
        for (size_t i = 0, made = put_wide(next_utf8(&at, end), units); i < made; ++i, ++need)
            if (need < (size_t)size)
                wide[need] = units[i];
    }
    return size != 0 && need > (size_t)size ? fail(ERROR_INSUFFICIENT_BUFFER) : (int)need;
}

int WideCharToMultiByte(UINT page, DWORD flags, LPCWSTR wide, int length, LPSTR text, int size, LPCSTR unknown, BOOL *used) {
    (void)page, (void)flags, (void)unknown;
    size_t count = length >= 0 ? (size_t)length : wide_length(wide) + 1, need = 0;
    const wchar_t *at = wide, *end = wide + count;
    while (at != end) {
        char units[4];
        for (size_t i = 0, made = put_utf8(next_wide(&at, end), units); i < made; ++i, ++need)
            if (need < (size_t)size)
                text[need] = units[i];
    }
    if (used != NULL)
        *used = FALSE;
    return size != 0 && need > (size_t)size ? fail(ERROR_INSUFFICIENT_BUFFER) : (int)need;
}

/* ---- functions that take text ------------------------------------------------------------------------------------ */

/* WITH(failure, text, call) is the narrow function's result for the text in UTF-8, which call names utf8. */
#define WITH(type, failure, text, call)  \
    char *utf8;                          \
    if (!narrow((text), &utf8))          \
        return failure;                  \
    type result = call;                  \
    free(utf8);                          \
    return result

HANDLE CreateFileW(LPCWSTR name, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES security, DWORD disposition, DWORD flags, HANDLE model) {
    WITH(HANDLE, INVALID_HANDLE_VALUE, name, CreateFileA(utf8, access, share, security, disposition, flags, model));
}

BOOL DeleteFileW(LPCWSTR name) { WITH(BOOL, FALSE, name, DeleteFileA(utf8)); }

HANDLE CreateNamedPipeW(LPCWSTR name, DWORD open_mode, DWORD pipe_mode, DWORD max_instances, DWORD out_buffer, DWORD in_buffer,
                        DWORD timeout, LPSECURITY_ATTRIBUTES security) {
    WITH(HANDLE, INVALID_HANDLE_VALUE, name,
         CreateNamedPipeA(utf8, open_mode, pipe_mode, max_instances, out_buffer, in_buffer, timeout, security));
}

BOOL WaitNamedPipeW(LPCWSTR name, DWORD timeout) { WITH(BOOL, FALSE, name, WaitNamedPipeA(utf8, timeout)); }

BOOL CallNamedPipeW(LPCWSTR name, LPVOID request, DWORD request_size, LPVOID reply, DWORD reply_size, LPDWORD length, DWORD timeout) {
    WITH(BOOL, FALSE, name, CallNamedPipeA(utf8, request, request_size, reply, reply_size, length, timeout));
}

HANDLE CreateEventW(LPSECURITY_ATTRIBUTES security, BOOL manual_reset, BOOL initial_state, LPCWSTR name) {
    WITH(HANDLE, NULL, name, CreateEventA(security, manual_reset, initial_state, utf8));
}

HANDLE CreateEventExW(LPSECURITY_ATTRIBUTES security, LPCWSTR name, DWORD flags, DWORD access) {
    WITH(HANDLE, NULL, name, CreateEventExA(security, utf8, flags, access));
}

HANDLE CreateMutexW(LPSECURITY_ATTRIBUTES security, BOOL initial_owner, LPCWSTR name) {
    WITH(HANDLE, NULL, name, CreateMutexA(security, initial_owner, utf8));
}

HANDLE CreateSemaphoreW(LPSECURITY_ATTRIBUTES security, LONG initial, LONG maximum, LPCWSTR name) {
    WITH(HANDLE, NULL, name, CreateSemaphoreA(security, initial, maximum, utf8));
}

BOOL ConvertStringSecurityDescriptorToSecurityDescriptorW(LPCWSTR text, DWORD revision, PSECURITY_DESCRIPTOR *descriptor, PULONG size) {
    WITH(BOOL, FALSE, text, ConvertStringSecurityDescriptorToSecurityDescriptorA(utf8, revision, descriptor, size));
}

BOOL SetConsoleTitleW(LPCWSTR title) { WITH(BOOL, FALSE, title, SetConsoleTitleA(utf8)); }

VOID OutputDebugStringW(LPCWSTR text) {
    char *utf8;
    if (narrow(text, &utf8) && utf8 != NULL)
        OutputDebugStringA(utf8);
    free(utf8);
}

BOOL CreateProcessW(LPCWSTR application, LPWSTR command, LPSECURITY_ATTRIBUTES process, LPSECURITY_ATTRIBUTES thread, BOOL inherit, DWORD flags,
                    LPVOID environment, LPCWSTR folder, LPSTARTUPINFOW startup, LPPROCESS_INFORMATION information) {
    char *texts[3] = {NULL, NULL, NULL};
    STARTUPINFOA narrow_startup = {0};
    if (startup != NULL) {
        narrow_startup.cb = sizeof narrow_startup;
        narrow_startup.dwFlags = startup->dwFlags;
        narrow_startup.hStdInput = startup->hStdInput;
        narrow_startup.hStdOutput = startup->hStdOutput;
        narrow_startup.hStdError = startup->hStdError;
    }
    BOOL started = narrow(application, &texts[0]) && narrow(command, &texts[1]) && narrow(folder, &texts[2]) &&
                   CreateProcessA(texts[0], texts[1], process, thread, inherit, flags, environment, texts[2], &narrow_startup, information);
    for (int i = 0; i < 3; ++i)
        free(texts[i]);
    return started;
}

VOID GetStartupInfoW(LPSTARTUPINFOW startup) {
    STARTUPINFOA filled;
    GetStartupInfoA(&filled);
    memset(startup, 0, sizeof *startup);
    startup->cb = sizeof *startup;
    startup->dwFlags = filled.dwFlags;
    startup->hStdInput = filled.hStdInput;
    startup->hStdOutput = filled.hStdOutput;
    startup->hStdError = filled.hStdError;
}

/* ---- functions that give text ------------------------------------------------------------------------------------ */

BOOL GetNamedPipeHandleStateW(HANDLE pipe, LPDWORD state, LPDWORD instances, LPDWORD collection_count, LPDWORD collection_timeout, LPWSTR user,
                              DWORD user_size) {
    char name[256];
    if (!GetNamedPipeHandleStateA(pipe, state, instances, collection_count, collection_timeout, user != NULL ? name : NULL, sizeof name))
        return FALSE;
    return user == NULL || widen(name, strlen(name), user, user_size) < user_size ? TRUE : fail(ERROR_INSUFFICIENT_BUFFER);
}

BOOL GetNamedPipeClientComputerNameW(HANDLE pipe, LPWSTR name, ULONG size) {
    return (void)name, GetNamedPipeClientComputerNameA(pipe, NULL, size);
}

BOOL GetUserNameW(LPWSTR name, LPDWORD size) {
    char user[256];
    own_user(user, sizeof user);
    size_t length = widen(user, strlen(user), name, name != NULL ? *size : 0);
    bool fits = name != NULL && length < *size;
    *size = (DWORD)length + 1;
    return fits ? TRUE : fail(ERROR_INSUFFICIENT_BUFFER);
}

BOOL GetComputerNameW(LPWSTR name, LPDWORD size) {
    char host[256];
    DWORD room = sizeof host;
    if (!GetComputerNameA(host, &room))
        return FALSE;
    size_t length = widen(host, strlen(host), name, name != NULL ? *size : 0);
    bool fits = name != NULL && length < *size;
    *size = (DWORD)length + !fits;
    return fits ? TRUE : fail(111 /* ERROR_BUFFER_OVERFLOW */);
}

DWORD GetEnvironmentVariableW(LPCWSTR name, LPWSTR value, DWORD size) {
    char *utf8;
    if (!narrow(name, &utf8))
        return 0;
    const char *found = getenv(utf8);
    free(utf8);
    if (found == NULL)
        return fail(203 /* ERROR_ENVVAR_NOT_FOUND */), 0;
    DWORD length = (DWORD)widen(found, strlen(found), value, size);
    return length < size ? length : length + 1;
}

DWORD GetModuleFileNameW(HMODULE module, LPWSTR name, DWORD size) {
    char path[4096];
    if (GetModuleFileNameA(module, path, sizeof path) == 0)
        return 0;
    size_t length = widen(path, strlen(path), name, size);
    return length < size ? (DWORD)length : (fail(ERROR_INSUFFICIENT_BUFFER), size);
}

DWORD FormatMessageW(DWORD flags, LPCVOID source, DWORD error, DWORD language, LPWSTR buffer, DWORD size, va_list *arguments) {
    char message[512];
    DWORD length = FormatMessageA(flags & ~FORMAT_MESSAGE_ALLOCATE_BUFFER, source, error, language, message, sizeof message, arguments);
    if (length == 0)
        return 0;
    wchar_t *to = buffer;
    if ((flags & FORMAT_MESSAGE_ALLOCATE_BUFFER) != 0) {
        size = size > length + 1 ? size : length + 1;
        *(wchar_t **)(void *)buffer = to = LocalAlloc(LPTR, size * sizeof *to);
        if (to == NULL)
            return 0;
    } else if (size <= length) {
        return fail(ERROR_INSUFFICIENT_BUFFER), 0;
    }
    return (DWORD)widen(message, length, to, size);
}

/* ---- lstr, wsprintf, strsafe ------------------------------------------------------------------------------------- */

static int compare(const wchar_t *first, const wchar_t *second, size_t most, bool fold) {
    for (size_t i = 0; i < most; ++i) {
        uint32_t a = (uint32_t)first[i], b = (uint32_t)second[i];
        if (fold && a - 'A' < 26)
            a += 'a' - 'A';
        if (fold && b - 'A' < 26)
            b += 'a' - 'A';
        if (a != b)
            return a < b ? -1 : 1;
        if (a == 0)
            break;
    }
    return 0;
}

int lstrlenW(LPCWSTR text) { return text != NULL ? (int)wide_length(text) : 0; }
int lstrcmpW(LPCWSTR first, LPCWSTR second) { return compare(first, second, SIZE_MAX, false); }
int lstrcmpiW(LPCWSTR first, LPCWSTR second) { return compare(first, second, SIZE_MAX, true); }
LPWSTR lstrcpyW(LPWSTR to, LPCWSTR from) { return memcpy(to, from, (wide_length(from) + 1) * sizeof *to); }

LPWSTR lstrcatW(LPWSTR to, LPCWSTR from) {
    lstrcpyW(to + wide_length(to), from);
    return to;
}

LPWSTR lstrcpynW(LPWSTR to, LPCWSTR from, int size) {
    StringCchCopyW(to, size > 0 ? (size_t)size : 0, from);
    return to;
}

int wvsprintfW(LPWSTR to, LPCWSTR format, va_list arguments) {
    size_t length = print(to, 1025, format, arguments);
    return (int)(length < 1024 ? length : 1024);
}

int wsprintfW(LPWSTR to, LPCWSTR format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = wvsprintfW(to, format, arguments);
    va_end(arguments);
    return length;
}

HRESULT StringCchLengthW(LPCWSTR text, size_t size, size_t *length) {
    size_t count = 0;
    while (text != NULL && count < size && text[count] != 0)
        ++count;
    bool ended = text != NULL && count < size && size <= STRSAFE_MAX_CCH;
    if (length != NULL)
        *length = ended ? count : 0;
    return ended ? S_OK : STRSAFE_E_INVALID_PARAMETER;
}

HRESULT StringCchCopyW(LPWSTR to, size_t size, LPCWSTR from) {
    if (size == 0 || size > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    size_t length = wide_length(from), most = length < size ? length : size - 1;
    memcpy(to, from, most * sizeof *to);
    to[most] = 0;
    return length < size ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}

HRESULT StringCchCatW(LPWSTR to, size_t size, LPCWSTR from) {
    size_t length;
    HRESULT result = StringCchLengthW(to, size, &length);
    return result == S_OK ? StringCchCopyW(to + length, size - length, from) : result;
}

HRESULT StringCchVPrintfW(LPWSTR to, size_t size, LPCWSTR format, va_list arguments) {
    if (size == 0 || size > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    return print(to, size, format, arguments) < size ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}

HRESULT StringCchPrintfW(LPWSTR to, size_t size, LPCWSTR format, ...) {
    va_list arguments;
    va_start(arguments, format);
    HRESULT result = StringCchVPrintfW(to, size, format, arguments);
    va_end(arguments);
    return result;
}

HRESULT StringCbCopyW(LPWSTR to, size_t size, LPCWSTR from) { return StringCchCopyW(to, size / sizeof *to, from); }
HRESULT StringCbCatW(LPWSTR to, size_t size, LPCWSTR from) { return StringCchCatW(to, size / sizeof *to, from); }

HRESULT StringCbLengthW(LPCWSTR text, size_t size, size_t *length) {
    HRESULT result = StringCchLengthW(text, size / sizeof *text, length);
    if (length != NULL)
        *length *= sizeof *text;
    return result;
}

HRESULT StringCbPrintfW(LPWSTR to, size_t size, LPCWSTR format, ...) {
    va_list arguments;
    va_start(arguments, format);
    HRESULT result = StringCchVPrintfW(to, size / sizeof *to, format, arguments);
    va_end(arguments);
    return result;
}

/* ---- the C library's names --------------------------------------------------------------------------------------- */

int anypipe_wcsicmp(const wchar_t *first, const wchar_t *second) { return compare(first, second, SIZE_MAX, true); }

/* ---- the C library's functions with sizes, and of searching ------------------------------------------------------ */

errno_t wcscpy_s(wchar_t *to, size_t size, const wchar_t *from) {
    if (StringCchCopyW(to, size, from) != S_OK)
        too_small("wcscpy_s");
    return 0;
}

errno_t wcscat_s(wchar_t *to, size_t size, const wchar_t *from) {
    if (StringCchCatW(to, size, from) != S_OK)
        too_small("wcscat_s");
    return 0;
}

int swprintf_s(wchar_t *to, size_t size, const wchar_t *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t length = print(to, size, format, arguments);
    va_end(arguments);
    if (length >= size)
        too_small("swprintf_s");
    return (int)length;
}

wchar_t *anypipe_wcsncpy(wchar_t *to, const wchar_t *from, size_t count) {
    for (size_t i = 0; i < count; ++i)
        to[i] = *from != 0 ? *from++ : 0;
    return to;
}

wchar_t *anypipe_wcschr(const wchar_t *text, wchar_t c) {
    while (*text != c && *text != 0)
        ++text;
    return *text == c ? (wchar_t *)(uintptr_t)text : NULL;
}

wchar_t *anypipe_wcsrchr(const wchar_t *text, wchar_t c) {
    for (size_t at = wide_length(text) + 1; at-- > 0;)
        if (text[at] == c)
            return (wchar_t *)(uintptr_t)(text + at);
    return NULL;
}

wchar_t *anypipe_wcsstr(const wchar_t *text, const wchar_t *part) {
    size_t length = wide_length(part), left = wide_length(text);
    for (; left >= length; ++text, --left)
        if (memcmp(text, part, length * sizeof *part) == 0)
            return (wchar_t *)(uintptr_t)text;
    return NULL;
}

int MessageBoxW(HWND owner, LPCWSTR text, LPCWSTR title, UINT type) {
    char *narrow_text, *narrow_title = NULL;
    bool made = narrow(text, &narrow_text) && narrow(title, &narrow_title);
    int button = made ? MessageBoxA(owner, narrow_text, narrow_title, type) : 0;
    free(narrow_text);
    free(narrow_title);
    return button;
}

int anypipe_wtoi(const wchar_t *text) {
    char *utf8;
    int number = narrow(text, &utf8) && utf8 != NULL ? atoi(utf8) : 0;
    free(utf8);
    return number;
}

wchar_t *anypipe_fgetws(wchar_t *to, int size, FILE *stream) {
    char line[4096];
    if (size < 1 || fgets(line, size < (int)sizeof line ? size : (int)sizeof line, stream) == NULL)
        return NULL;
    widen(line, strlen(line), to, (size_t)size);
    return to;
}

static int print_to(FILE *stream, const wchar_t *format, va_list arguments) {
    size_t length = print(NULL, 0, format, arguments);
    wchar_t *wide = malloc((length + 1) * sizeof *wide);
    char *utf8 = NULL;
    if (wide == NULL)
        return -1;
    print(wide, length + 1, format, arguments);
    int result = narrow(wide, &utf8) && fputs(utf8, stream) >= 0 ? (int)length : -1;
    free(utf8);
    free(wide);
    return result;
}

int anypipe_wprintf(const wchar_t *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = print_to(stdout, format, arguments);
    va_end(arguments);
    return length;
}

int anypipe_fwprintf(FILE *stream, const wchar_t *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = print_to(stream, format, arguments);
    va_end(arguments);
    return length;
}

int anypipe_swprintf(wchar_t *to, size_t size, const wchar_t *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t length = print(to, size, format, arguments);
    va_end(arguments);
    return length < size ? (int)length : -1;
}

#if __SIZEOF_WCHAR_T__ == 2
size_t wcslen(const wchar_t *text) { return wide_length(text); }
wchar_t *wcscpy(wchar_t *to, const wchar_t *from) { return lstrcpyW(to, from); }
wchar_t *wcscat(wchar_t *to, const wchar_t *from) { return lstrcatW(to, from); }
int wcscmp(const wchar_t *first, const wchar_t *second) { return compare(first, second, SIZE_MAX, false); }
int wcsncmp(const wchar_t *first, const wchar_t *second, size_t count) { return compare(first, second, count, false); }
#endif

/* ---- the arguments of wmain --------------------------------------------------------------------------------------- */

/* For main.c; the texts live as long as the process. */
wchar_t **anypipe_arguments(int argc, char **argv) ANYPIPE_W32_WIDE(arguments);

wchar_t **anypipe_arguments(int argc, char **argv) {
    wchar_t **wide = calloc((size_t)argc + 1, sizeof *wide);
    for (int i = 0; wide != NULL && i < argc; ++i) {
        size_t size = strlen(argv[i]) + 1;
        if ((wide[i] = malloc(size * sizeof **wide)) == NULL)
            return NULL;
        widen(argv[i], size - 1, wide[i], size);
    }
    return wide;
}
