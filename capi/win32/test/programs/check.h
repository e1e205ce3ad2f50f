/* check.h: expectations of a program that runs on Windows, in Wine and, recompiled, on Unix.
 *
 * An expectation that is not met prints a line and counts. Where Wine is known to differ from Windows, wine_differs prints that, and the
 * expectation is left out there. */
#ifndef CHECK_H
#define CHECK_H

#include <windows.h>
#include <stdio.h>

static int check_failures;

#define EXPECT(name, seen, expected)                                                                                     \
    do {                                                                                                                 \
        long long seen_ = (long long)(seen), expected_ = (long long)(expected);                                          \
        if (seen_ != expected_)                                                                                          \
            ++check_failures, printf("FAIL %s:%d %s: %lld, expected %lld\n", __FILE__, __LINE__, name, seen_, expected_); \
    } while (0)

/* A call that fails with an error. The last error is set to something else before. */
#define EXPECT_ERROR(call, error)                                  \
    do {                                                           \
        SetLastError(0xdead);                                      \
        EXPECT(#call, !!(call), 0);                                \
        EXPECT("last error of " #call, GetLastError(), (error)); \
    } while (0)

#define EXPECT_TRUE(call)                                                                                         \
    do {                                                                                                          \
        SetLastError(0xdead);                                                                                     \
        if (!(call))                                                                                              \
            ++check_failures, printf("FAIL %s:%d %s: error %d\n", __FILE__, __LINE__, #call, (int)GetLastError()); \
    } while (0)

#define EXPECT_SIGNALLED(handle) EXPECT("signalled " #handle, WaitForSingleObject((handle), 0), WAIT_OBJECT_0)
#define EXPECT_QUIET(handle) EXPECT("signalled " #handle, WaitForSingleObject((handle), 0), WAIT_TIMEOUT)

/* Whether this is Wine, where Windows is not what is seen; what says how. */
static inline BOOL wine_differs(const char *what) {
#ifdef _WIN32
    BOOL wine = GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL;
    if (wine)
        printf("  not in Wine: %s\n", what);
    return wine;
#else
    (void)what;
    return FALSE;
#endif
}

#endif
