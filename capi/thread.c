/* thread.c: what the library knows of the calling thread and of a forked child. */
#include "thread.h"

#include <stdatomic.h>
#include <string.h>

#ifndef _WIN32
#include <pthread.h>
#include <signal.h>
#endif

#ifdef _WIN32
#define PER_THREAD __thread
#else
#define PER_THREAD _Thread_local
#endif

/* The last failure of the thread. text is more than the number's own text, if length is not 0. */
static PER_THREAD struct {
    int error;
    int fresh; /* text was kept for the call that is about to return */
    size_t length;
    char text[1024];
} last;

static PER_THREAD anypipe_handle inside; /* the end whose callback this thread runs */

static atomic_int forked;

#ifndef _WIN32
static void in_child(void) { atomic_store_explicit(&forked, 1, memory_order_relaxed); }

/* Go's threads inherit the signal mask that the loading thread has when Go's own constructor runs. Blocking these around that keeps
 * what is sent to the process from a thread of ours, where a program that waits by sigwait would miss it and a handler would run on a
 * stack of Go's. Others stay as they are: those that tell of a fault of the thread itself, and those by which collectors of other
 * languages (mono, Boehm) stop the threads that have called them. */
static const int to_the_process[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,   SIGALRM,  SIGPIPE,
                                     SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGIO,   SIGWINCH, SIGVTALRM};

static sigset_t before_go;

__attribute__((constructor(101))) static void prepare_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof to_the_process / sizeof *to_the_process; i++) sigaddset(&set, to_the_process[i]);
    pthread_sigmask(SIG_BLOCK, &set, &before_go);
    libanypipe_take_handler();
}

/* Runs behind Go's constructor, as Go's object is linked first; build sees to that in the archive too. */
__attribute__((constructor)) static void restore_signals(void) {
    pthread_sigmask(SIG_SETMASK, &before_go, NULL);
    pthread_atfork(NULL, NULL, in_child);
}
#endif

int libanypipe_may_enter(void) {
    libanypipe_note_stack();
    return !atomic_load_explicit(&forked, memory_order_relaxed);
}

anypipe_handle libanypipe_inside(void) { return inside; }

void libanypipe_keep_detail(const char *text, size_t length) {
    if (length > sizeof last.text) length = sizeof last.text;
    memcpy(last.text, text, length);
    last.length = length;
    last.fresh = 1;
}

int libanypipe_failed(int error) {
    if (!last.fresh) last.length = 0;
    last.fresh = 0;
    last.error = error;
    return error;
}

int libanypipe_refused(int error, const char *why) {
    libanypipe_keep_detail(why, strlen(why));
    return libanypipe_failed(error);
}

size_t anypipe_last_detail(char *buffer, size_t size) {
    const char *text = last.text;
    size_t length = last.length;
    if (length == 0 && last.error != ANYPIPE_OK) {
        text = anypipe_error_text(last.error);
        length = strlen(text);
    }
    if (buffer != NULL && size > 0) {
        size_t copied = length < size ? length : size - 1;
        memcpy(buffer, text, copied);
        buffer[copied] = 0;
    }
    return length;
}

/* The thread may run a callback within a callback: a done that lists pipes. */
void libanypipe_call_done(anypipe_done done, uintptr_t context, int error, size_t length, anypipe_handle end) {
    anypipe_handle outer = inside;
    inside = end;
    libanypipe_note_stack();
    done((void *)context, error, length);
    inside = outer;
}

void libanypipe_call_message(anypipe_message on_message, uintptr_t context, const void *data, size_t length, int error, anypipe_handle end) {
    anypipe_handle outer = inside;
    inside = end;
    libanypipe_note_stack();
    on_message((void *)context, data, length, error);
    inside = outer;
}

int libanypipe_call_action(libanypipe_action action, uintptr_t context) {
    libanypipe_note_stack();
    return action((void *)context);
}

int libanypipe_call_visit(libanypipe_visit visit, uintptr_t context, anypipe_listed *pipe) {
    libanypipe_note_stack();
    return visit((void *)context, pipe);
}
