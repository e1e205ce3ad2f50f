/* This project's C library: a message-type pipe through anypipe.h, or byte type for the stream of bytes. */
#define _GNU_SOURCE
#include "base.h"

#include <anypipe.h>

struct link {
	anypipe_handle end;
};

static anypipe_handle listener;

/* must ends the process if a call of the library failed. */
static void must(const char *what, int error) {
	char detail[256];
	if (error == ANYPIPE_OK)
		return;
	anypipe_last_detail(detail, sizeof detail);
	die("%s: %s", what, detail);
}

/* pipe_name is what internal/contender uses: the directory's last part. */
static const char *pipe_name(const char *dir) {
	const char *last = strrchr(dir, '/');
	return last == NULL ? dir : last + 1;
}

static bool in_rows(void) { return strcmp(spec.kind, "oneway") == 0 || strcmp(spec.kind, "stream") == 0; }

static void carrier_listen(const char *dir) {
	anypipe_create_options o = ANYPIPE_CREATE_OPTIONS_INIT;
	o.first = 1;
	o.type = o.read_mode = spec.framed ? ANYPIPE_MESSAGE : ANYPIPE_BYTE;
	o.no_foreign = !spec.framed;
	if (in_rows())
		o.in_buffer = o.out_buffer = 256 << 10;
	must("listen", anypipe_listen(pipe_name(dir), &o, &listener));
}

static void link_accept(struct link *l) { must("accept", anypipe_accept(listener, ANYPIPE_FOREVER, &l->end)); }

static void link_dial(struct link *l, const char *dir) {
	anypipe_dial_options o = ANYPIPE_DIAL_OPTIONS_INIT;
	o.read_mode = spec.framed ? ANYPIPE_MESSAGE : ANYPIPE_BYTE;
	must("dial", anypipe_dial(pipe_name(dir), &o, ANYPIPE_FOREVER, &l->end));
}

static void link_send(struct link *l, const void *p, size_t n) {
	size_t sent;
	must("write", anypipe_write(l->end, p, n, &sent, ANYPIPE_FOREVER));
}

static bool link_receive(struct link *l, void *p, size_t n) {
	for (size_t got = 0, part; got < n; got += part) {
		int error = anypipe_read(l->end, (char *)p + got, n - got, &part, ANYPIPE_FOREVER);
		if (error == ANYPIPE_BROKEN_PIPE)
			return false;
		must("read", error);
		if (spec.framed && part != n)
			die("a message of %zu bytes, expected %zu", part, n);
	}
	return true;
}

static void link_close(struct link *l) { must("close", anypipe_close(l->end)); }

#include "work.h" /* needs all of the above */

int main(int argc, char **argv) {
	static struct link l;
	if (read_args(argc, argv))
		run_server();
	else
		run_client(&l);
	return 0;
}
