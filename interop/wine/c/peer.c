/* A plain Win32 program as pipe peer, written after the usual tutorial's steps.
 *
 *   peer serve NAME byte|message N        echo server: N instances, a thread each
 *   peer call  NAME byte|message N        N clients at once: write, read back in a thread of its own, compare
 *   peer pong  NAME                       sends every message back, one client
 *   peer ping  NAME COUNT SIZE            prints the nanoseconds of a round trip
 *   peer sink  NAME                       reads all, one client
 *   peer pour  NAME COUNT SIZE            prints the nanoseconds of a message, until all was read
 *
 * NAME is a whole name. Exit code 0 means that everything was as it should be; else stderr says what was not.
 */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER 65536
#define MESSAGES 100
#define LONGEST 3000

static int wrong(const char *what)
{
	fprintf(stderr, "peer: %s: error %lu\n", what, GetLastError());
	return 1;
}

static HANDLE make(const char *name, int message)
{
	DWORD mode = message ? PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE : PIPE_TYPE_BYTE | PIPE_READMODE_BYTE;
	return CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX, mode | PIPE_WAIT, PIPE_UNLIMITED_INSTANCES, BUFFER, BUFFER, 1000, NULL);
}

/* One instance: wait for the client, give back what it sends, throw it off when it has closed. */
static DWORD WINAPI serve_one(void *arg)
{
	HANDLE pipe = arg;
	char *buf = malloc(BUFFER);
	DWORD n, sent;
	if (!ConnectNamedPipe(pipe, NULL) && GetLastError() != ERROR_PIPE_CONNECTED)
		return wrong("ConnectNamedPipe");
	while (ReadFile(pipe, buf, BUFFER, &n, NULL))
		if (!WriteFile(pipe, buf, n, &sent, NULL) || sent != n)
			return wrong("WriteFile");
	if (GetLastError() != ERROR_BROKEN_PIPE)
		return wrong("ReadFile");
	if (!DisconnectNamedPipe(pipe))
		return wrong("DisconnectNamedPipe");
	CloseHandle(pipe);
	free(buf);
	return 0;
}

/* Runs f once in each of n threads with its argument; the result is how many failed. */
static int in_threads(LPTHREAD_START_ROUTINE f, void **args, int n)
{
	HANDLE *threads = calloc(n, sizeof *threads);
	int failures = 0;
	for (int i = 0; i < n; i++)
		threads[i] = CreateThread(NULL, 0, f, args[i], 0, NULL);
	for (int i = 0; i < n; i++) {
		DWORD code = 1;
		WaitForSingleObject(threads[i], INFINITE);
		GetExitCodeThread(threads[i], &code);
		failures += code != 0;
	}
	return failures;
}

static int serve(const char *name, int message, int n)
{
	void **pipes = calloc(n, sizeof *pipes);
	for (int i = 0; i < n; i++)
		if ((pipes[i] = make(name, message)) == INVALID_HANDLE_VALUE)
			return wrong("CreateNamedPipe");
	puts("ready");
	fflush(stdout);
	return in_threads(serve_one, pipes, n);
}

/* Opens the pipe with flags: wait for ever for an instance, open it, and again if another was faster. */
static HANDLE open_pipe(const char *name, int message, DWORD flags)
{
	HANDLE pipe;
	DWORD mode = PIPE_READMODE_MESSAGE;
	do {
		if (!WaitNamedPipeA(name, NMPWAIT_WAIT_FOREVER))
			return INVALID_HANDLE_VALUE;
		pipe = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, flags, NULL);
	} while (pipe == INVALID_HANDLE_VALUE && GetLastError() == ERROR_PIPE_BUSY);
	if (pipe != INVALID_HANDLE_VALUE && message)
		SetNamedPipeHandleState(pipe, &mode, NULL, NULL);
	return pipe;
}

struct client {
	const char *name;
	int message, number;
	HANDLE pipe;
};

/* Message i of client c, in buf; returns its length. */
static DWORD fill(const struct client *c, int i, char *buf)
{
	DWORD n = 1 + (DWORD)(i * 131 + c->number * 17) % LONGEST;
	for (DWORD k = 0; k < n; k++)
		buf[k] = (char)(k * 7 + i + c->number);
	return n;
}

/* Overlapped read and write, as one handle is used by two threads at once. */
static BOOL transfer(const struct client *c, int writing, char *buf, DWORD n, DWORD *done)
{
	OVERLAPPED o = {0};
	BOOL ok;
	o.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
	ok = writing ? WriteFile(c->pipe, buf, n, NULL, &o) : ReadFile(c->pipe, buf, n, NULL, &o);
	if (ok || GetLastError() == ERROR_IO_PENDING)
		ok = GetOverlappedResult(c->pipe, &o, done, TRUE);
	CloseHandle(o.hEvent);
	return ok;
}

