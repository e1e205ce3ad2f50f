/* The limit: two rings of bytes in shared memory, one per direction. Whoever waits polls for a moment and then sleeps on a
 * futex. No quota, no disconnect, no protection from the other process: only what carrying bytes costs at least. */
#define _GNU_SOURCE
#include "base.h"
#include "unix.h"

#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum {
	RING = 256 << 10,   /* bytes of one direction; a power of two */
	POLLS = 2000,       /* how often to look before sleeping: some 100 µs */
	PORTION = 32 << 10, /* of a large message, what is shown to the reader at once */
};

/* Each line is written by one side only. */
struct line {
	_Alignas(64) _Atomic uint64_t at; /* bytes ever written, or ever read */
	_Atomic uint32_t asleep;          /* this line's reader sleeps: a futex */
};

struct ring {
	struct line tail; /* the writer's */
	struct line head; /* the reader's */
	_Alignas(64) uint8_t bytes[RING];
};

struct shared {
	struct ring to_server, to_client;
	_Alignas(64) _Atomic uint32_t closed;
};

struct link {
	struct shared *shared;
	struct ring *out, *in;
	uint64_t tail, head;            /* own positions, not all published */
	uint64_t seen_head, seen_tail;  /* the other's, as last seen */
	int fd;                         /* the socket that the memory came over */
};

static int polls = POLLS;

static long futex(_Atomic uint32_t *word, int op, uint32_t value, const struct timespec *timeout) {
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

static void relax(void) {
#if defined __x86_64__ || defined __i386__
	__builtin_ia32_pause();
#elif defined __aarch64__
	__asm__ volatile("yield");
#endif
}

static void publish(struct line *line, uint64_t at) {
	atomic_store(&line->at, at);
	if (atomic_load(&line->asleep) != 0 && atomic_exchange(&line->asleep, 0) != 0)
		futex(&line->asleep, FUTEX_WAKE, 1, NULL);
}

/* await returns the line's position once it is not old, or old if the connection is closed. */
static uint64_t await(struct link *l, struct line *line, uint64_t old) {
	for (int i = 0; i <= polls; i++) {
		uint64_t at = atomic_load_explicit(&line->at, memory_order_acquire);
		if (at != old)
			return at;
		relax();
	}
	for (;;) {
		atomic_store(&line->asleep, 1);
		uint64_t at = atomic_load(&line->at);
		if (at != old || atomic_load(&l->shared->closed)) {
			atomic_store(&line->asleep, 0);
			return at;
		}
		futex(&line->asleep, FUTEX_WAIT, 1, &(struct timespec){.tv_sec = 1});
	}
}

static void put(struct link *l, const uint8_t *p, size_t n) {
	while (n > 0) {
		size_t room = RING - (l->tail - l->seen_head);
		if (room == 0) {
			publish(&l->out->tail, l->tail);
			uint64_t head = await(l, &l->out->head, l->seen_head);
			if (head == l->seen_head)
				die("the other end closed while there was more to send");
			l->seen_head = head;
			continue;
		}
		size_t at = l->tail & (RING - 1), part = n < room ? n : room;
		part = part < RING - at ? part : RING - at;
		part = part < PORTION ? part : PORTION;
		memcpy(l->out->bytes + at, p, part);
		l->tail += part;
		p += part;
		n -= part;
		if (part == PORTION)
			publish(&l->out->tail, l->tail);
	}
}

static bool get(struct link *l, uint8_t *p, size_t n) {
	while (n > 0) {
		if (l->head == l->seen_tail) {
			uint64_t tail = atomic_load_explicit(&l->in->tail.at, memory_order_acquire);
			if (tail == l->head) {
				publish(&l->in->head, l->head);
				tail = await(l, &l->in->tail, l->head);
			}
			if (tail == l->head)
				return false;
			l->seen_tail = tail;
		}
		size_t at = l->head & (RING - 1), part = l->seen_tail - l->head;
		part = n < part ? n : part;
		part = part < RING - at ? part : RING - at;
		part = part < PORTION ? part : PORTION;
		memcpy(p, l->in->bytes + at, part);
		l->head += part;
		p += part;
		n -= part;
		if (part == PORTION)
			publish(&l->in->head, l->head);
	}
	return true;
}

static void link_send(struct link *l, const void *p, size_t n) {
	uint64_t length = n;
	if (spec.framed)
		put(l, (uint8_t *)&length, sizeof length);
	put(l, p, n);
	publish(&l->out->tail, l->tail);
}

static bool link_receive(struct link *l, void *p, size_t n) {
	uint64_t length = n;
	if (spec.framed && !get(l, (uint8_t *)&length, sizeof length))
		return false;
	if (length != n)
		die("a message of %llu bytes, expected %zu", (unsigned long long)length, n);
	if (!get(l, p, n))
		return false;
	publish(&l->in->head, l->head);
	return true;
}

/* The memory goes from server to client over the socket. */

static void link_open(struct link *l, int fd, int memory, bool server) {
	void *p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	close(memory);
	*l = (struct link){.shared = p, .fd = fd};
	l->out = server ? &l->shared->to_client : &l->shared->to_server;
	l->in = server ? &l->shared->to_server : &l->shared->to_client;
}

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static void carrier_listen(const char *dir) { unix_listen(dir); }

static void link_accept(struct link *l) {
	int fd = unix_accept(), memory = (int)check("memfd_create", memfd_create("ring", MFD_CLOEXEC));
	check("ftruncate", ftruncate(memory, sizeof(struct shared)));
	union control control = {0};
	struct iovec data = {"m", 1};
	struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof memory);
	memcpy(CMSG_DATA(c), &memory, sizeof memory);
	check("sendmsg", sendmsg(fd, &m, MSG_NOSIGNAL));
	link_open(l, fd, memory, true);
}

static void link_dial(struct link *l, const char *dir) {
	int fd = unix_dial(dir), memory;
	char byte;
	union control control = {0};
	struct iovec data = {&byte, 1};
	struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	check("recvmsg", recvmsg(fd, &m, MSG_CMSG_CLOEXEC));
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (c == NULL || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof memory))
		die("the server sent no memory");
	memcpy(&memory, CMSG_DATA(c), sizeof memory);
	link_open(l, fd, memory, false);
}

static void link_close(struct link *l) {
	struct line *lines[] = {&l->out->tail, &l->in->head};
	atomic_store(&l->shared->closed, 1);
	for (int i = 0; i < 2; i++)
		publish(lines[i], atomic_load(&lines[i]->at));
	munmap(l->shared, sizeof(struct shared));
	close(l->fd);
}

#include "work.h" /* needs all of the above */

int main(int argc, char **argv) {
	static struct link l;
	cpu_set_t cpus;
	check("sched_getaffinity", sched_getaffinity(0, sizeof cpus, &cpus));
	if (CPU_COUNT(&cpus) == 1)
		polls = 0; /* whom one polls for could not run */
	if (read_args(argc, argv))
		run_server();
	else
		run_client(&l);
	return 0;
}
