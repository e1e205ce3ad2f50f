/* stacks.c: a handler like that of .NET's collector, without SA_ONSTACK and with the context, which was there before the library: it
 * runs on the stack that it interrupts, unless that is Go's. It loads the library itself, as .NET does. */
#define _GNU_SOURCE
#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <ucontext.h>

enum { COLLECT = 34, ENOUGH = 100 }; /* SIGRTMIN, which is no constant */

static struct { uintptr_t start; size_t size; } own, alternate; /* stacks of the calling thread; written before the first signal */
static atomic_int on_own, in_go, elsewhere, ended, ready, rounds;

static int within(uintptr_t start, size_t size, uintptr_t address) { return address - start < size; }

static void collect(int number, siginfo_t *info, void *context) {
    ucontext_t *interrupted = context;
#ifdef __x86_64__
    uintptr_t pointer = interrupted->uc_mcontext.gregs[REG_RSP];
#else
    uintptr_t pointer = interrupted->uc_mcontext.sp;
#endif
    volatile char here[4000] = {0}; /* such a handler needs some stack */
    uintptr_t mine = (uintptr_t)here;
    if (number != COLLECT || info->si_signo != COLLECT) elsewhere++;
    else if (within(own.start, own.size, pointer)) within(own.start, own.size, mine) && mine < pointer ? on_own++ : elsewhere++;
    else within(alternate.start, alternate.size, mine) ? in_go++ : elsewhere++;
    errno = EBADF;
}

static int (*make)(size_t, anypipe_handle *, anypipe_handle *);
static int (*put)(anypipe_handle, const void *, size_t, size_t *, int64_t);
static int (*get)(anypipe_handle, void *, size_t, size_t *, int64_t);
static int (*end)(anypipe_handle);

static void load(void) {
    void *library = dlopen("libanypipe.so.1", RTLD_NOW);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    *(void **)&make = dlsym(library, "anypipe_pair");
    *(void **)&put = dlsym(library, "anypipe_write");
    *(void **)&get = dlsym(library, "anypipe_read");
    *(void **)&end = dlsym(library, "anypipe_close");
}

/* Now and then in the program's code, now and then in Go's. */
static void *calls(void *unused) {
    pthread_attr_t attributes;
    void *start;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &start, &own.size);
    pthread_attr_destroy(&attributes);
    own.start = (uintptr_t)start;
    alternate.size = 1 << 17;
    alternate.start = (uintptr_t)malloc(alternate.size);
    CHECK(sigaltstack(&(stack_t){.ss_sp = (void *)alternate.start, .ss_size = alternate.size}, NULL) == 0);
    anypipe_handle r, w;
    CHECK(make(0, &r, &w) == 0);
    ready = 1;
    while (on_own < ENOUGH || in_go < ENOUGH) {
        unsigned char byte[2] = {0};
        size_t n;
        CHECK(put(w, "xy", 2, &n, -1) == 0 && n == 2 && get(r, byte, 2, &n, 0) == 0 && n == 2 && byte[1] == 'y');
        volatile double sum = 0; /* registers of floating point, too, are what they were */
        double want = 0;
        for (int i = 0; i < 2000; i++) sum = sum + i * 0.5, want += i * 0.5;
        CHECK(sum == want);
        rounds++;
    }
    ended = 1;
    CHECK(end(r) == 0 && end(w) == 0);
    return unused;
}

int main(void) {
    pthread_t thread;
    struct sigaction action = {.sa_sigaction = collect, .sa_flags = SA_SIGINFO | SA_RESTART}, now;
    sigaction(COLLECT, &action, NULL);
    load();
    CHECK(sigaction(COLLECT, NULL, &now) == 0 && now.sa_flags & SA_ONSTACK && now.sa_flags & SA_RESTART); /* or it would hit Go's stacks */
    pthread_create(&thread, NULL, calls, NULL);
    while (!ready) sched_yield();
    for (int i = 0; !ended && failures == 0 && elsewhere == 0; i++) { /* a thread that has ended is still there to be joined */
        int before = rounds;
        while (rounds == before && !ended) sched_yield(); /* it gets on */
        for (volatile int pause = i * 37 % 20000; pause > 0; pause = pause - 1) continue; /* to meet it anywhere */
        pthread_kill(thread, COLLECT);
    }
    CHECK(elsewhere == 0);
    if (failures == 0) pthread_join(thread, NULL);
    else fprintf(stderr, "%d on the thread's own stack, %d in Go, %d elsewhere\n", on_own, in_go, elsewhere);
    return failures != 0;
}
