/* race.c: many threads do everything with the same handles at once: read, write, transact, peek, flush, cancel, disconnect, connect,
 * close, in callbacks too. Each result must be one that the contract knows, each operation's done comes once, no message is torn, and nothing
 * stays: handles, descriptors. */
#include "test.h"

#include <dirent.h>
#include <unistd.h>

enum { ENDS = 4, WORKERS = 8, ROUNDS = 3000 };

/* The ends that everybody uses: server ends at even places, their clients behind them. Old numbers stay in use for a while. */
static _Atomic anypipe_handle ends[2 * ENDS];
static atomic_int started, done, received, connections;

/* What comes after a start: the memory, which belongs to the operation. */
typedef struct work {
    uint64_t random;
    size_t size; /* of what is read */
    unsigned char out[600], in[600];
} work;

static uint64_t next(uint64_t *random) {
    *random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
    return *random;
}

/* A message says its size and is filled with one byte. */
static size_t compose(unsigned char *out, uint64_t *random) {
    size_t size = 2 + next(random) % 598;
    memset(out, (int)(next(random) & 255), size);
    out[0] = (unsigned char)(size & 255), out[1] = (unsigned char)(size >> 8);
    return size;
}

static void whole(const unsigned char *in, size_t size) {
    if (size == 0) return;
    CHECK(size >= 2 && size == (size_t)(in[0] | in[1] << 8));
    for (size_t i = 3; i < size; i++)
        if (in[i] != in[2]) {
            CHECK(!"a message that is torn");
            return;
        }
    received++;
}

static void known(int error) {
    switch (error) {
    case ANYPIPE_OK:
    case ANYPIPE_INVALID_HANDLE:
    case ANYPIPE_BROKEN_PIPE:
    case ANYPIPE_TIMEOUT:
    case ANYPIPE_BAD_PIPE:
    case ANYPIPE_PIPE_BUSY:
    case ANYPIPE_NO_DATA:
    case ANYPIPE_NOT_CONNECTED:
    case ANYPIPE_PIPE_CONNECTED:
    case ANYPIPE_PIPE_LISTENING:
    case ANYPIPE_ABORTED:
    case ANYPIPE_NOT_FOUND:
    case ANYPIPE_INVALID_FUNCTION: return;
    }
    fprintf(stderr, "%s is no result of this\n", anypipe_error_name(error));
    failures++;
}

static anypipe_handle any(uint64_t *random) { return ends[next(random) % (2 * ENDS)]; }

static void finished(void *context, int error, size_t size) {
    work *w = context;
    known(error);
    if (w->size > 0 && error == ANYPIPE_OK) whole(w->in, size);
    if (next(&w->random) % 8 == 0) known(anypipe_cancel(any(&w->random)));
    free(w);
    done++;
}

/* As above, and closes the end from within. */
static void finished_closing(void *context, int error, size_t size) {
    anypipe_handle end = ((work *)context)->random >> 16;
    known(anypipe_close(end));
    finished(context, error, size);
}

/* Starts one operation, which may be cancelled at once. */
static void start(anypipe_handle end, uint64_t *random) {
    work *w = calloc(1, sizeof *w);
    anypipe_handle operation;
    size_t size = compose(w->out, random), length = 0;
    int result;
    anypipe_done then = finished;
    w->random = next(random) | 1;
    if (next(random) % 40 == 0) w->random = end << 16 | 1, then = finished_closing;
    started++;
    switch (next(random) % 5) {
    case 0: result = anypipe_write_start(end, w->out, size, then, w, &operation, NULL); break;
    case 1: result = anypipe_flush_start(end, then, w, &operation); break;
    case 2: result = anypipe_connect_start(end, then, w, &operation); break;
    case 3:
        w->size = sizeof w->in;
        result = anypipe_transact_start(end, w->out, size, w->in, w->size, then, w, &operation, &length);
        break;
    default:
        w->size = sizeof w->in;
        result = anypipe_read_start(end, w->in, w->size, then, w, &operation, &length);
    }
    if (result != ANYPIPE_IO_PENDING) {
        CHECK(operation == 0);
        if (w->size > 0 && result == ANYPIPE_OK) whole(w->in, length);
        known(result);
        free(w);
        done++;
    } else if (next(random) % 3 == 0) {
        known(anypipe_cancel(operation));
        IS(ANYPIPE_INVALID_HANDLE, anypipe_close(operation));
    }
}

