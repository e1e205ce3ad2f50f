/* contract.c: every function of anypipe.h and every error that it documents. Each test ends with an empty table of handles. */
#include "test.h"

#include <sched.h>
#include <unistd.h>

static char buffer[1 << 17];
static size_t length;

static void names_and_texts(void) {
    CHECK(anypipe_abi() == ((uint32_t)ANYPIPE_ABI_MAJOR << 16 | ANYPIPE_ABI_MINOR));
    CHECK(strlen(anypipe_version()) > 0);
    CHECK(strcmp(anypipe_error_name(231), "ERROR_PIPE_BUSY") == 0);
    CHECK(strcmp(anypipe_error_name(4711), "ERROR_4711") == 0);
    CHECK(anypipe_error_name(4711) == anypipe_error_name(4711));
    CHECK(strlen(anypipe_error_text(231)) > 0 && strlen(anypipe_error_text(-1)) > 0);
    anypipe_free(NULL);
    anypipe_handle h = 1;
    IS(ANYPIPE_NOT_EXIST, anypipe_dial("nobody", NULL, 0, &h));
    CHECK(h == 0);
    size_t whole = anypipe_last_detail(NULL, 0);
    CHECK(whole > 0 && anypipe_last_detail(buffer, 8) == whole && strlen(buffer) == 7);
    CHECK(anypipe_last_detail(buffer, sizeof buffer) == whole && strstr(buffer, "nobody") != NULL);
    IS(ANYPIPE_INVALID_HANDLE, anypipe_close(0));
    anypipe_last_detail(buffer, sizeof buffer);
    CHECK(strcmp(buffer, anypipe_error_text(ANYPIPE_INVALID_HANDLE)) == 0);
}

/* Pointers that the contract does not allow to be NULL, and values that mean nothing. */
static void refusals(void) {
    anypipe_handle s, c, h;
    anypipe_info info = {0};
    anypipe_peer peer = {0};
    anypipe_peeked peeked = {0};
    void *message;
    connected("refusals", ANYPIPE_MESSAGE, 0, &s, &c);
    IS(87, anypipe_create(NULL, NULL, &h));
    IS(87, anypipe_create("x", NULL, NULL));
    IS(87, anypipe_listen(NULL, NULL, &h));
    IS(87, anypipe_accept(s, 0, NULL));
    IS(87, anypipe_dial(NULL, NULL, 0, &h));
    IS(87, anypipe_dial("x", NULL, 0, NULL));
    IS(87, anypipe_dial("x", NULL, -2, &h));
    IS(87, anypipe_connect(s, -7));
    IS(87, anypipe_wait(NULL, 0));
    IS(87, anypipe_wait("x", -3));
    IS(87, anypipe_call("x", "", 0, NULL, 1, &length, 0));
    IS(87, anypipe_call("x", "", 0, buffer, 1, &length, -3));
    IS(87, anypipe_call_message("x", NULL, 1, &message, &length, 0));
    IS(87, anypipe_call_message("x", "", 0, NULL, &length, 0));
    IS(87, anypipe_pair(0, NULL, &h));
    IS(87, anypipe_pair((size_t)-1, &h, &h));
    IS(87, anypipe_read(s, NULL, 1, &length, 0));
    IS(87, anypipe_read(s, buffer, 1, NULL, 0));
    IS(87, anypipe_read(s, buffer, (size_t)-1, &length, 0));
    IS(87, anypipe_read(s, buffer, 1, &length, -2));
    IS(87, anypipe_write(s, NULL, 1, &length, 0));
    IS(87, anypipe_write(s, "", 0, &length, -2));
    IS(87, anypipe_write_message(s, NULL, 1, 0));
    IS(87, anypipe_read_message(s, NULL, &length, 0));
    IS(87, anypipe_read_message(s, &message, &length, -9));
    IS(87, anypipe_transact(c, "", 0, NULL, 1, &length, 0));
    IS(87, anypipe_transact_message(c, "", 0, &message, NULL, 0));
    IS(87, anypipe_flush(c, -2));
    IS(87, anypipe_peek(s, NULL, 0, &peeked)); /* size 0 */
    IS(87, anypipe_peek(s, NULL, 0, NULL));
    IS(87, anypipe_get_info(s, &info));
    IS(87, anypipe_get_info(s, NULL));
    IS(87, anypipe_get_peer(s, &peer));
    IS(87, anypipe_get_peer_groups(s, NULL, 1, &length));
    IS(87, anypipe_get_peer_groups(s, NULL, 0, NULL));
    IS(87, anypipe_set_modes(s, 2, 0));
    IS(87, anypipe_run_as_client(s, NULL, NULL, NULL));
    IS(87, anypipe_list(NULL, NULL));
    IS(87, anypipe_read_start(s, buffer, 1, NULL, NULL, NULL, NULL));
    IS(87, anypipe_write_start(s, NULL, 1, event_done, NULL, NULL, NULL));
    IS(87, anypipe_transact_start(s, NULL, 1, NULL, 0, event_done, NULL, NULL, NULL));
    IS(87, anypipe_flush_start(s, NULL, NULL, NULL));
    IS(87, anypipe_connect_start(s, NULL, NULL, NULL));
    IS(87, anypipe_on_message(s, NULL, NULL));
    anypipe_last_detail(buffer, sizeof buffer);
    CHECK(strstr(buffer, "on_message") != NULL);
    /* with size 0 the pointer is not looked at */
    OK(anypipe_write(c, (void *)1, 0, &length, 0));
    OK(anypipe_read(s, (void *)1, 0, &length, 0));
    OK(anypipe_close(s));
    OK(anypipe_close(c));
}

