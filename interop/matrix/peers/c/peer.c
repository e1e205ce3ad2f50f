/* peer.c: the matrix's peer in C, over anypipe.h. What it does is in ../../README.md. */
#include <anypipe.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOOD = 1000, QUOTA = 65536 };

static void say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

/* Ends the process: something is not as the matrix wants it. */
static void fail(const char *what, int error) {
    char detail[256];
    anypipe_last_detail(detail, sizeof detail);
    say("%s: %s (%d): %s", what, anypipe_error_name(error), error, detail);
    exit(1);
}

static void must(const char *what, int error) {
    if (error != ANYPIPE_OK) fail(what, error);
}

/* ---- messages ---- */

/* One connection, and the type of its pipe. */
struct end {
    anypipe_handle handle;
    uint32_t type;
};

/* Grows to the longest message. */
struct buffer {
    unsigned char *bytes;
    size_t size;
};

static unsigned char *room(struct buffer *b, size_t n) {
    if (b->size < n || b->bytes == NULL) {
        b->size = n + 1;
        b->bytes = realloc(b->bytes, b->size);
        if (b->bytes == NULL) fail("memory", ANYPIPE_OUT_OF_MEMORY);
    }
    return b->bytes;
}

static void put32(unsigned char *p, size_t n) {
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(n >> (8 * i));
}

static int write_all(struct end *e, const void *data, size_t n) {
    size_t written;
    return anypipe_write(e->handle, data, n, &written, ANYPIPE_FOREVER);
}

static int send_message(struct end *e, const void *data, size_t n) {
    if (e->type == ANYPIPE_MESSAGE) return write_all(e, data, n);
    unsigned char length[4];
    put32(length, n);
    int error = write_all(e, length, 4);
    return error != ANYPIPE_OK || n == 0 ? error : write_all(e, data, n);
}

static int read_all(struct end *e, unsigned char *p, size_t n) {
    for (size_t got; n > 0; p += got, n -= got) {
        int error = anypipe_read(e->handle, p, n, &got, ANYPIPE_FOREVER);
        if (error != ANYPIPE_OK) return error;
    }
    return ANYPIPE_OK;
}

static int receive(struct end *e, struct buffer *b, size_t *n) {
    if (e->type == ANYPIPE_MESSAGE) {
        void *message;
        int error = anypipe_read_message(e->handle, &message, n, ANYPIPE_FOREVER);
        if (error != ANYPIPE_OK) return error;
        memcpy(room(b, *n), message, *n);
        anypipe_free(message);
        return ANYPIPE_OK;
    }
    unsigned char length[4];
    int error = read_all(e, length, 4);
    if (error != ANYPIPE_OK) return error;
    *n = length[0] | length[1] << 8 | length[2] << 16 | (size_t)length[3] << 24;
    return read_all(e, room(b, *n), *n);
}

static int is(const struct buffer *b, size_t n, const char *text) { return n == strlen(text) && memcmp(b->bytes, text, n) == 0; }

/* ---- flood ---- */

static uint64_t hash_bytes(uint64_t hash, const unsigned char *p, size_t n) {
    for (size_t i = 0; i < n; i++) hash = (hash ^ p[i]) * 1099511628211u;
    return hash;
}

static uint64_t hash_message(uint64_t hash, const unsigned char *p, size_t n) {
    unsigned char length[4];
    put32(length, n);
    return hash_bytes(hash_bytes(hash, length, 4), p, n);
}

static const uint64_t hash_start = 14695981039346656037u;

/* Fills in message i as the client (shift 0) or the server (128) sends it. */
static size_t flood_message(unsigned char *p, int i, int shift) {
    size_t n = (size_t)i * 37 % 2000;
    for (size_t j = 0; j < n; j++) p[j] = (unsigned char)(i + j + shift);
    return n;
}

