/* test.h: what the C tests share. A check that fails is told and counted; the program goes on. */
#ifndef TEST_H
#define TEST_H

#include <anypipe.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_int failures;

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            failures++; \
            fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, #condition); \
        } \
    } while (0)

/* Calls a function and compares its result. */
#define IS(want, call) \
    do { \
        int got_ = (call), want_ = (want); \
        if (got_ != want_) { \
            char detail_[256] = ""; \
            anypipe_last_detail(detail_, sizeof detail_); \
            failures++; \
            fprintf(stderr, "%s:%d: %s: %s is %s, not %s (%s)\n", __FILE__, __LINE__, __func__, #call, anypipe_error_name(got_), \
                    anypipe_error_name(want_), detail_); \
        } \
    } while (0)

#define OK(call) IS(ANYPIPE_OK, call)

/* Something that happens once, on another thread. */
typedef struct event {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int happened, error;
    size_t length;
} event;

#define EVENT_INIT { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0 }

static inline void event_set(event *e, int error, size_t length) {
    pthread_mutex_lock(&e->mutex);
    e->happened++, e->error = error, e->length = length;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->mutex);
}

static inline void event_wait(event *e, int times) {
    pthread_mutex_lock(&e->mutex);
    while (e->happened < times) pthread_cond_wait(&e->changed, &e->mutex);
    pthread_mutex_unlock(&e->mutex);
}

/* A done that sets the event in its context. */
static inline void event_done(void *context, int error, size_t length) { event_set(context, error, length); }

/* Makes an instance of the name and a client of it. */
static inline void connected(const char *name, uint32_t type, int64_t in_buffer, anypipe_handle *server, anypipe_handle *client) {
    anypipe_create_options create = ANYPIPE_CREATE_OPTIONS_INIT;
    create.type = create.read_mode = type;
    create.in_buffer = in_buffer;
    anypipe_dial_options dial = ANYPIPE_DIAL_OPTIONS_INIT;
    dial.read_mode = type;
    OK(anypipe_create(name, &create, server));
    OK(anypipe_dial(name, &dial, 0, client));
    IS(ANYPIPE_PIPE_CONNECTED, anypipe_connect(*server, 0));
}

#endif