static void bad_options(void) {
    anypipe_handle h;
    anypipe_create_options o = ANYPIPE_CREATE_OPTIONS_INIT;
    anypipe_dial_options d = ANYPIPE_DIAL_OPTIONS_INIT;
#define BAD(field, value) \
    do { \
        anypipe_create_options bad = o; \
        bad.field = (value); \
        IS(87, anypipe_create("bad", &bad, &h)); \
        IS(87, anypipe_listen("bad", &bad, &h)); \
    } while (0)
    BAD(size, 1);
    BAD(type, 2);
    BAD(read_mode, 2);
    BAD(read_mode, ANYPIPE_MESSAGE); /* on byte type */
    BAD(direction, 3);
    BAD(max_instances, 256);
    BAD(in_buffer, -2);
    BAD(out_buffer, INT64_MAX);
    BAD(backlog, UINT32_MAX);
    BAD(sddl, "no descriptor");
    d.size = 3;
    IS(87, anypipe_dial("bad", &d, 0, &h));
    d.size = sizeof d, d.read_mode = 7;
    IS(87, anypipe_dial("bad", &d, 0, &h));
    IS(ANYPIPE_NO_NAME, anypipe_create("", NULL, &h));
    IS(ANYPIPE_INVALID_NAME, anypipe_dial("\\\\.\\pipe\\", NULL, 0, &h));
    IS(ANYPIPE_INVALID_NAME, anypipe_create("\\\\.\\mailslot\\x", NULL, &h));
    char name[300];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = 0;
    IS(ANYPIPE_NAME_TOO_LONG, anypipe_create(name, NULL, &h));
    IS(ANYPIPE_NAME_TOO_LONG, anypipe_wait(name, 0));
}

/* Every function with handles that are closed, of another kind, or never were any. */
static void wrong_handles(void) {
    anypipe_handle s, c, l, r, w, out;
    anypipe_info info = {.size = sizeof info};
    anypipe_peer peer = {.size = sizeof peer};
    anypipe_peeked peeked = {.size = sizeof peeked};
    void *message;
    connected("wrong", ANYPIPE_MESSAGE, 0, &s, &c);
    OK(anypipe_listen("wrong listener", NULL, &l));
    OK(anypipe_pair(0, &r, &w));
    OK(anypipe_close(r));
    anypipe_handle bad[] = {0, r, l, 12345, UINT64_MAX, s + ((uint64_t)1 << 40)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        anypipe_handle h = bad[i];
        IS(6, anypipe_connect(h, 0));
        IS(6, anypipe_disconnect(h));
        IS(6, anypipe_read(h, buffer, 1, &length, 0));
        IS(6, anypipe_write(h, "", 1, &length, 0));
        IS(6, anypipe_read_message(h, &message, &length, 0));
        IS(6, anypipe_write_message(h, "", 1, 0));
        IS(6, anypipe_peek(h, NULL, 0, &peeked));
        IS(6, anypipe_transact(h, "", 1, buffer, 1, &length, 0));
        IS(6, anypipe_transact_message(h, "", 1, &message, &length, 0));
        IS(6, anypipe_flush(h, 0));
        IS(6, anypipe_close_write(h));
        IS(6, anypipe_set_modes(h, 0, 0));
        IS(6, anypipe_get_info(h, &info));
        IS(6, anypipe_get_peer(h, &peer));
        IS(6, anypipe_get_peer_groups(h, NULL, 0, &length));
        IS(6, anypipe_run_as_client(h, (int (*)(void *))abort, NULL, NULL));
        IS(6, anypipe_read_start(h, buffer, 1, event_done, NULL, &out, NULL));
        IS(6, anypipe_write_start(h, "", 1, event_done, NULL, &out, NULL));
        IS(6, anypipe_transact_start(h, "", 1, buffer, 1, event_done, NULL, &out, NULL));
        IS(6, anypipe_flush_start(h, event_done, NULL, &out));
        IS(6, anypipe_connect_start(h, event_done, NULL, &out));
        IS(6, anypipe_on_message(h, (anypipe_message)abort, NULL));
        if (h == l) continue;
        IS(6, anypipe_accept(h, 0, &out));
        IS(6, anypipe_close(h));
        IS(6, anypipe_cancel(h));
    }
    IS(6, anypipe_accept(s, 0, &out));
    IS(ANYPIPE_INVALID_FUNCTION, anypipe_connect(c, 0));
    IS(ANYPIPE_INVALID_FUNCTION, anypipe_disconnect(c));
    IS(ANYPIPE_INVALID_FUNCTION, anypipe_connect_start(c, event_done, NULL, NULL));
    IS(ANYPIPE_INVALID_FUNCTION, anypipe_run_as_client(c, (int (*)(void *))abort, NULL, NULL));
    CHECK(anypipe_open_handles() == 4);
    OK(anypipe_close(s));
    OK(anypipe_close(c));
    OK(anypipe_close(l));
    OK(anypipe_close(w));
    IS(6, anypipe_close(w));
    IS(6, anypipe_close(s));
}

