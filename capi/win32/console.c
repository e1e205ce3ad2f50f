/* console.c: Ctrl+C and its like, which are signals here, and message boxes, which are lines on standard error. */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { MOST_HANDLERS = 32 };
static PHANDLER_ROUTINE handlers[MOST_HANDLERS]; /* guarded by the world's lock; the last is asked first */
static int handler_count;                        /* guarded by the world's lock */
static int arrivals[2];                          /* a pipe of signal numbers; set once, before the first signal is taken */
static pthread_once_t watch_once = PTHREAD_ONCE_INIT;
static bool watching; /* set by watch */

static void arrived(int number) {
    int before = errno;
    char byte = (char)number;
    if (write(arrivals[1], &byte, 1) < 0) {
        /* as many signals wait as the pipe holds */
    }
    errno = before;
}

static bool handled(DWORD event) {
    PHANDLER_ROUTINE all[MOST_HANDLERS];
    lock_world();
    int count = handler_count;
    memcpy(all, handlers, sizeof all);
    unlock_world();
    while (count-- > 0)
        if (all[count](event))
            return true;
    return false;
}

/* The thread that calls the handlers: as on Windows not one of the program's own. It lives as long as the process. */
static void *deliver(void *unused) {
    for (char number; read(arrivals[0], &number, 1) == 1 || errno == EINTR;) {
        DWORD event = number == SIGINT ? CTRL_C_EVENT : number == SIGQUIT ? CTRL_BREAK_EVENT : CTRL_CLOSE_EVENT;
        if (handled(event) && event != CTRL_CLOSE_EVENT) /* a close can be heard, not refused */
            continue;
        signal(number, SIG_DFL);
        kill(getpid(), number);
    }
    return unused;
}

static void watch(void) {
    static const int numbers[] = {SIGINT, SIGQUIT, SIGTERM};
    pthread_t thread;
    if (pipe(arrivals) != 0)
        return;
    for (int i = 0; i < 2; ++i)
        fcntl(arrivals[i], F_SETFD, FD_CLOEXEC);
    fcntl(arrivals[1], F_SETFL, O_NONBLOCK);
    if (pthread_create(&thread, NULL, deliver, NULL) != 0)
        return;
    pthread_detach(thread);
    struct sigaction action = {.sa_handler = arrived, .sa_flags = SA_RESTART | SA_ONSTACK};
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; ++i)
        sigaction(numbers[i], &action, NULL);
    watching = true;
}

static BOOL remove_handler(PHANDLER_ROUTINE routine) {
    lock_world();
    int at = handler_count - 1;
    while (at >= 0 && handlers[at] != routine)
        --at;
    if (at >= 0)
        memmove(&handlers[at], &handlers[at + 1], (size_t)(--handler_count - at) * sizeof *handlers);
    unlock_world();
    return at >= 0 ? TRUE : fail(ERROR_INVALID_PARAMETER);
}

static BOOL ignore_interrupt(DWORD event) { return event == CTRL_C_EVENT; }

/* Without a routine it is Ctrl+C itself that is ignored or not. */
BOOL SetConsoleCtrlHandler(PHANDLER_ROUTINE routine, BOOL add) {
    if (routine == NULL)
        routine = ignore_interrupt;
    if (!add)
        return routine == ignore_interrupt ? (remove_handler(routine), TRUE) : remove_handler(routine);
    pthread_once(&watch_once, watch);
    if (!watching)
        return fail(ERROR_NO_SYSTEM_RESOURCES);
    lock_world();
    bool room = handler_count < MOST_HANDLERS;
    if (room)
        handlers[handler_count++] = routine;
    unlock_world();
    return room ? TRUE : fail(ERROR_NOT_ENOUGH_MEMORY);
}

/* There is nobody to press a button, so only a box with nothing but OK can be shown. */
int MessageBoxA(HWND owner, LPCSTR text, LPCSTR title, UINT type) {
    if (owner != NULL || (type & MB_TYPEMASK) != MB_OK)
        return fail(ERROR_NOT_SUPPORTED);
    fprintf(stderr, "%s: %s\n", title != NULL ? title : "Error", text != NULL ? text : "");
    return IDOK;
}
