/* system.c: memory, time, identity, the console. */
#include "world.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* ---- memory: one heap, the C library's --------------------------------------------------------------------------- */

/* The size lies before the memory, for HeapSize and for the zeroes that HeapReAlloc adds. */
union header {
    size_t size;
    max_align_t align;
};

LPVOID HeapAlloc(HANDLE heap, DWORD flags, SIZE_T size) {
    (void)heap;
    if (size > SIZE_MAX - sizeof(union header))
        return NULL;
    union header *header = (flags & HEAP_ZERO_MEMORY) != 0 ? calloc(1, sizeof *header + size) : malloc(sizeof *header + size);
    if (header == NULL)
        return NULL;
    header->size = size;
    return header + 1;
}

LPVOID HeapReAlloc(HANDLE heap, DWORD flags, LPVOID memory, SIZE_T size) {
    (void)heap;
    if (memory == NULL || size > SIZE_MAX - sizeof(union header))
        return NULL;
    union header *header = (union header *)memory - 1;
    size_t before = header->size;
    header = realloc(header, sizeof *header + size);
    if (header == NULL)
        return NULL;
    header->size = size;
    if ((flags & HEAP_ZERO_MEMORY) != 0 && size > before)
        memset((char *)(header + 1) + before, 0, size - before);
    return header + 1;
}

BOOL HeapFree(HANDLE heap, DWORD flags, LPVOID memory) {
    (void)heap, (void)flags;
    if (memory != NULL)
        free((union header *)memory - 1);
    return TRUE;
}

SIZE_T HeapSize(HANDLE heap, DWORD flags, LPCVOID memory) {
    (void)heap, (void)flags;
    return memory != NULL ? ((const union header *)memory - 1)->size : (SIZE_T)-1;
}

static char the_heap; /* its address is the handle of every heap */

HANDLE GetProcessHeap(VOID) { return &the_heap; }
HANDLE HeapCreate(DWORD flags, SIZE_T initial, SIZE_T maximum) { return (void)flags, (void)initial, (void)maximum, &the_heap; }
BOOL HeapDestroy(HANDLE heap) { return (void)heap, TRUE; }

HLOCAL LocalAlloc(UINT flags, SIZE_T size) {
    void *memory = HeapAlloc(NULL, (flags & LMEM_ZEROINIT) != 0 ? HEAP_ZERO_MEMORY : 0, size);
    if (memory == NULL)
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return memory;
}

HLOCAL LocalFree(HLOCAL memory) {
    HeapFree(NULL, 0, memory);
    return NULL;
}

SIZE_T LocalSize(HLOCAL memory) { return memory != NULL ? HeapSize(NULL, 0, memory) : 0; }

HGLOBAL GlobalAlloc(UINT flags, SIZE_T size) { return LocalAlloc(flags, size); }
HGLOBAL GlobalFree(HGLOBAL memory) { return LocalFree(memory); }

/* ---- time -------------------------------------------------------------------------------------------------------- */

ULONGLONG GetTickCount64(VOID) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (ULONGLONG)now.tv_sec * 1000 + (ULONGLONG)now.tv_nsec / 1000000;
}

DWORD GetTickCount(VOID) { return (DWORD)GetTickCount64(); }

BOOL QueryPerformanceCounter(LARGE_INTEGER *count) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    count->QuadPart = (LONGLONG)now.tv_sec * 1000000000 + now.tv_nsec;
    return TRUE;
}

BOOL QueryPerformanceFrequency(LARGE_INTEGER *frequency) {
    frequency->QuadPart = 1000000000;
    return TRUE;
}

VOID GetSystemTimeAsFileTime(LPFILETIME time) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    /* 100 ns since 1601, which lies 11,644,473,600 s before 1970. */
    ULONGLONG ticks = ((ULONGLONG)now.tv_sec + 11644473600u) * 10000000 + (ULONGLONG)now.tv_nsec / 100;
    time->dwLowDateTime = (DWORD)ticks;
    time->dwHighDateTime = (DWORD)(ticks >> 32);
}