static void instances(void) {
    anypipe_handle a, b, c, x;
    anypipe_create_options o = ANYPIPE_CREATE_OPTIONS_INIT;
    o.max_instances = 2, o.first = 1;
    OK(anypipe_create("limited", &o, &a));
    IS(ANYPIPE_ACCESS_DENIED, anypipe_create("limited", &o, &x));
    o.first = 0, o.direction = ANYPIPE_INBOUND;
    IS(ANYPIPE_ACCESS_DENIED, anypipe_create("limited", &o, &x));
    o.direction = 0;
    OK(anypipe_create("limited", &o, &b));
    IS(ANYPIPE_PIPE_BUSY, anypipe_create("limited", &o, &x));
    OK(anypipe_close(b));
    IS(ANYPIPE_TIMEOUT, anypipe_connect(a, 0));
    IS(ANYPIPE_TIMEOUT, anypipe_connect(a, 5));
    IS(ANYPIPE_PIPE_LISTENING, anypipe_read(a, buffer, 1, &length, 0));
    OK(anypipe_wait("limited", 0));
    OK(anypipe_dial("limited", NULL, ANYPIPE_FOREVER, &c));
    IS(ANYPIPE_PIPE_CONNECTED, anypipe_connect(a, ANYPIPE_FOREVER));
    IS(ANYPIPE_TIMEOUT, anypipe_dial("limited", NULL, 5, &x));
    IS(ANYPIPE_TIMEOUT, anypipe_wait("limited", 5));
    IS(ANYPIPE_TIMEOUT, anypipe_wait("limited", ANYPIPE_DEFAULT_WAIT));
    anypipe_dial_options d = ANYPIPE_DIAL_OPTIONS_INIT;
    d.no_busy_wait = 1;
    IS(ANYPIPE_PIPE_BUSY, anypipe_dial("limited", &d, ANYPIPE_FOREVER, &x));
    IS(ANYPIPE_NOT_EXIST, anypipe_wait("nobody", ANYPIPE_FOREVER));
    d.no_busy_wait = 0, d.expect_owner = "S-1-5-7";
    OK(anypipe_write(c, "left", 4, &length, ANYPIPE_FOREVER));
    OK(anypipe_close(c));
    IS(ANYPIPE_NO_DATA, anypipe_connect(a, 0)); /* came and went */
    OK(anypipe_read(a, buffer, 10, &length, 0));
    CHECK(length == 4);
    IS(ANYPIPE_BROKEN_PIPE, anypipe_read(a, buffer, 10, &length, ANYPIPE_FOREVER));
    OK(anypipe_disconnect(a));
    IS(ANYPIPE_NOT_CONNECTED, anypipe_disconnect(a));
    IS(ANYPIPE_NOT_CONNECTED, anypipe_read(a, buffer, 10, &length, ANYPIPE_FOREVER));
    IS(ANYPIPE_TIMEOUT, anypipe_connect(a, 0)); /* LISTENING again */
    IS(ANYPIPE_ACCESS_DENIED, anypipe_dial("limited", &d, 0, &x));
    d.expect_owner = NULL, d.read_mode = ANYPIPE_MESSAGE;
    IS(ANYPIPE_INVALID_PARAMETER, anypipe_dial("limited", &d, 0, &x));
    OK(anypipe_close(a));
}

static void listener(void) {
    anypipe_handle l, s, c, t;
    OK(anypipe_listen("listener", NULL, &l));
    IS(ANYPIPE_TIMEOUT, anypipe_accept(l, 0, &s));
    IS(ANYPIPE_TIMEOUT, anypipe_accept(l, 5, &s));
    IS(ANYPIPE_NOT_FOUND, anypipe_cancel(l));
    OK(anypipe_dial("listener", NULL, ANYPIPE_FOREVER, &c));
    OK(anypipe_accept(l, ANYPIPE_FOREVER, &s));
    OK(anypipe_close(l)); /* leaves s */
    OK(anypipe_write(c, "abc", 3, &length, ANYPIPE_FOREVER));
    OK(anypipe_read(s, buffer, 10, &length, 1000));
    CHECK(length == 3 && memcmp(buffer, "abc", 3) == 0);
    OK(anypipe_disconnect(s));
    IS(ANYPIPE_NOT_CONNECTED, anypipe_read(c, buffer, 1, &length, ANYPIPE_FOREVER));
    OK(anypipe_close(c));
    IS(ANYPIPE_TIMEOUT, anypipe_connect(s, 0));
    OK(anypipe_dial("listener", NULL, 0, &t));
    OK(anypipe_close(t));
    OK(anypipe_close(s));
}

static void byte_pipes(void) {
    anypipe_handle s, c;
    anypipe_peeked p = {.size = sizeof p};
    void *message;
    connected("bytes", ANYPIPE_BYTE, 0, &s, &c);
    IS(ANYPIPE_TIMEOUT, anypipe_read(s, buffer, 4, &length, 0));
    OK(anypipe_write(c, "hello", 5, &length, 0));
    CHECK(length == 5);
    OK(anypipe_peek(s, buffer, 2, &p));
    CHECK(p.read == 2 && p.available == 5 && p.left == -2 && p.state == ANYPIPE_CONNECTED && p.messages == 0);
    OK(anypipe_read(s, buffer, 2, &length, 10));
    OK(anypipe_read(s, buffer + 2, 10, &length, 0));
    CHECK(length == 3 && memcmp(buffer, "hello", 5) == 0);
    IS(ANYPIPE_BAD_PIPE, anypipe_read_message(s, &message, &length, 0));
    CHECK(message == NULL);
    IS(ANYPIPE_BAD_PIPE, anypipe_write_message(c, "x", 1, 0));
    IS(ANYPIPE_BAD_PIPE, anypipe_transact(c, "x", 1, buffer, 1, &length, 0));
    IS(ANYPIPE_INVALID_PARAMETER, anypipe_set_modes(c, ANYPIPE_MESSAGE, 0));
    OK(anypipe_set_modes(s, ANYPIPE_BYTE, 1));
    IS(ANYPIPE_NO_DATA, anypipe_read(s, buffer, 1, &length, ANYPIPE_FOREVER));
    OK(anypipe_close_write(c));
    IS(ANYPIPE_BROKEN_PIPE, anypipe_read(s, buffer, 1, &length, ANYPIPE_FOREVER));
    OK(anypipe_close(s));
    IS(ANYPIPE_NO_DATA, anypipe_write(c, "x", 1, &length, ANYPIPE_FOREVER));
    OK(anypipe_close(c));
}