static uint64_t flood_hash(int shift) {
    unsigned char message[2000];
    uint64_t hash = hash_start;
    for (int i = 0; i < FLOOD; i++) {
        size_t n = flood_message(message, i, shift);
        hash = hash_message(hash, message, n);
    }
    return hash;
}

struct sending {
    struct end *end;
    int shift, error;
};

static void *send_flood(void *context) {
    struct sending *s = context;
    unsigned char message[2000];
    for (int i = 0; i < FLOOD && s->error == ANYPIPE_OK; i++) {
        size_t n = flood_message(message, i, s->shift);
        s->error = send_message(s->end, message, n);
    }
    return NULL;
}

/* Sends on a thread what shift says, and gives the hash of what comes. */
static int flood(struct end *e, struct buffer *b, int shift, uint64_t *hash) {
    struct sending sending = {e, shift, ANYPIPE_OK};
    pthread_t thread;
    int error = ANYPIPE_OK;
    if (pthread_create(&thread, NULL, send_flood, &sending) != 0) fail("thread", ANYPIPE_OTHER);
    *hash = hash_start;
    for (int i = 0; i < FLOOD && error == ANYPIPE_OK; i++) {
        size_t n;
        error = receive(e, b, &n);
        if (error == ANYPIPE_OK) *hash = hash_message(*hash, b->bytes, n);
    }
    pthread_join(thread, NULL);
    return error != ANYPIPE_OK ? error : sending.error;
}

/* ---- serve ---- */

/* Serves one client until the connection ends. */
static void serve_client(struct end *e) {
    struct buffer b = {0};
    size_t n;
    while (receive(e, &b, &n) == ANYPIPE_OK) {
        if (is(&b, n, "FLOOD")) {
            char text[32];
            uint64_t hash;
            if (flood(e, &b, 128, &hash) != ANYPIPE_OK) break;
            snprintf(text, sizeof text, "HASH %016llx", (unsigned long long)hash);
            if (send_message(e, text, strlen(text)) != ANYPIPE_OK) break;
        } else if (is(&b, n, "BYE")) {
            break; /* the caller disconnects */
        } else if (send_message(e, b.bytes, n) != ANYPIPE_OK) {
            break;
        }
    }
    free(b.bytes);
}

/* One instance, which serves one client after another. */
static void *serve_instance(void *context) {
    struct end *e = context;
    for (;;) {
        int error = anypipe_connect(e->handle, ANYPIPE_FOREVER);
        if (error != ANYPIPE_OK && error != ANYPIPE_PIPE_CONNECTED && error != ANYPIPE_NO_DATA) fail("connect", error);
        serve_client(e);
        must("disconnect", anypipe_disconnect(e->handle));
    }
    return NULL;
}

static int serve(const char *name, uint32_t type, int max) {
    anypipe_create_options o = ANYPIPE_CREATE_OPTIONS_INIT;
    o.type = o.read_mode = type;
    o.max_instances = (uint32_t)max;
    o.in_buffer = o.out_buffer = QUOTA;
    for (int i = 0; i < max; i++) {
        struct end *e = malloc(sizeof *e);
        pthread_t thread;
        if (e == NULL) fail("memory", ANYPIPE_OUT_OF_MEMORY);
        e->type = type;
        must("create", anypipe_create(name, &o, &e->handle));
        if (pthread_create(&thread, NULL, serve_instance, e) != 0) fail("thread", ANYPIPE_OTHER);
    }
    say("ready");
    while (getchar() != EOF) {
    }
    return 0;
}

/* ---- client, hold, open, wait ---- */

static void open_pipe(const char *name, uint32_t type, struct end *e) {
    anypipe_dial_options o = ANYPIPE_DIAL_OPTIONS_INIT;
    o.read_mode = e->type = type;
    must("open", anypipe_dial(name, &o, ANYPIPE_FOREVER, &e->handle));
}