static void block(anypipe_handle end, uint64_t *random) {
    unsigned char out[600], in[600];
    void *message;
    size_t n, size = compose(out, random);
    int64_t wait = (int64_t)(next(random) % 3);
    switch (next(random) % 8) {
    case 0: known(anypipe_write(end, out, size, &n, wait)); break;
    case 1: known(anypipe_flush(end, wait)); break;
    case 2: known(anypipe_connect(end, wait)); break;
    case 3:
        if (anypipe_transact(end, out, size, in, sizeof in, &n, wait) == ANYPIPE_OK) whole(in, n);
        break;
    case 4:
        if (anypipe_read(end, in, sizeof in, &n, wait) == ANYPIPE_OK) whole(in, n);
        break;
    case 5: {
        anypipe_peeked peeked = {.size = sizeof peeked};
        known(anypipe_peek(end, in, sizeof in, &peeked));
        break;
    }
    case 6:
        if (anypipe_read_message(end, &message, &n, wait) == ANYPIPE_OK) whole(message, n);
        anypipe_free(message);
        break;
    default: known(anypipe_write_message(end, out, size, wait));
    }
}

static void message_came(void *context, const void *data, size_t size, int error) {
    (void)context;
    known(error);
    if (error == ANYPIPE_OK) whole(data, size);
    else done++;
}

/* Puts a new connection in the place of pair i. */
static void renew(size_t i) {
    anypipe_handle server = 0, client = 0;
    char name[32];
    snprintf(name, sizeof name, "race-%d", connections++);
    connected(name, ANYPIPE_MESSAGE, 700, &server, &client);
    server = atomic_exchange(&ends[2 * i], server);
    client = atomic_exchange(&ends[2 * i + 1], client);
    known(anypipe_close(server));
    known(anypipe_close(client));
}

static void *worker(void *context) {
    uint64_t random = (uint64_t)(uintptr_t)context * UINT64_C(0x9e3779b97f4a7c15) | 1;
    for (int i = 0; i < ROUNDS; i++) {
        anypipe_handle end = any(&random);
        switch (next(&random) % 64) {
        case 0: renew(next(&random) % ENDS); break;
        case 1: known(anypipe_close(end)); break;
        case 2: known(anypipe_disconnect(end)); break;
        case 3: known(anypipe_cancel(end)); break;
        case 4:
            started++;
            if (anypipe_on_message(end, message_came, NULL) != ANYPIPE_OK) done++;
            break;
        default:
            if (next(&random) % 2 == 0) start(end, &random);
            else block(end, &random);
        }
    }
    return NULL;
}

static int descriptors(void) {
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir) != NULL) n++;
    closedir(dir);
    return n;
}

static void race(void) {
    pthread_t threads[WORKERS];
    for (size_t i = 0; i < ENDS; i++) renew(i);
    for (uintptr_t i = 0; i < WORKERS; i++) pthread_create(&threads[i], NULL, worker, (void *)(i + 1));
    for (int i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 2 * ENDS; i++) known(anypipe_close(ends[i]));
    for (int i = 0; i < 2 * ENDS; i++) ends[i] = 0;
}

int main(void) {
    anypipe_handle one, other;
    OK(anypipe_pair(0, &one, &other)); /* the first connection brings descriptors that stay for a while */
    int before = descriptors();
    OK(anypipe_close(one));
    OK(anypipe_close(other));
    race();
    for (int tries = 0; tries < 60000 && (done < started || anypipe_open_handles() > 0 || descriptors() > before); tries++)
        anypipe_wait("race-none", 1), usleep(1000); /* closed from within callbacks: these end later */
    CHECK(done == started);
    CHECK(anypipe_open_handles() == 0);
    CHECK(descriptors() <= before);
    CHECK(received > 0);
    printf("%d operations, %d of them over, %d messages, %d connections, %zu handles, %d descriptors of %d\n", started, done, received,
           connections, anypipe_open_handles(), descriptors(), before);
    return failures != 0;
}