static void messages(void) {
    anypipe_handle s, c;
    anypipe_peeked p = {.size = sizeof p};
    void *m;
    connected("messages", ANYPIPE_MESSAGE, 0, &s, &c);
    IS(ANYPIPE_TIMEOUT, anypipe_read_message(s, &m, &length, 5));
    OK(anypipe_write_message(c, NULL, 0, ANYPIPE_FOREVER));
    OK(anypipe_write(c, "a longer one", 12, &length, ANYPIPE_FOREVER));
    OK(anypipe_peek(s, NULL, 0, &p));
    CHECK(p.messages == 2 && p.length == 0 && p.available == 12);
    OK(anypipe_read_message(s, &m, &length, 0));
    CHECK(m != NULL && length == 0);
    anypipe_free(m);
    IS(ANYPIPE_MORE_DATA, anypipe_read(s, buffer, 2, &length, ANYPIPE_FOREVER));
    CHECK(length == 2);
    OK(anypipe_read_message(s, &m, &length, ANYPIPE_FOREVER));
    CHECK(length == 10 && memcmp(m, "longer one", 10) == 0);
    anypipe_free(m);
    IS(ANYPIPE_TIMEOUT, anypipe_flush(c, 0) == 0 ? ANYPIPE_TIMEOUT : ANYPIPE_OK);
    memset(buffer, 'x', sizeof buffer);
    IS(ANYPIPE_TIMEOUT, anypipe_write(c, buffer, sizeof buffer, &length, 5)); /* over the quota: taken back */
    CHECK(length == 0);
    OK(anypipe_write(c, "next", 4, &length, 0));
    IS(ANYPIPE_TIMEOUT, anypipe_flush(c, 5));
    OK(anypipe_read_message(s, &m, &length, 0));
    CHECK(length == 4 && memcmp(m, "next", 4) == 0);
    anypipe_free(m);
    OK(anypipe_flush(c, 0));
    OK(anypipe_close(c));
    IS(ANYPIPE_BROKEN_PIPE, anypipe_read_message(s, &m, &length, ANYPIPE_FOREVER));
    IS(ANYPIPE_BROKEN_PIPE, anypipe_peek(s, NULL, 0, &p));
    OK(anypipe_close(s));
}

static void limited_messages(void) {
    anypipe_handle s, c;
    anypipe_create_options o = ANYPIPE_CREATE_OPTIONS_INIT;
    void *m;
    o.type = ANYPIPE_MESSAGE, o.max_message = 4;
    OK(anypipe_create("max", &o, &s));
    OK(anypipe_dial("max", NULL, 0, &c));
    OK(anypipe_write(c, "123456", 6, &length, 0));
    IS(ANYPIPE_MORE_DATA, anypipe_read_message(s, &m, &length, ANYPIPE_FOREVER));
    CHECK(length == 4 && m != NULL && memcmp(m, "1234", 4) == 0);
    anypipe_free(m);
    OK(anypipe_read_message(s, &m, &length, 100));
    CHECK(length == 2);
    anypipe_free(m);
    OK(anypipe_close(s));
    OK(anypipe_close(c));
}

/* Answers messages with themselves in capitals until the client closes. */
static void *shout(void *context) {
    anypipe_handle end = *(anypipe_handle *)context;
    void *m;
    size_t n;
    while (anypipe_read_message(end, &m, &n, ANYPIPE_FOREVER) == ANYPIPE_OK) {
        for (size_t i = 0; i < n; i++) ((char *)m)[i] &= ~0x20;
        OK(anypipe_write_message(end, m, n, ANYPIPE_FOREVER));
        anypipe_free(m);
    }
    return NULL;
}

static void transacts(void) {
    anypipe_handle s, c;
    void *m;
    pthread_t thread;
    connected("transact", ANYPIPE_MESSAGE, 0, &s, &c);
    IS(ANYPIPE_TIMEOUT, anypipe_transact(c, "stays", 5, buffer, 10, &length, 5));
    OK(anypipe_read(s, buffer, 10, &length, 0)); /* delivered all the same */
    CHECK(length == 5);
    OK(anypipe_write_message(s, "unread", 6, 0));
    IS(ANYPIPE_PIPE_BUSY, anypipe_transact(c, "x", 1, buffer, 10, &length, 0));
    OK(anypipe_read(c, buffer, 10, &length, 0));
    pthread_create(&thread, NULL, shout, &s);
    OK(anypipe_transact(c, "hello", 5, buffer, 10, &length, ANYPIPE_FOREVER));
    CHECK(length == 5 && memcmp(buffer, "HELLO", 5) == 0);
    IS(ANYPIPE_MORE_DATA, anypipe_transact(c, "hello", 5, buffer, 2, &length, 10000));
    CHECK(length == 2);
    OK(anypipe_read(c, buffer, 10, &length, ANYPIPE_FOREVER));
    CHECK(length == 3);
    OK(anypipe_transact_message(c, "whole", 5, &m, &length, 10000));
    CHECK(length == 5 && memcmp(m, "WHOLE", 5) == 0);
    anypipe_free(m);
    OK(anypipe_transact_message(c, NULL, 0, &m, &length, ANYPIPE_FOREVER));
    CHECK(length == 0 && m != NULL);
    anypipe_free(m);
    OK(anypipe_set_modes(c, ANYPIPE_BYTE, 0));
    IS(ANYPIPE_BAD_PIPE, anypipe_transact(c, "x", 1, buffer, 1, &length, 0));
    OK(anypipe_close(c));
    pthread_join(thread, NULL);
    OK(anypipe_close(s));
}

