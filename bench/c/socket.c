/* The plain baseline: a Unix stream socket, a 4-byte length before each message, one write a message, buffered reads. */
#define _GNU_SOURCE
#include "base.h"
#include "unix.h"

enum { BUFFER = 64 << 10 };

struct link {
	int fd;
	size_t from, to;       /* what of in has been received and not yet taken */
	uint8_t *in;           /* BUFFER bytes, made when first needed */
	uint8_t *out;          /* a frame being sent */
};

static void carrier_listen(const char *dir) { unix_listen(dir); }

static void link_open(struct link *l, int fd) {
	l->fd = fd;
	l->from = l->to = 0;
}

static void link_accept(struct link *l) { link_open(l, unix_accept()); }
static void link_dial(struct link *l, const char *dir) { link_open(l, unix_dial(dir)); }

static void link_close(struct link *l) {
	close(l->fd);
	free(l->in);
	free(l->out);
	l->in = l->out = NULL;
}

static void write_all(int fd, const uint8_t *p, size_t n) {
	while (n > 0) {
		size_t done = (size_t)check("send", send(fd, p, n, MSG_NOSIGNAL));
		p += done;
		n -= done;
	}
}

static void link_send(struct link *l, const void *p, size_t n) {
	if (!spec.framed) {
		write_all(l->fd, p, n);
		return;
	}
	if (l->out == NULL)
		l->out = malloc(4 + spec.size);
	uint32_t length = (uint32_t)n;
	memcpy(l->out, &length, 4);
	memcpy(l->out + 4, p, n);
	write_all(l->fd, l->out, 4 + n);
}

/* read_some returns 0 at the end; a connection reset by the other end is an end too. */
static size_t read_some(int fd, void *p, size_t n) {
	ssize_t got = recv(fd, p, n, 0);
	if (got < 0 && errno == ECONNRESET)
		return 0;
	return (size_t)check("recv", got);
}

/* take reads n bytes through the buffer; what is at least as large as the buffer goes past it. */
static bool take(struct link *l, uint8_t *p, size_t n) {
	while (n > 0) {
		if (l->from == l->to) {
			if (n >= BUFFER) {
				size_t got = read_some(l->fd, p, n);
				if (got == 0)
					return false;
				p += got;
				n -= got;
				continue;
			}
			if (l->in == NULL)
				l->in = malloc(BUFFER);
			l->from = 0;
			l->to = read_some(l->fd, l->in, BUFFER);
			if (l->to == 0)
				return false;
		}
		size_t part = l->to - l->from < n ? l->to - l->from : n;
		memcpy(p, l->in + l->from, part);
		l->from += part;
		p += part;
		n -= part;
	}
	return true;
}

static bool link_receive(struct link *l, void *p, size_t n) {
	if (spec.framed) {
		uint32_t length;
		if (!take(l, (uint8_t *)&length, 4))
			return false;
		if (length != n)
			die("a frame of %u bytes, expected %zu", length, n);
	}
	return take(l, p, n);
}

#include "work.h" /* needs all of the above */

int main(int argc, char **argv) {
	static struct link l;
	if (read_args(argc, argv))
		run_server();
	else
		run_client(&l);
	return 0;
}