/* The reading thread: everything comes back in order, and on message type with its boundaries. */
static DWORD WINAPI read_back(void *arg)
{
	struct client *c = arg;
	char want[LONGEST], got[LONGEST];
	for (int i = 0; i < MESSAGES; i++) {
		DWORD n = fill(c, i, want), have = 0, k;
		while (have < n) {
			if (!transfer(c, 0, got + have, c->message ? LONGEST : n - have, &k))
				return wrong("ReadFile");
			have += k;
			if (c->message && have != n) {
				fprintf(stderr, "peer: message %d has %lu bytes, want %lu\n", i, have, n);
				return 1;
			}
		}
		if (memcmp(want, got, n) != 0) {
			fprintf(stderr, "peer: message %d differs\n", i);
			return 1;
		}
	}
	return 0;
}

static DWORD WINAPI call_one(void *arg)
{
	struct client *c = arg;
	char buf[LONGEST];
	HANDLE reader;
	DWORD code = 1;
	c->pipe = open_pipe(c->name, c->message, FILE_FLAG_OVERLAPPED);
	if (c->pipe == INVALID_HANDLE_VALUE)
		return wrong("CreateFile");
	reader = CreateThread(NULL, 0, read_back, c, 0, NULL);
	for (int i = 0; i < MESSAGES; i++) {
		DWORD n = fill(c, i, buf), sent;
		if (!transfer(c, 1, buf, n, &sent) || sent != n)
			return wrong("WriteFile");
	}
	WaitForSingleObject(reader, INFINITE);
	GetExitCodeThread(reader, &code);
	CloseHandle(c->pipe);
	return code;
}

static int call(const char *name, int message, int n)
{
	void **clients = calloc(n, sizeof *clients);
	for (int i = 0; i < n; i++) {
		struct client *c = calloc(1, sizeof *c);
		c->name = name;
		c->message = message;
		c->number = i;
		clients[i] = c;
	}
	return in_threads(call_one, clients, n);
}

/* pong and sink: one client on a message-type pipe. */
static int answer(const char *name, int back)
{
	HANDLE pipe = make(name, 1);
	char *buf = malloc(BUFFER);
	DWORD n, sent;
	if (pipe == INVALID_HANDLE_VALUE)
		return wrong("CreateNamedPipe");
	puts("ready");
	fflush(stdout);
	if (!ConnectNamedPipe(pipe, NULL) && GetLastError() != ERROR_PIPE_CONNECTED)
		return wrong("ConnectNamedPipe");
	while (ReadFile(pipe, buf, BUFFER, &n, NULL))
		if (back && !WriteFile(pipe, buf, n, &sent, NULL))
			return wrong("WriteFile");
	return GetLastError() == ERROR_BROKEN_PIPE ? 0 : wrong("ReadFile");
}

/* ping and pour. */
static int measure(const char *name, int count, DWORD size, int back)
{
	HANDLE pipe = open_pipe(name, 1, 0);
	char *buf = calloc(1, size);
	LARGE_INTEGER begin, end, unit;
	DWORD n;
	if (pipe == INVALID_HANDLE_VALUE)
		return wrong("CreateFile");
	QueryPerformanceFrequency(&unit);
	QueryPerformanceCounter(&begin);
	for (int i = 0; i < count; i++) {
		if (!WriteFile(pipe, buf, size, &n, NULL))
			return wrong("WriteFile");
		if (back && (!ReadFile(pipe, buf, size, &n, NULL) || n != size))
			return wrong("ReadFile");
	}
	if (!FlushFileBuffers(pipe))
		return wrong("FlushFileBuffers");
	QueryPerformanceCounter(&end);
	printf("%lld\n", (end.QuadPart - begin.QuadPart) * 1000000000LL / unit.QuadPart / count);
	CloseHandle(pipe);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && (!strcmp(argv[1], "serve") || !strcmp(argv[1], "call"))) {
		int message = !strcmp(argv[3], "message"), n = atoi(argv[4]);
		return argv[1][0] == 's' ? serve(argv[2], message, n) : call(argv[2], message, n);
	}
	if (argc == 3 && (!strcmp(argv[1], "pong") || !strcmp(argv[1], "sink")))
		return answer(argv[2], argv[1][0] == 'p');
	if (argc == 5 && (!strcmp(argv[1], "ping") || !strcmp(argv[1], "pour")))
		return measure(argv[2], atoi(argv[3]), (DWORD)atoi(argv[4]), !strcmp(argv[1], "ping"));
	fprintf(stderr, "peer: see the comment in peer.c\n");
	return 2;
}