/* Serves one client after another until the instance is closed. */
static void *serve_calls(void *context) {
    anypipe_handle s = *(anypipe_handle *)context;
    for (;;) {
        int error = anypipe_connect(s, ANYPIPE_FOREVER);
        if (error == ANYPIPE_ABORTED || error == ANYPIPE_INVALID_HANDLE) return NULL;
        CHECK(error == ANYPIPE_OK || error == ANYPIPE_PIPE_CONNECTED || error == ANYPIPE_NO_DATA);
        shout(&s);
        error = anypipe_disconnect(s);
        CHECK(error == ANYPIPE_OK || error == ANYPIPE_INVALID_HANDLE);
    }
}

static void calls(void) {
    anypipe_handle s, b;
    anypipe_create_options o = ANYPIPE_CREATE_OPTIONS_INIT;
    void *m;
    pthread_t thread;
    IS(ANYPIPE_NOT_EXIST, anypipe_call("call", "x", 1, buffer, 1, &length, ANYPIPE_FOREVER));
    OK(anypipe_create("byte call", NULL, &b));
    IS(ANYPIPE_INVALID_PARAMETER, anypipe_call("byte call", "x", 1, buffer, 1, &length, ANYPIPE_FOREVER));
    OK(anypipe_close(b));
    o.type = o.read_mode = ANYPIPE_MESSAGE;
    o.max_instances = 1;
    OK(anypipe_create("call", &o, &s));
    pthread_create(&thread, NULL, serve_calls, &s);
    OK(anypipe_call("call", "abc", 3, buffer, 10, &length, 10000));
    CHECK(length == 3 && memcmp(buffer, "ABC", 3) == 0);
    IS(ANYPIPE_MORE_DATA, anypipe_call("call", "abc", 3, buffer, 1, &length, ANYPIPE_FOREVER));
    CHECK(length == 1);
    OK(anypipe_call_message("call", "abc", 3, &m, &length, ANYPIPE_FOREVER));
    CHECK(length == 3 && memcmp(m, "ABC", 3) == 0);
    anypipe_free(m);
    int error = anypipe_call("call", "", 0, NULL, 0, &length, ANYPIPE_DEFAULT_WAIT);
    CHECK(error == ANYPIPE_OK || error == ANYPIPE_TIMEOUT); /* 50 ms may be too short for a busy machine */
    OK(anypipe_close(s));
    pthread_join(thread, NULL);
}

static void pairs(void) {
    anypipe_handle r, w;
    anypipe_info info = {.size = sizeof info};
    OK(anypipe_pair(0, &r, &w));
    IS(ANYPIPE_ACCESS_DENIED, anypipe_write(r, "x", 1, &length, 0));
    IS(ANYPIPE_ACCESS_DENIED, anypipe_read(w, buffer, 1, &length, 0));
    OK(anypipe_get_info(r, &info));
    CHECK(info.in_quota == 4096 && info.server == 1);
    OK(anypipe_write(w, "pair", 4, &length, ANYPIPE_FOREVER));
    OK(anypipe_read(r, buffer, 10, &length, ANYPIPE_FOREVER));
    OK(anypipe_close(w));
    IS(ANYPIPE_BROKEN_PIPE, anypipe_read(r, buffer, 1, &length, ANYPIPE_FOREVER));
    OK(anypipe_close(r));
}

static int answer(void *context) { return *(int *)context; }

static void identity(void) {
    anypipe_handle s, c;
    anypipe_info i = {.size = sizeof i};
    anypipe_peer p = {.size = sizeof p};
    int64_t groups[256];
    int forty_two = 42, result;
    anypipe_create_options o = ANYPIPE_CREATE_OPTIONS_INIT;
    o.type = ANYPIPE_MESSAGE, o.max_instances = 3, o.in_buffer = 100, o.out_buffer = ANYPIPE_UNBUFFERED;
    OK(anypipe_create("identity", &o, &s));
    IS(ANYPIPE_NOT_FOUND, anypipe_get_peer(s, &p));
    IS(ANYPIPE_CANNOT_IMPERSONATE, anypipe_run_as_client(s, answer, &forty_two, &result));
    OK(anypipe_dial("identity", NULL, 0, &c));
    OK(anypipe_write(c, "12345", 5, &length, 0));
    OK(anypipe_get_info(s, &i));
    CHECK(i.type == ANYPIPE_MESSAGE && i.direction == ANYPIPE_DUPLEX && i.state == ANYPIPE_CONNECTED && i.read_mode == ANYPIPE_BYTE);
    CHECK(i.no_wait == 0 && i.server == 1 && i.reject_remote == 1 && i.max_instances == 3 && i.instances == 1);
    CHECK(i.in_quota == 100 && i.out_quota == 0 && i.readable == 5 && i.write_quota == 0);
    OK(anypipe_get_info(c, &i));
    CHECK(i.server == 0 && i.in_quota == 100 && i.write_quota == 95);
    OK(anypipe_get_peer(s, &p));
    CHECK(p.pid == getpid() && p.uid == (int64_t)geteuid() && p.gid == (int64_t)getegid());
    CHECK(strncmp(p.sid, "S-1-22-1-", 9) == 0 && strlen(p.user) > 0);
    OK(anypipe_get_peer_groups(s, groups, 256, &length));
    CHECK(length == p.group_count);
    OK(anypipe_get_peer_groups(s, NULL, 0, &length));
    OK(anypipe_read(s, buffer, 10, &length, 0));
    if (geteuid() == 0) {
        OK(anypipe_run_as_client(s, answer, &forty_two, &result));
        CHECK(result == 42);
        OK(anypipe_run_as_client(s, answer, &forty_two, NULL));
    } else {
        IS(ANYPIPE_CANNOT_IMPERSONATE, anypipe_run_as_client(s, answer, &forty_two, &result));
    }
    OK(anypipe_close(s));
    OK(anypipe_close(c));
}

