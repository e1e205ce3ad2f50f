/* What the C programs share: their arguments, errors and clocks. A program includes this file, defines struct link and the
 * functions declared below, includes work.h and has a main. Everything is static so that the compiler sees through it:
 * nothing stands between the workload and the carrier. */
#ifndef BASE_H
#define BASE_H

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct link;
static void carrier_listen(const char *dir);              /* once, in the server */
static void link_accept(struct link *);                   /* waits for a client */
static void link_dial(struct link *, const char *dir);    /* in the client */
static void link_send(struct link *, const void *, size_t);
static bool link_receive(struct link *, void *, size_t);  /* false: the other end has closed */
static void link_close(struct link *);

/* What the process is told, in the order of Spec.Args in internal/spec. */
static struct {
	const char *kind;
	size_t size;
	int64_t warm, window; /* nanoseconds */
	bool verify, framed;  /* framed: messages have a length in front; a stream of bytes has not */
	int conns;
	const char *dir;
	int peer;
} spec;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...) {
	va_list args;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(1);
}

/* check ends the process if a system call failed. */
static long check(const char *what, long result) {
	if (result < 0)
		die("%s: %s", what, strerror(errno));
	return result;
}

static int64_t clock_ns(clockid_t id) {
	struct timespec t;
	check("clock_gettime", clock_gettime(id, &t));
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t now(void) { return clock_ns(CLOCK_MONOTONIC); }

/* cpu_time is what both processes have used. */
static int64_t cpu_time(void) {
	clockid_t peer;
	if (clock_getcpuclockid(spec.peer, &peer) != 0)
		die("no CPU clock of process %d", spec.peer);
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID) + clock_ns(peer);
}

/* read_args fills spec and tells whether this is the server. */
static bool read_args(int argc, char **argv) {
	if (argc != 10)
		die("usage: %s server|client KIND SIZE WARM WINDOW VERIFY CONNS DIR PEER", argv[0]);
	spec.kind = argv[2];
	spec.size = strtoul(argv[3], NULL, 10);
	spec.warm = atoll(argv[4]);
	spec.window = atoll(argv[5]);
	spec.verify = atoi(argv[6]) != 0;
	spec.conns = atoi(argv[7]);
	spec.dir = argv[8];
	spec.peer = atoi(argv[9]);
	spec.framed = strcmp(spec.kind, "stream") != 0;
	return strcmp(argv[1], "server") == 0;
}

#endif