/* Sends a message and checks that it comes back the same. */
static void echo(struct end *e, struct buffer *out, struct buffer *in, size_t n) {
    size_t got;
    must("send", send_message(e, room(out, n), n));
    must("receive", receive(e, in, &got));
    if (got != n || memcmp(out->bytes, in->bytes, n) != 0) {
        say("a message of %zu bytes came back as another of %zu", n, got);
        exit(1);
    }
}

static void client_flood(struct end *e, struct buffer *in) {
    uint64_t hash;
    size_t n;
    char want[32];
    must("send", send_message(e, "FLOOD", 5));
    must("flood", flood(e, in, 0, &hash));
    if (hash != flood_hash(128)) {
        say("the hash of what came is %016llx, not %016llx", (unsigned long long)hash, (unsigned long long)flood_hash(128));
        exit(1);
    }
    must("receive", receive(e, in, &n));
    snprintf(want, sizeof want, "HASH %016llx", (unsigned long long)flood_hash(0));
    if (!is(in, n, want)) {
        say("the server answered %.*s, not %s", (int)n, (char *)in->bytes, want);
        exit(1);
    }
}

static int client(const char *name, uint32_t type) {
    static const size_t sizes[] = {1, 64, 1000, 65537, 0, 1048576};
    struct end e;
    struct buffer out = {0}, in = {0};
    size_t n;
    open_pipe(name, type, &e);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *p = room(&out, sizes[i]);
        for (size_t j = 0; j < sizes[i]; j++) p[j] = (unsigned char)((sizes[i] + j) % 251);
        echo(&e, &out, &in, sizes[i]);
    }
    say("echo ok");
    client_flood(&e, &in);
    say("flood ok");
    must("send", send_message(&e, "BYE", 3));
    int error = receive(&e, &in, &n);
    if (error == ANYPIPE_OK) {
        say("something came after BYE");
        return 1;
    }
    say("error %d", error);
    say("done");
    must("close", anypipe_close(e.handle));
    return 0;
}

static int hold(const char *name, uint32_t type) {
    struct end e;
    struct buffer out = {0}, in = {0};
    size_t n;
    int error;
    open_pipe(name, type, &e);
    memcpy(room(&out, 4), "hold", 4);
    echo(&e, &out, &in, 4);
    say("connected");
    while ((error = receive(&e, &in, &n)) == ANYPIPE_OK) {
    }
    say("error %d", error);
    must("close", anypipe_close(e.handle));
    return 0;
}

static int told(int error) {
    if (error == ANYPIPE_OK)
        say("ok");
    else
        say("error %d", error);
    return 0;
}

static int open_once(const char *name) {
    anypipe_dial_options o = ANYPIPE_DIAL_OPTIONS_INIT;
    anypipe_handle h;
    o.no_busy_wait = 1;
    int error = anypipe_dial(name, &o, 0, &h);
    if (error == ANYPIPE_OK) must("close", anypipe_close(h));
    return told(error);
}

int main(int argc, char **argv) {
    const char *what = argc > 2 ? argv[1] : "", *name = argc > 2 ? argv[2] : "";
    int typed = argc > 3 && (strcmp(argv[3], "byte") == 0 || strcmp(argv[3], "message") == 0);
    uint32_t type = typed && argv[3][0] == 'm' ? ANYPIPE_MESSAGE : ANYPIPE_BYTE;
    if (strcmp(what, "serve") == 0 && argc == 5 && typed && atoi(argv[4]) > 0) return serve(name, type, atoi(argv[4]));
    if (strcmp(what, "client") == 0 && argc == 4 && typed) return client(name, type);
    if (strcmp(what, "hold") == 0 && argc == 4 && typed) return hold(name, type);
    if (strcmp(what, "open") == 0 && argc == 3) return open_once(name);
    if (strcmp(what, "wait") == 0 && argc == 4) return told(anypipe_wait(name, atoll(argv[3])));
    fprintf(stderr, "usage: peer serve NAME TYPE MAX | client NAME TYPE | hold NAME TYPE | open NAME | wait NAME MS\n");
    return 2;
}
