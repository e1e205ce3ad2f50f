/* A Unix stream socket by name, for both C programs. */
#ifndef UNIX_H
#define UNIX_H

#include "base.h"

#include <sys/socket.h>
#include <sys/un.h>

static int listener;

static struct sockaddr_un address(const char *dir) {
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	if (snprintf(a.sun_path, sizeof a.sun_path, "%s/s", dir) >= (int)sizeof a.sun_path)
		die("the path %s is too long for a socket", dir);
	return a;
}

static void unix_listen(const char *dir) {
	struct sockaddr_un a = address(dir);
	listener = (int)check("socket", socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	check("bind", bind(listener, (struct sockaddr *)&a, sizeof a));
	check("listen", listen(listener, 128));
}

static int unix_accept(void) { return (int)check("accept", accept4(listener, NULL, NULL, SOCK_CLOEXEC)); }

static int unix_dial(const char *dir) {
	struct sockaddr_un a = address(dir);
	int fd = (int)check("socket", socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	check("connect", connect(fd, (struct sockaddr *)&a, sizeof a));
	return fd;
}

#endif