static void now_as(struct tm *(*convert)(const time_t *, struct tm *), LPSYSTEMTIME time) {
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    convert(&now.tv_sec, &parts);
    *time = (SYSTEMTIME){(WORD)(parts.tm_year + 1900), (WORD)(parts.tm_mon + 1), (WORD)parts.tm_wday, (WORD)parts.tm_mday,
                         (WORD)parts.tm_hour, (WORD)parts.tm_min, (WORD)parts.tm_sec, (WORD)(now.tv_nsec / 1000000)};
}

VOID GetLocalTime(LPSYSTEMTIME time) { now_as(localtime_r, time); }
VOID GetSystemTime(LPSYSTEMTIME time) { now_as(gmtime_r, time); }

/* ---- identity ---------------------------------------------------------------------------------------------------- */

/* The user of this thread, who is another while it impersonates. */
DWORD own_user(char *name, size_t size) {
    struct passwd entry, *found = NULL;
    char room[4096];
    if (getpwuid_r(geteuid(), &entry, room, sizeof room, &found) != 0 || found == NULL)
        snprintf(name, size, "%u", (unsigned)geteuid());
    else
        snprintf(name, size, "%s", entry.pw_name);
    return ERROR_SUCCESS;
}

/* Gives text as GetUserName and its kin do: the size counts the NUL. */
static BOOL give(const char *text, LPSTR to, LPDWORD size, DWORD too_small) {
    DWORD need = (DWORD)strlen(text) + 1;
    BOOL fits = to != NULL && *size >= need;
    if (fits)
        memcpy(to, text, need);
    *size = need;
    return fits ? TRUE : fail(too_small);
}

BOOL GetUserNameA(LPSTR name, LPDWORD size) {
    char user[256];
    own_user(user, sizeof user);
    return give(user, name, size, ERROR_INSUFFICIENT_BUFFER);
}

BOOL GetComputerNameA(LPSTR name, LPDWORD size) {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    host[strcspn(host, ".")] = 0;
    BOOL given = give(host, name, size, 111 /* ERROR_BUFFER_OVERFLOW */);
    if (given)
        --*size; /* here the size given back does not count the NUL */
    return given;
}

DWORD GetEnvironmentVariableA(LPCSTR name, LPSTR value, DWORD size) {
    const char *found = getenv(name);
    if (found == NULL)
        return fail(203 /* ERROR_ENVVAR_NOT_FOUND */), 0;
    DWORD length = (DWORD)strlen(found);
    if (length >= size)
        return length + 1;
    memcpy(value, found, length + 1);
    return length;
}

DWORD GetModuleFileNameA(HMODULE module, LPSTR name, DWORD size) {
    (void)module;
    ssize_t length = size > 0 ? readlink("/proc/self/exe", name, size) : -1;
    if (length < 0)
        return fail(ERROR_NOT_SUPPORTED), 0;
    if ((DWORD)length == size)
        return name[size - 1] = 0, fail(ERROR_INSUFFICIENT_BUFFER), size;
    name[length] = 0;
    return (DWORD)length;
}

/* ---- the console ------------------------------------------------------------------------------------------------- */

VOID OutputDebugStringA(LPCSTR text) { fputs(text, stderr); }

BOOL SetConsoleTitleA(LPCSTR title) {
    if (isatty(STDOUT_FILENO))
        printf("\033]0;%s\007", title), fflush(stdout);
    return TRUE;
}

/* Text is UTF-8 always. */
BOOL SetConsoleOutputCP(UINT page) { return page == CP_UTF8 ? TRUE : fail(ERROR_INVALID_PARAMETER); }
BOOL SetConsoleCP(UINT page) { return SetConsoleOutputCP(page); }

/* Reads a key with the terminal set so that it comes at once; without a terminal it is the next byte of standard input. */
static int read_key(bool echo) {
    struct termios before, raw;
    bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        raw = before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | (echo ? 0 : ECHO));
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    fflush(stdout);
    unsigned char key;
    ssize_t got;
    do
        got = read(STDIN_FILENO, &key, 1);
    while (got < 0 && errno == EINTR);
    if (terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return got == 1 ? (key == '\n' ? '\r' : key) : EOF;
}

int _getch(void) { return read_key(false); }
int _getche(void) { return read_key(true); }

int _kbhit(void) {
    struct pollfd fd = {STDIN_FILENO, POLLIN, 0};
    return poll(&fd, 1, 0) > 0;
}
