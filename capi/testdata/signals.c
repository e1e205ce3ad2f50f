/* signals.c: loading and using the library leaves the program's signals as they were. It is linked with it, or, with -DLATER, loads it
 * after the program has its own handlers. */
#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Handlers without SA_ONSTACK and all: what plain programs install. */
static atomic_int caught[65];
static sigjmp_buf jump;

static void on_signal(int number) { caught[number]++; }
static void on_fault(int number) {
    caught[number]++;
    siglongjmp(jump, 1);
}

/* With LATER the functions are looked up in what dlopen has loaded. */
static void (*use)(void);
static void use_library(void) {
    anypipe_handle r, w;
    char byte[1];
    size_t n;
#ifdef LATER
    static int (*pair)(size_t, anypipe_handle *, anypipe_handle *);
    static int (*put)(anypipe_handle, const void *, size_t, size_t *, int64_t);
    static int (*get)(anypipe_handle, void *, size_t, size_t *, int64_t);
    static int (*end)(anypipe_handle);
    if (pair == NULL) {
        void *library = dlopen("libanypipe.so.1", RTLD_NOW);
        if (library == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            exit(1);
        }
        *(void **)&pair = dlsym(library, "anypipe_pair");
        *(void **)&put = dlsym(library, "anypipe_write");
        *(void **)&get = dlsym(library, "anypipe_read");
        *(void **)&end = dlsym(library, "anypipe_close");
    }
#else
#define pair anypipe_pair
#define put anypipe_write
#define get anypipe_read
#define end anypipe_close
#endif
    CHECK(pair(0, &r, &w) == 0 && put(w, "x", 1, &n, -1) == 0 && get(r, byte, 1, &n, -1) == 0);
    CHECK(end(r) == 0 && end(w) == 0);
}

static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGCHLD, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCONT, SIGURG};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static void install(void) {
    for (int i = 0; i < NUMBERS; i++) signal(numbers[i], on_signal);
    signal(SIGSEGV, on_fault);
    signal(SIGFPE, on_fault);
    signal(SIGBUS, on_fault);
}

/* A handler of SIGURG that was there before Go's is not called any more: docs/c.md says so. */
static int loaded_later;

static void *raise_all(void *unused) {
    for (int i = 0; i < NUMBERS; i++) {
        if (loaded_later && numbers[i] == SIGURG) continue;
        int before = caught[numbers[i]];
        raise(numbers[i]);
        if (caught[numbers[i]] != before + 1) fprintf(stderr, "signal %d came %d times\n", numbers[i], caught[numbers[i]] - before), failures++;
    }
    return unused;
}

/* Our own faults, in threads that have and have not called the library. */
static void fault(void) {
    int before = caught[SIGSEGV];
    if (sigsetjmp(jump, 1) == 0) *(volatile int *)8 = 1;
    CHECK(caught[SIGSEGV] == before + 1);
    use();
}

static void all_handlers(void) {
    pthread_t thread;
    int before;
    raise_all(NULL);
    fault();
    pthread_create(&thread, NULL, raise_all, NULL);
    pthread_join(thread, NULL);
    before = caught[SIGTERM];
    for (int i = 0; i < 1000; i++) {
        kill(getpid(), SIGTERM); /* whichever thread takes it; the main one, as it does not block it */
        use();
    }
    CHECK(caught[SIGTERM] > before);
    before = caught[SIGCHLD];
    pid_t child = fork();
    if (child == 0) _exit(7);
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7 && caught[SIGCHLD] > before);
}

/* Runs work in a child that is a new program, told by an argument, and returns how it ended. */
static int status_of(const char *self, const char *work) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        execl(self, self, work, (char *)NULL);
        _exit(127);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

/* A program that leaves the signals alone is ended by them as ever. */
static int untouched(int number) {
    use();
    if (number == SIGPIPE) {
        int ends[2];
        CHECK(pipe(ends) == 0);
        close(ends[0]);
        if (write(ends[1], "x", 1) < 0) return 3; /* got EPIPE, not the signal */
    }
    kill(getpid(), number);
    return 4;
}

/* A program that blocks signals after the library was loaded, and takes them with sigwait: no thread of ours may take them away. */
static int waits(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 200; i++) {
        int number = 0;
        use();
        kill(getpid(), SIGTERM);
        CHECK(sigwait(&set, &number) == 0 && number == SIGTERM);
    }
    return failures != 0;
}

int main(int argc, char **argv) {
    use = use_library;
    if (argc > 1) return strcmp(argv[1], "waits") == 0 ? waits() : untouched(atoi(argv[1]));
#ifdef LATER
    loaded_later = 1;
#endif
    install();
    use();
    all_handlers();
    loaded_later = 0;
    install(); /* once more, now that it is there */
    all_handlers();
    static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT, SIGUSR1, SIGALRM};
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", deadly[i]);
        for (int j = 0; j < NUMBERS; j++) signal(numbers[j], SIG_DFL);
        int status = status_of(argv[0], text);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != deadly[i]) fprintf(stderr, "signal %d ended it with status %x\n", deadly[i], status), failures++;
    }
    int status = status_of(argv[0], "waits");
    if (status != 0) fprintf(stderr, "sigwait: status %x\n", status), failures++;
    return failures != 0;
}
