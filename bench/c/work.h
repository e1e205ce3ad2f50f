/* The workloads of internal/work, for the C programs: same messages, same windows, same sample as JSON. */
#ifndef WORK_H
#define WORK_H

#include "base.h"

/* Messages: see internal/work/message.go. */

#define FNV_OFFSET 14695981039346656037ULL
#define FNV_PRIME 1099511628211ULL
enum { NUMBER_AT = 8, CHECKSUM_AT = 16, PATTERN_AT = 16 };

static uint64_t load64(const uint8_t *p) {
	uint64_t v;
	memcpy(&v, p, 8);
	return v;
}

static void store64(uint8_t *p, uint64_t v) { memcpy(p, &v, 8); }

static void message(uint8_t *m, char ask, uint64_t number) {
	m[0] = (uint8_t)ask;
	store64(m + NUMBER_AT, number);
	if (spec.verify)
		for (size_t i = PATTERN_AT; i < spec.size; i++)
			m[i] = (uint8_t)(number * 7 + i * 13);
}

struct counter {
	uint64_t number, checksum;
};

static void count(struct counter *c, const uint8_t *m) {
	if (load64(m + NUMBER_AT) != c->number)
		die("message %llu came where %llu was next", (unsigned long long)load64(m + NUMBER_AT), (unsigned long long)c->number);
	c->number++;
	if (spec.verify)
		for (size_t i = 0; i < spec.size; i++)
			c->checksum = (c->checksum ^ m[i]) * FNV_PRIME;
}

/* The server. */

static void serve(struct link *l, bool once) {
	uint8_t *m = malloc(spec.size);
	struct counter c = {0, FNV_OFFSET};
	while (link_receive(l, m, spec.size)) {
		if (m[0] == 'c') {
			count(&c, m);
			continue;
		}
		if (m[0] == 't') {
			store64(m + NUMBER_AT, c.number);
			store64(m + CHECKSUM_AT, c.checksum);
			c = (struct counter){0, FNV_OFFSET};
		} else if (m[0] != 'e') {
			die("a message asks for %d, which means nothing", m[0]);
		}
		link_send(l, m, spec.size);
		if (once)
			break;
	}
	free(m);
}

/* end_with_input ends the process when its standard input ends. */
static void *end_with_input(void *unused) {
	char c;
	while (read(0, &c, 1) > 0)
		;
	_exit(0);
	return unused;
}

/* run_server serves one client after the other. Resting connections are kept, and no thread waits on them. */
static void run_server(void) {
	pthread_t watcher;
	if (pthread_create(&watcher, NULL, end_with_input, NULL) != 0)
		die("no thread");
	carrier_listen(spec.dir);
	puts("ready");
	fflush(stdout);
	bool used = strcmp(spec.kind, "idle") == 0, rests = used || strcmp(spec.kind, "fresh") == 0;
	struct link *links = calloc(rests ? (size_t)spec.conns : 1, sizeof(struct link));
	for (int i = 0;; i += rests) {
		if (i == spec.conns && rests)
			pause();
		link_accept(&links[i]);
		if (used || !rests)
			serve(&links[i], used);
		if (!rests)
			link_close(&links[i]);
	}
}

/* The client. */

static uint64_t number; /* of the next message */

static void round_trip(struct link *l, uint8_t *out, uint8_t *in) {
	message(out, 'e', number);
	link_send(l, out, spec.size);
	if (!link_receive(l, in, spec.size))
		die("the server closed");
	if (load64(in + NUMBER_AT) != number || (spec.verify && memcmp(in, out, spec.size) != 0))
		die("message %llu came back as another", (unsigned long long)number);
	number++;
}

/* times are single measurements; the mean knows all, the quantiles the first million. */
enum { MAX_TIMES = 1 << 20 };
static uint32_t each[MAX_TIMES];
static struct {
	int64_t n, sum;
} times;

static void add_time(int64_t ns) {
	if (times.n < MAX_TIMES)
		each[times.n] = (uint32_t)(ns < 4000000000LL ? ns : 4000000000LL);
	times.n++;
	times.sum += ns;
}