static int visit(void *context, const anypipe_listed *pipe) {
    int *seen = context;
    CHECK(pipe->size == sizeof *pipe);
    if (strcmp(pipe->name, "Listed B") == 0) {
        CHECK(pipe->type == ANYPIPE_MESSAGE && pipe->direction == ANYPIPE_INBOUND && pipe->max_instances == 7 && pipe->instances == 1);
        CHECK(pipe->default_timeout_ms == 1234 && pipe->owner_uid == (int64_t)geteuid() && strlen(pipe->owner) > 0);
        CHECK(strlen(pipe->sddl) > 0 && strlen(pipe->path) == 0);
    }
    ++*seen;
    return *seen == 2; /* ends the listing */
}

static void listing(void) {
    anypipe_handle a, b, c;
    anypipe_create_options o = ANYPIPE_CREATE_OPTIONS_INIT;
    int seen = 0;
    o.type = ANYPIPE_MESSAGE, o.direction = ANYPIPE_INBOUND, o.max_instances = 7, o.default_timeout_ms = 1234;
    OK(anypipe_create("Listed B", &o, &b));
    OK(anypipe_create("listed a", NULL, &a));
    OK(anypipe_create("listed c", NULL, &c));
    OK(anypipe_list(visit, &seen));
    CHECK(seen == 2);
    OK(anypipe_close(a));
    OK(anypipe_close(b));
    OK(anypipe_close(c));
}

static void operations(void) {
    anypipe_handle s, c, first, second, op;
    event one = EVENT_INIT, two = EVENT_INIT;
    char a[8], b[8];
    connected("operations", ANYPIPE_MESSAGE, ANYPIPE_UNBUFFERED, &s, &c);
    IS(ANYPIPE_IO_PENDING, anypipe_read_start(s, a, sizeof a, event_done, &one, &first, &length));
    IS(ANYPIPE_IO_PENDING, anypipe_read_start(s, b, sizeof b, event_done, &two, &second, &length));
    CHECK(first != 0 && second != 0 && first != second);
    IS(ANYPIPE_INVALID_HANDLE, anypipe_close(first));
    OK(anypipe_cancel(first));
    event_wait(&one, 1);
    CHECK(one.error == ANYPIPE_ABORTED && one.length == 0);
    OK(anypipe_write(c, "second", 6, &length, ANYPIPE_FOREVER));
    event_wait(&two, 1);
    CHECK(two.error == ANYPIPE_OK && two.length == 6 && memcmp(b, "second", 6) == 0);
    /* done at once: no callback */
    IS(ANYPIPE_IO_PENDING, anypipe_write_start(c, "hello", 5, event_done, &one, &op, &length));
    OK(anypipe_read_start(s, a, sizeof a, event_done, &two, &second, &length));
    CHECK(length == 5 && second == 0);
    event_wait(&one, 2);
    CHECK(one.error == ANYPIPE_OK && one.length == 5);
    OK(anypipe_flush_start(c, event_done, &one, NULL));
    /* all of an end at once */
    IS(ANYPIPE_NOT_FOUND, anypipe_cancel(s));
    IS(ANYPIPE_IO_PENDING, anypipe_read_start(s, a, sizeof a, event_done, &one, NULL, NULL));
    IS(ANYPIPE_IO_PENDING, anypipe_write_start(s, buffer, sizeof buffer, event_done, &two, NULL, NULL));
    OK(anypipe_cancel(s));
    event_wait(&one, 3);
    event_wait(&two, 2);
    CHECK(one.error == ANYPIPE_ABORTED && two.error == ANYPIPE_ABORTED && one.happened == 3 && two.happened == 2);
    IS(ANYPIPE_BAD_PIPE, (anypipe_set_modes(c, ANYPIPE_BYTE, 0), anypipe_transact_start(c, "x", 1, a, 1, event_done, &one, &op, &length)));
    OK(anypipe_set_modes(c, ANYPIPE_MESSAGE, 0));
    IS(ANYPIPE_IO_PENDING, anypipe_transact_start(c, "ask", 3, a, sizeof a, event_done, &one, &op, &length));
    OK(anypipe_read(s, b, sizeof b, &length, ANYPIPE_FOREVER));
    OK(anypipe_write(s, "reply", 5, &length, ANYPIPE_FOREVER));
    event_wait(&one, 4);
    CHECK(one.error == ANYPIPE_OK && one.length == 5 && memcmp(a, "reply", 5) == 0);
    /* close ends what waits, and returns after the callbacks */
    IS(ANYPIPE_IO_PENDING, anypipe_read_start(s, a, sizeof a, event_done, &one, NULL, NULL));
    IS(ANYPIPE_IO_PENDING, anypipe_flush_start(s, event_done, &two, NULL) == 0 ? ANYPIPE_IO_PENDING : 1);
    OK(anypipe_close(s));
    CHECK(one.happened == 5 && one.error == ANYPIPE_ABORTED);
    OK(anypipe_close(c));
}

/* A message that is still coming in when the wait ends: its part is given, and nothing is lost. */
static void parts_of_messages(void) {
    static char large[2 << 20];
    anypipe_handle s, c;
    event sent = EVENT_INIT;
    size_t have = 0;
    void *m;
    connected("parts_of_messages", ANYPIPE_MESSAGE, 0, &s, &c);
    for (size_t i = 0; i < sizeof large; i++) large[i] = (char)(i % 251);
    IS(ANYPIPE_IO_PENDING, anypipe_write_start(c, large, sizeof large, event_done, &sent, NULL, NULL));
    while (have < sizeof large) {
        int error = anypipe_read_message(s, &m, &length, have == 0 ? 0 : 20);
        CHECK(error == ANYPIPE_OK || error == ANYPIPE_TIMEOUT);
        CHECK(have != 0 || length > 0); /* what the ring holds; all of it if the writer got its turns */
        CHECK(have + length <= sizeof large && (length == 0 || memcmp(m, large + have, length) == 0));
        have += length;
        anypipe_free(m);
    }
    event_wait(&sent, 1);
    CHECK(sent.error == ANYPIPE_OK && sent.length == sizeof large);
    OK(anypipe_close(s));
    OK(anypipe_close(c));
}

