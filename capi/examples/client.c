/* client.c: sends a message and prints the reply. usage: client NAME MESSAGE
 * gcc -o client client.c $(pkg-config --cflags --libs anypipe) */
#include <anypipe.h>

#include <stdio.h>
#include <string.h>

static int failed(const char *what) {
    char detail[256];
    anypipe_last_detail(detail, sizeof detail);
    fprintf(stderr, "%s: %s\n", what, detail);
    return 1;
}

int main(int argc, char **argv) {
    anypipe_dial_options options = ANYPIPE_DIAL_OPTIONS_INIT;
    anypipe_handle end;
    void *reply;
    size_t length;
    if (argc != 3) return fprintf(stderr, "usage: client NAME MESSAGE\n"), 2;
    options.read_mode = ANYPIPE_MESSAGE;
    if (anypipe_dial(argv[1], &options, 5000, &end) != ANYPIPE_OK) return failed("dial");
    if (anypipe_transact_message(end, argv[2], strlen(argv[2]), &reply, &length, 5000) != ANYPIPE_OK) return failed("transact");
    printf("%.*s\n", (int)length, (char *)reply);
    anypipe_free(reply);
    return anypipe_close(end) == ANYPIPE_OK ? 0 : failed("close");
}