static int ascending(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void print_times(int64_t elapsed, int64_t cpu) {
	size_t kept = times.n < MAX_TIMES ? (size_t)times.n : MAX_TIMES;
	qsort(each, kept, sizeof each[0], ascending);
	printf("{\"count\":%lld,\"elapsedNs\":%lld,\"meanNs\":%f,\"p50Ns\":%u,\"p99Ns\":%u,\"cpuNs\":%lld}\n", (long long)times.n,
	       (long long)elapsed, (double)times.sum / (double)times.n, each[(size_t)(.5 * (double)(kept - 1))],
	       each[(size_t)(.99 * (double)(kept - 1))], (long long)cpu);
}

static void print_count(int64_t n, int64_t elapsed, int64_t cpu) {
	printf("{\"count\":%lld,\"elapsedNs\":%lld,\"cpuNs\":%lld}\n", (long long)n, (long long)elapsed, (long long)cpu);
}

static void round_trips(struct link *l, uint8_t *out, uint8_t *in) {
	int64_t begin = now();
	do
		round_trip(l, out, in);
	while (now() - begin < spec.warm);
	int64_t cpu = cpu_time(), last = begin = now();
	do {
		round_trip(l, out, in);
		int64_t t = now();
		add_time(t - last);
		last = t;
	} while (last - begin < spec.window);
	print_times(last - begin, cpu_time() - cpu);
}

static void paced(struct link *l, uint8_t *out, uint8_t *in) {
	const int64_t pace = 1000000;
	int64_t begin = now(), cpu = cpu_time(), measured = begin;
	int64_t length = spec.warm + 2 * spec.window;
	for (int64_t tick = pace; tick <= (length > pace ? length : pace); tick += pace) {
		int64_t rest = begin + tick - now();
		if (rest > 0)
			nanosleep(&(struct timespec){.tv_nsec = rest}, NULL);
		int64_t start = now();
		if (start - begin < spec.warm) {
			cpu = cpu_time();
			measured = start;
		}
		round_trip(l, out, in);
		if (start - begin >= spec.warm)
			add_time(now() - start);
	}
	if (times.n == 0)
		die("no request in the window");
	print_times(now() - measured, cpu_time() - cpu);
}

static int64_t burst(struct link *l, uint8_t *out, uint8_t *in, int64_t length) {
	struct counter c = {0, FNV_OFFSET};
	int batch = spec.size < 4096 ? (int)(4096 / spec.size) : 1;
	int64_t begin = now();
	do
		for (int i = 0; i < batch; i++) {
			message(out, 'c', c.number);
			count(&c, out);
			link_send(l, out, spec.size);
		}
	while (now() - begin < length);
	message(out, 't', c.number);
	link_send(l, out, spec.size);
	if (!link_receive(l, in, spec.size))
		die("the server closed before it told its count");
	if (load64(in + NUMBER_AT) != c.number || load64(in + CHECKSUM_AT) != c.checksum)
		die("sent %llu messages, received were %llu, or not the same", (unsigned long long)c.number, (unsigned long long)load64(in + NUMBER_AT));
	return (int64_t)c.number;
}

static void one_way(struct link *l, uint8_t *out, uint8_t *in) {
	burst(l, out, in, spec.warm);
	int64_t cpu = cpu_time(), begin = now();
	int64_t sent = burst(l, out, in, spec.window);
	print_count(sent, now() - begin, cpu_time() - cpu);
}

static int64_t connect_for(struct link *l, uint8_t *out, uint8_t *in, int64_t length) {
	int64_t n = 0, begin = now();
	do {
		link_dial(l, spec.dir);
		round_trip(l, out, in);
		link_close(l);
		n++;
	} while (now() - begin < length);
	return n;
}

static void connects(struct link *l, uint8_t *out, uint8_t *in) {
	connect_for(l, out, in, spec.warm);
	int64_t cpu = cpu_time(), begin = now();
	int64_t n = connect_for(l, out, in, spec.window);
	print_count(n, now() - begin, cpu_time() - cpu);
}

/* step prints a line and waits for one. */
static void step(const char *line) {
	char answer[16];
	puts(line);
	fflush(stdout);
	if (read(0, answer, sizeof answer) <= 0)
		die("standard input ended");
}

static void rest(bool used, uint8_t *out, uint8_t *in) {
	step("before");
	struct link *links = calloc((size_t)spec.conns, sizeof(struct link));
	int64_t begin = now();
	for (int i = 0; i < spec.conns; i++) {
		link_dial(&links[i], spec.dir);
		if (used)
			round_trip(&links[i], out, in);
	}
	int64_t elapsed = now() - begin;
	step("after");
	print_count(spec.conns, elapsed, 0);
}

static void run_client(struct link *l) {
	uint8_t *out = calloc(1, spec.size), *in = calloc(1, spec.size);
	if (strcmp(spec.kind, "connect") == 0) {
		connects(l, out, in);
	} else if (strcmp(spec.kind, "idle") == 0 || strcmp(spec.kind, "fresh") == 0) {
		rest(spec.kind[0] == 'i', out, in);
	} else {
		link_dial(l, spec.dir);
		if (strcmp(spec.kind, "rtt") == 0)
			round_trips(l, out, in);
		else if (strcmp(spec.kind, "paced") == 0)
			paced(l, out, in);
		else if (strcmp(spec.kind, "oneway") == 0 || strcmp(spec.kind, "stream") == 0)
			one_way(l, out, in);
		else
			die("unknown kind of work %s", spec.kind);
		link_close(l);
	}
	fflush(stdout);
	free(out);
	free(in);
}

#endif
