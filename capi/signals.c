/* signals.c: leaves the handler by which .NET stops its threads on the stack that it needs.
 *
 * Go's code runs on stacks of a few KB, so Go wants handlers to run on the alternate stack of the thread, and adds SA_ONSTACK to those
 * that it finds. A collector's handler, as .NET's, waits until the collection is over, and the collector walks the stack that it
 * waits on: that must be the one that the program's code was interrupted on, and an alternate stack is too small for it. Without
 * SA_ONSTACK again, a signal that finds its thread in Go's code would overwrite whatever lies below Go's stack.
 *
 * So the library takes the handler over before Go sees it. Its own runs on the alternate stack and calls the program's there if
 * Go's code was interrupted, where a collector has nothing to wait for; else on the interrupted stack, below what is in use. */
#define _GNU_SOURCE
#include "thread.h"

#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

enum {
    RED_ZONE = 128, /* what a function may use below its stack pointer; arm64 has none, and none is harmed */
    ROOM = 1 << 16  /* glibc wants to know a size; the stack really goes on to its end */
};

static struct sigaction theirs; /* written before our handler is installed, and not any more */
static int taken;               /* whether it was; written while the library is loaded */

/* A handler must not allocate, as other kinds of thread-locals may in a library that was loaded later. */
#define IN_HANDLER static _Thread_local __attribute__((tls_model("initial-exec")))

IN_HANDLER volatile uintptr_t low, high; /* the thread's own stack; 0 in a thread that never was in Go's code */

static uintptr_t stack_pointer(const ucontext_t *context) {
#ifdef __x86_64__
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#else
    return (uintptr_t)context->uc_mcontext.sp;
#endif
}

static int on_alternate(const ucontext_t *context, uintptr_t address) {
    return address - (uintptr_t)context->uc_stack.ss_sp < context->uc_stack.ss_size; /* the size is 0 if there is none */
}

/* A signal that is handled on the stack that it interrupted. It lies there, too: alternate stacks may have 8 KB. */
struct moved {
    int number;
    siginfo_t *info;
    ucontext_t *interrupted;
    ucontext_t here, there;
};

/* A pointer has to come as two ints. */
static void on_interrupted(unsigned upper, unsigned lower) {
    struct moved *m = (struct moved *)((uintptr_t)upper << 32 | lower);
    theirs.sa_sigaction(m->number, m->info, m->interrupted);
}

static void move(int number, siginfo_t *info, ucontext_t *interrupted) {
    uintptr_t place = (stack_pointer(interrupted) - RED_ZONE - sizeof(struct moved)) & ~(uintptr_t)63;
    struct moved *m = (struct moved *)place;
    int error = errno;
    m->number = number, m->info = info, m->interrupted = interrupted;
    getcontext(&m->there);
    m->there.uc_stack.ss_sp = (void *)(place - ROOM);
    m->there.uc_stack.ss_size = ROOM;
    m->there.uc_link = &m->here;
    makecontext(&m->there, (void (*)(void))on_interrupted, 2, (unsigned)(place >> 32), (unsigned)place);
    swapcontext(&m->here, &m->there);
    errno = error;
}

/* Asynchronous signals are blocked all the while: on the alternate stack they would overwrite what we return to. */
static void handle(int number, siginfo_t *info, void *context) {
    uintptr_t pointer = stack_pointer(context);
    int alternate = on_alternate(context, (uintptr_t)&pointer) && !on_alternate(context, pointer);
    int in_go = high != 0 && (pointer < low || pointer >= high);
    if (alternate && !in_go) move(number, info, context);
    else theirs.sa_sigaction(number, info, context);
}

/* .NET's signal is SIGRTMIN. Those behind it are mono's, which lives with Go's way and also sends them to threads in Go's code. */
void libanypipe_take_handler(void) {
    struct sigaction ours = {.sa_sigaction = handle};
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    sigfillset(&ours.sa_mask);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&ours.sa_mask, faults[i]);
    if (sigaction(SIGRTMIN, NULL, &theirs) != 0 || !(theirs.sa_flags & SA_SIGINFO) || theirs.sa_flags & (SA_ONSTACK | SA_RESETHAND)) return;
    ours.sa_flags = theirs.sa_flags | SA_ONSTACK;
    taken = sigaction(SIGRTMIN, &ours, NULL) == 0;
}

void libanypipe_note_stack(void) {
    pthread_attr_t attributes;
    void *start;
    size_t size;
    if (!taken || high != 0 || pthread_getattr_np(pthread_self(), &attributes) != 0) return;
    if (pthread_attr_getstack(&attributes, &start, &size) == 0) {
        low = (uintptr_t)start;
        high = low + size; /* last, as it tells a handler that both are there */
    }
    pthread_attr_destroy(&attributes);
}

#else

void libanypipe_take_handler(void) {}
void libanypipe_note_stack(void) {}

#endif
