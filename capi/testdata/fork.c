/* fork.c: a child made by fork gets refusals and can exit or exec; the parent is not disturbed. */
#include "test.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static anypipe_handle server, client;

static void *keep_reading(void *unused) {
    char byte;
    size_t n;
    IS(ANYPIPE_ABORTED, anypipe_read(server, &byte, 1, &n, ANYPIPE_FOREVER));
    return unused;
}

static int wait_for(pid_t child) {
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static int in_child(void) {
    char buffer[8], detail[128];
    anypipe_handle h = 1;
    anypipe_info info = {.size = sizeof info};
    size_t n = 1;
    void *m = &n;
    failures = 0;
    IS(ANYPIPE_NOT_SUPPORTED, anypipe_write(client, "x", 1, &n, ANYPIPE_FOREVER));
    CHECK(n == 0);
    IS(ANYPIPE_NOT_SUPPORTED, anypipe_read(client, buffer, 1, &n, 0));
    IS(ANYPIPE_NOT_SUPPORTED, anypipe_read_message(client, &m, &n, 0));
    CHECK(m == NULL);
    IS(ANYPIPE_NOT_SUPPORTED, anypipe_create("x", NULL, &h));
    CHECK(h == 0);
    IS(ANYPIPE_NOT_SUPPORTED, anypipe_dial("fork", NULL, 0, &h));
    IS(ANYPIPE_NOT_SUPPORTED, anypipe_get_info(client, &info));
    IS(ANYPIPE_NOT_SUPPORTED, anypipe_close(client));
    CHECK(anypipe_last_detail(detail, sizeof detail) > 0 && strstr(detail, "fork") != NULL);
    CHECK(anypipe_open_handles() == 0);
    CHECK(strcmp(anypipe_error_name(ANYPIPE_NOT_SUPPORTED), "ERROR_NOT_SUPPORTED") == 0);
    pid_t grandchild = fork();
    if (grandchild == 0) _exit(anypipe_close(client) == ANYPIPE_NOT_SUPPORTED ? 0 : 1);
    CHECK(wait_for(grandchild) == 0);
    return failures != 0;
}

int main(int argc, char **argv) {
    char byte;
    size_t n;
    pthread_t thread;
    if (argc > 1) { /* a new program: all works */
        connected("fork in a new program", ANYPIPE_MESSAGE, 0, &server, &client);
        OK(anypipe_close(server));
        OK(anypipe_close(client));
        return failures != 0;
    }
    connected("fork", ANYPIPE_BYTE, 0, &server, &client);
    pthread_create(&thread, NULL, keep_reading, NULL);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0) exit(in_child()); /* exit, not _exit: atexit and destructors must not hang either */
        CHECK(wait_for(child) == 0);
        child = fork();
        if (child == 0) {
            execl(argv[0], argv[0], "again", (char *)NULL);
            _exit(127);
        }
        CHECK(wait_for(child) == 0);
        char *arguments[] = {argv[0], "again", NULL};
        CHECK(posix_spawn(&child, argv[0], NULL, NULL, arguments, environ) == 0);
        CHECK(wait_for(child) == 0);
        OK(anypipe_write(server, "y", 1, &n, ANYPIPE_FOREVER));
        OK(anypipe_read(client, &byte, 1, &n, ANYPIPE_FOREVER));
    }
    while (anypipe_cancel(server) == ANYPIPE_NOT_FOUND) {
    }
    pthread_join(thread, NULL);
    /* closing in the parent is told to the other end, whatever a child still holds */
    int hold[2];
    CHECK(pipe(hold) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(hold[1]);
        _exit(read(hold[0], &byte, 1) != 0);
    }
    OK(anypipe_close(server));
    IS(ANYPIPE_BROKEN_PIPE, anypipe_read(client, &byte, 1, &n, ANYPIPE_FOREVER));
    IS(ANYPIPE_NOT_EXIST, anypipe_wait("fork", 0));
    anypipe_create_options o = ANYPIPE_CREATE_OPTIONS_INIT;
    o.first = 1, o.type = ANYPIPE_MESSAGE;
    OK(anypipe_create("fork", &o, &server)); /* the name is free */
    OK(anypipe_close(server));
    OK(anypipe_close(client));
    close(hold[1]);
    CHECK(wait_for(child) == 0);
    CHECK(anypipe_open_handles() == 0);
    return failures != 0;
}
