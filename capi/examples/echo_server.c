/* echo_server.c: sends every message back, to any number of clients. usage: echo_server NAME
 * gcc -o echo_server echo_server.c $(pkg-config --cflags --libs anypipe) -lpthread */
#include <anypipe.h>

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

static int failed(const char *what) {
    char detail[256];
    anypipe_last_detail(detail, sizeof detail);
    fprintf(stderr, "%s: %s\n", what, detail);
    return 1;
}

/* Serves one client. */
static void *serve(void *context) {
    anypipe_handle end = (anypipe_handle)(uintptr_t)context;
    void *message;
    size_t length;
    int error;
    while ((error = anypipe_read_message(end, &message, &length, ANYPIPE_FOREVER)) == ANYPIPE_OK) {
        error = anypipe_write_message(end, message, length, ANYPIPE_FOREVER);
        anypipe_free(message);
        if (error != ANYPIPE_OK) break;
    }
    if (error != ANYPIPE_BROKEN_PIPE) failed("serve");
    anypipe_close(end);
    return NULL;
}

int main(int argc, char **argv) {
    anypipe_create_options options = ANYPIPE_CREATE_OPTIONS_INIT;
    anypipe_handle listener, end;
    if (argc != 2) return fprintf(stderr, "usage: echo_server NAME\n"), 2;
    options.type = options.read_mode = ANYPIPE_MESSAGE;
    if (anypipe_listen(argv[1], &options, &listener) != ANYPIPE_OK) return failed("listen");
    puts("serving");
    fflush(stdout);
    while (anypipe_accept(listener, ANYPIPE_FOREVER, &end) == ANYPIPE_OK) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, (void *)(uintptr_t)end) != 0) return 1;
        pthread_detach(thread);
    }
    return failed("accept");
}