static void connects(void) {
    anypipe_handle s, c, op;
    event one = EVENT_INIT;
    OK(anypipe_create("connects", NULL, &s));
    IS(ANYPIPE_IO_PENDING, anypipe_connect_start(s, event_done, &one, &op));
    OK(anypipe_cancel(op));
    event_wait(&one, 1);
    CHECK(one.error == ANYPIPE_ABORTED);
    IS(ANYPIPE_IO_PENDING, anypipe_connect_start(s, event_done, &one, &op));
    OK(anypipe_dial("connects", NULL, 0, &c));
    event_wait(&one, 2);
    CHECK(one.error == ANYPIPE_OK);
    IS(ANYPIPE_PIPE_CONNECTED, anypipe_connect_start(s, event_done, &one, &op));
    OK(anypipe_disconnect(s));
    IS(ANYPIPE_IO_PENDING, anypipe_connect_start(s, event_done, &one, &op));
    OK(anypipe_close(s));
    CHECK(one.happened == 3 && one.error == ANYPIPE_ABORTED);
    OK(anypipe_close(c));
}

/* What waits in another thread, to be ended. */
struct waiting {
    int (*call)(anypipe_handle);
    anypipe_handle handle;
    int result;
    atomic_int over;
};

static int wait_read(anypipe_handle h) {
    char byte;
    size_t n;
    return anypipe_read(h, &byte, 1, &n, ANYPIPE_FOREVER);
}
static int wait_read_long(anypipe_handle h) {
    char byte;
    size_t n;
    return anypipe_read(h, &byte, 1, &n, 1000000);
}
static int wait_message(anypipe_handle h) {
    void *m;
    size_t n;
    return anypipe_read_message(h, &m, &n, ANYPIPE_FOREVER);
}
static int wait_connect(anypipe_handle h) { return anypipe_connect(h, ANYPIPE_FOREVER); }
static int wait_accept(anypipe_handle h) {
    anypipe_handle s;
    return anypipe_accept(h, ANYPIPE_FOREVER, &s);
}

static void *run_waiting(void *context) {
    struct waiting *w = context;
    w->result = w->call(w->handle);
    w->over = 1;
    return NULL;
}

/* Cancels until the call, which may not have begun to wait, has ended. */
static void cancels(int (*call)(anypipe_handle), anypipe_handle handle) {
    struct waiting w = {.call = call, .handle = handle};
    pthread_t thread;
    pthread_create(&thread, NULL, run_waiting, &w);
    while (!w.over) {
        int error = anypipe_cancel(handle);
        CHECK(error == ANYPIPE_OK || error == ANYPIPE_NOT_FOUND);
        sched_yield(); /* valgrind runs one thread at a time */
    }
    pthread_join(thread, NULL);
    IS(ANYPIPE_ABORTED, w.result);
}

static void cancelling(void) {
    anypipe_handle s, c, l;
    connected("cancel", ANYPIPE_MESSAGE, 0, &s, &c);
    cancels(wait_read, s);
    cancels(wait_read_long, c);
    cancels(wait_message, c);
    OK(anypipe_disconnect(s));
    cancels(wait_connect, s);
    OK(anypipe_close(s));
    OK(anypipe_close(c));
    OK(anypipe_listen("cancel", NULL, &l));
    cancels(wait_accept, l);
    OK(anypipe_close(l));
}

/* What on_message brought, as text. */
struct received {
    event last;
    anypipe_handle end;
    char text[64];
    int close_at; /* the call from within which the end is closed */
    int calls;
};

static void receive(void *context, const void *data, size_t n, int error) {
    struct received *r = context;
    r->calls++;
    if (error == ANYPIPE_OK) {
        CHECK(data != NULL);
        strncat(r->text, data, n);
        strcat(r->text, "|");
    }
    if (r->calls == r->close_at) OK(anypipe_close(r->end));
    if (error != ANYPIPE_OK) event_set(&r->last, error, 0);
}

static void on_message(void) {
    anypipe_handle s, c;
    struct received r = {.last = EVENT_INIT};
    connected("on message", ANYPIPE_MESSAGE, 0, &s, &c);
    OK(anypipe_on_message(s, receive, &r));
    IS(ANYPIPE_PIPE_BUSY, anypipe_on_message(s, receive, &r));
    OK(anypipe_write_message(c, "one", 3, ANYPIPE_FOREVER));
    OK(anypipe_write_message(c, NULL, 0, ANYPIPE_FOREVER));
    OK(anypipe_write_message(c, "three", 5, ANYPIPE_FOREVER));
    OK(anypipe_close(c));
    event_wait(&r.last, 1);
    CHECK(r.last.error == ANYPIPE_BROKEN_PIPE && strcmp(r.text, "one||three|") == 0);
    OK(anypipe_close(s));

    struct received closing = {.last = EVENT_INIT, .close_at = 1};
    connected("on message", ANYPIPE_BYTE, 0, &s, &c);
    closing.end = s;
    OK(anypipe_write(c, "bytes", 5, &length, ANYPIPE_FOREVER));
    OK(anypipe_on_message(s, receive, &closing));
    event_wait(&closing.last, 1);
    CHECK(closing.last.error == ANYPIPE_ABORTED && strcmp(closing.text, "bytes|") == 0 && closing.calls == 2);
    OK(anypipe_close(c));

    struct received closed = {.last = EVENT_INIT};
    connected("on message", ANYPIPE_BYTE, 0, &s, &c);
    OK(anypipe_on_message(s, receive, &closed));
    OK(anypipe_close(s)); /* returns after the last call */
    CHECK(closed.calls == 1 && closed.last.error == ANYPIPE_ABORTED);
    OK(anypipe_close(c));
}

/* A done that closes its own end. */
struct closing_done {
    event over;
    anypipe_handle end;
};

static void close_in_done(void *context, int error, size_t n) {
    struct closing_done *d = context;
    OK(anypipe_close(d->end));
    event_set(&d->over, error, n);
}

static void close_from_callbacks(void) {
    anypipe_handle s, c;
    struct closing_done d = {.over = EVENT_INIT};
    char a[4], b[4];
    event other = EVENT_INIT;
    connected("closing", ANYPIPE_MESSAGE, 0, &s, &c);
    d.end = s;
    IS(ANYPIPE_IO_PENDING, anypipe_read_start(s, a, sizeof a, close_in_done, &d, NULL, NULL));
    IS(ANYPIPE_IO_PENDING, anypipe_read_start(s, b, sizeof b, event_done, &other, NULL, NULL));
    OK(anypipe_write(c, "go", 2, &length, ANYPIPE_FOREVER));
    event_wait(&d.over, 1);
    event_wait(&other, 1);
    while (anypipe_open_handles() > 1) sched_yield(); /* a callback's handle is gone only after it has returned */
    CHECK(d.over.error == ANYPIPE_OK && other.error == ANYPIPE_ABORTED);
    IS(ANYPIPE_INVALID_HANDLE, anypipe_close(s));
    OK(anypipe_close(c));
}

enum { THREADS = 32, ROUNDS = 50 };

static void *client_thread(void *context) {
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        anypipe_handle c;
        char out[16], in[16];
        size_t n;
        OK(anypipe_dial("threads", NULL, ANYPIPE_FOREVER, &c));
        int size = snprintf(out, sizeof out, "%d", i);
        OK(anypipe_write(c, out, size, &n, ANYPIPE_FOREVER));
        OK(anypipe_read(c, in, sizeof in, &n, 60000));
        CHECK((int)n == size && memcmp(out, in, n) == 0);
        OK(anypipe_close(c));
        IS(ANYPIPE_INVALID_HANDLE, anypipe_read(c, in, 1, &n, 0));
    }
    return NULL;
}

static void *server_thread(void *context) {
    anypipe_handle l = *(anypipe_handle *)context, s;
    while (anypipe_accept(l, ANYPIPE_FOREVER, &s) == ANYPIPE_OK) {
        char in[16];
        size_t n;
        while (anypipe_read(s, in, sizeof in, &n, ANYPIPE_FOREVER) == ANYPIPE_OK) OK(anypipe_write(s, in, n, &n, ANYPIPE_FOREVER));
        OK(anypipe_close(s));
    }
    return NULL;
}

static void threads(void) {
    anypipe_handle l;
    const char *fewer = getenv("ANYPIPE_TEST_THREADS"); /* valgrind runs one thread at a time */
    int count = fewer != NULL ? atoi(fewer) : THREADS;
    pthread_t clients[THREADS], servers[THREADS];
    OK(anypipe_listen("threads", NULL, &l));
    for (int i = 0; i < count; i++) pthread_create(&servers[i], NULL, server_thread, &l);
    for (int i = 0; i < count; i++) pthread_create(&clients[i], NULL, client_thread, NULL);
    for (int i = 0; i < count; i++) pthread_join(clients[i], NULL);
    OK(anypipe_close(l));
    for (int i = 0; i < count; i++) pthread_join(servers[i], NULL);
}

/* Threads that close the same handles: each close succeeds once. */
static anypipe_handle shared[200];
static atomic_int closed_once;

static void *close_all(void *context) {
    (void)context;
    for (int i = 0; i < 200; i++) {
        int error = anypipe_close(shared[i]);
        CHECK(error == ANYPIPE_OK || error == ANYPIPE_INVALID_HANDLE);
        if (error == ANYPIPE_OK) closed_once++;
    }
    return NULL;
}

static void closed_twice(void) {
    pthread_t thread[4];
    for (int i = 0; i < 200; i += 2) OK(anypipe_pair(0, &shared[i], &shared[i + 1]));
    CHECK(anypipe_open_handles() == 200);
    for (int i = 0; i < 4; i++) pthread_create(&thread[i], NULL, close_all, NULL);
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
    CHECK(closed_once == 200);
}

#define TEST(name) {#name, name}
static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    TEST(names_and_texts), TEST(refusals), TEST(bad_options), TEST(wrong_handles), TEST(instances), TEST(listener), TEST(byte_pipes),
    TEST(messages), TEST(limited_messages), TEST(transacts), TEST(calls), TEST(pairs), TEST(identity), TEST(listing), TEST(operations),
    TEST(parts_of_messages),
    TEST(connects), TEST(cancelling), TEST(on_message), TEST(close_from_callbacks), TEST(threads), TEST(closed_twice),
};

int main(int argc, char **argv) {
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (argc > 1 && strcmp(argv[1], tests[i].name) != 0) continue;
        int before = failures;
        tests[i].run();
        if (anypipe_open_handles() != 0) {
            failures++;
            fprintf(stderr, "%s left %zu handles open\n", tests[i].name, anypipe_open_handles());
            return 1; /* what follows would not be judged rightly */
        }
        printf("%s %s\n", failures == before ? "ok  " : "FAIL", tests[i].name);
        fflush(stdout);
    }
    return failures != 0;
}
