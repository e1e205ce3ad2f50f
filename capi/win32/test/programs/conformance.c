/* conformance.c: what Win32 promises beyond the pipes themselves: errors, what an OVERLAPPED holds, which event fires, what a port
 * and a procedure call get. Numbers in comments are the cases of docs/semantics.md. */
#include "check.h"

#define PENDING 0x103
#define PIPE "\\\\.\\pipe\\anypipe-win32-conformance"

static HANDLE server_of(DWORD open_mode, DWORD pipe_mode, DWORD quota) {
    return CreateNamedPipeA(PIPE, open_mode, pipe_mode, 255, quota, quota, 100, NULL);
}

static HANDLE client_of(DWORD flags) { return CreateFileA(PIPE, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, flags, NULL); }

static OVERLAPPED fresh(HANDLE event) {
    OVERLAPPED overlapped;
    memset(&overlapped, 0, sizeof overlapped);
    overlapped.Internal = 0x1234;
    overlapped.InternalHigh = 0x5678;
    overlapped.hEvent = event;
    return overlapped;
}

/* A connected pair; the server is overlapped, and so is the client if flags say so. */
static void pair(DWORD pipe_mode, DWORD quota, DWORD client_flags, HANDLE *server, HANDLE *client) {
    *server = server_of(PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, pipe_mode, quota);
    *client = client_of(client_flags);
    EXPECT("a pair", *server != INVALID_HANDLE_VALUE && *client != INVALID_HANDLE_VALUE, 1);
}

#define MESSAGES (PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE)

/* ---- creating, opening ------------------------------------------------------------------------------------------- */

/* Whether it can be created; it is closed at once. */
static BOOL creates(const char *name, DWORD open_mode, DWORD pipe_mode, DWORD max) {
    HANDLE handle = CreateNamedPipeA(name, open_mode, pipe_mode, max, 512, 512, 0, NULL);
    return handle != INVALID_HANDLE_VALUE && CloseHandle(handle);
}

static void creating(void) {
    HANDLE none = INVALID_HANDLE_VALUE, first, second, third;
    EXPECT_ERROR(creates(NULL, 3, 0, 1), ERROR_PATH_NOT_FOUND); /* 1 */
    EXPECT_ERROR(creates("not a named pipe", 3, 0, 1), ERROR_INVALID_NAME); /* 2 */
    EXPECT_ERROR(creates(PIPE, 3, PIPE_READMODE_MESSAGE, 1), ERROR_INVALID_PARAMETER); /* 21 */
    if (!wine_differs("it takes any limit of instances")) {
        EXPECT_ERROR(creates(PIPE, 3, 0, 0), ERROR_INVALID_PARAMETER); /* 22 */
        EXPECT_ERROR(creates(PIPE, 3, 0, 256), ERROR_INVALID_PARAMETER);
    }
    EXPECT_ERROR(creates(PIPE, 0, 0, 1), ERROR_INVALID_PARAMETER);
    EXPECT_ERROR(client_of(0) != none, ERROR_FILE_NOT_FOUND); /* 51 */
    SetLastError(1);
    first = CreateNamedPipeA(PIPE, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 2, 1024, 1024, 0, NULL);
    EXPECT("first", GetLastError(), 0);
    second = CreateNamedPipeA("\\\\.\\PiPe\\ANYPIPE-win32-conformance", PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE, 3, 102, 24, 1234, NULL); /* 3, 28 */
    if (!wine_differs("version 8 does not say that the name exists"))
        EXPECT("second", GetLastError(), ERROR_ALREADY_EXISTS);
    EXPECT_ERROR(creates(PIPE, PIPE_ACCESS_INBOUND, 0, 2), ERROR_PIPE_BUSY); /* 32 */
    EXPECT_ERROR(creates(PIPE, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE, 0, 2), ERROR_PIPE_BUSY); /* 31 */
    EXPECT_TRUE(CloseHandle(second));
    EXPECT_ERROR(creates(PIPE, PIPE_ACCESS_INBOUND, 0, 2), ERROR_ACCESS_DENIED); /* 27 */
    if (!wine_differs("it ignores the first-instance flag"))
        EXPECT_ERROR(creates(PIPE, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE, 0, 2), ERROR_ACCESS_DENIED); /* 30 */
    EXPECT_TRUE(WaitNamedPipeA(PIPE, 5000)); /* 84 */
    SetLastError(1);
    third = client_of(0);
    EXPECT("open's last error", GetLastError(), 0);
    EXPECT_ERROR(client_of(0) != none, ERROR_PIPE_BUSY); /* 53 */
    EXPECT_ERROR(WaitNamedPipeA(PIPE, 10), ERROR_SEM_TIMEOUT); /* 85 */
    EXPECT_ERROR(WaitNamedPipeA(PIPE "-none", 10), ERROR_FILE_NOT_FOUND); /* 83 */
    EXPECT_ERROR(ConnectNamedPipe(first, NULL), ERROR_PIPE_CONNECTED); /* 68 */
    EXPECT_ERROR(ConnectNamedPipe(third, NULL), ERROR_INVALID_FUNCTION); /* 71 */
    if (!wine_differs("a client's Disconnect is 50"))
        EXPECT_ERROR(DisconnectNamedPipe(third), ERROR_INVALID_FUNCTION); /* 166 */
    EXPECT_TRUE(CloseHandle(third));
    EXPECT_ERROR(ConnectNamedPipe(first, NULL), ERROR_NO_DATA); /* 69 */
    EXPECT_TRUE(DisconnectNamedPipe(first));
    EXPECT_ERROR(DisconnectNamedPipe(first), ERROR_PIPE_NOT_CONNECTED); /* 165 */
    EXPECT_TRUE(CloseHandle(first));
    EXPECT_ERROR(CloseHandle(first), ERROR_INVALID_HANDLE);
}

static void states(void) {
    char byte = 1;
    DWORD n = 7;
    HANDLE server = server_of(PIPE_ACCESS_DUPLEX, MESSAGES, 4096), client;
    EXPECT_ERROR(ReadFile(server, &byte, 1, &n, NULL), ERROR_PIPE_LISTENING); /* 99 */
    EXPECT("count", n, 0);
    EXPECT_ERROR(WriteFile(server, &byte, 0, &n, NULL), ERROR_PIPE_LISTENING);
    EXPECT_ERROR(PeekNamedPipe(server, NULL, 0, NULL, NULL, NULL), ERROR_BAD_PIPE); /* 181 */
    EXPECT_ERROR(TransactNamedPipe(server, &byte, 1, &byte, 1, &n, NULL), ERROR_BAD_PIPE);
    EXPECT_TRUE(FlushFileBuffers(server)); /* 204 */
    client = client_of(0);
    EXPECT_ERROR(TransactNamedPipe(client, &byte, 1, &byte, 1, &n, NULL), ERROR_BAD_PIPE); /* 186 */
    EXPECT_TRUE(WriteFile(client, &byte, 1, &n, NULL));
    EXPECT_TRUE(DisconnectNamedPipe(server));
    EXPECT_ERROR(ReadFile(server, &byte, 1, &n, NULL), ERROR_PIPE_NOT_CONNECTED); /* 161 */
    EXPECT_ERROR(PeekNamedPipe(server, NULL, 0, NULL, NULL, NULL), ERROR_BAD_PIPE); /* 164 */
    EXPECT_ERROR(ReadFile(client, &byte, 1, &n, NULL), ERROR_PIPE_NOT_CONNECTED); /* 163 */
    EXPECT_ERROR(WriteFile(client, &byte, 1, &n, NULL), ERROR_PIPE_NOT_CONNECTED);
    EXPECT_ERROR(PeekNamedPipe(client, NULL, 0, NULL, NULL, NULL), ERROR_PIPE_NOT_CONNECTED);
    EXPECT_ERROR(FlushFileBuffers(client), ERROR_PIPE_NOT_CONNECTED);
    CloseHandle(client);
    CloseHandle(server);
    pair(MESSAGES, 4096, 0, &server, &client);
    EXPECT_TRUE(WriteFile(client, "abc", 3, &n, NULL));
    CloseHandle(client);
    EXPECT_TRUE(PeekNamedPipe(server, NULL, 0, NULL, &n, NULL)); /* 182 */
    EXPECT("available", n, 3);
    EXPECT_ERROR(WriteFile(server, &byte, 1, &n, NULL), ERROR_NO_DATA); /* 150 */
    EXPECT_ERROR(ReadFile(server, &byte, 1, &n, NULL), ERROR_MORE_DATA);
    EXPECT("count of a read without OVERLAPPED that has more", n, 1);
    CloseHandle(server);
}

/* ---- the OVERLAPPED ---------------------------------------------------------------------------------------------- */

static void overlapped_immediate(void) {
    char buffer[16];
    DWORD n;
    HANDLE server, client, event = CreateEventA(NULL, TRUE, TRUE, NULL);
    OVERLAPPED o = fresh(event);
    pair(MESSAGES, 4096, FILE_FLAG_OVERLAPPED, &server, &client);
    EXPECT_ERROR(ConnectNamedPipe(server, &o), ERROR_PIPE_CONNECTED); /* 68: no trace but the event's reset */
    EXPECT("internal", o.Internal, PENDING);
    if (!wine_differs("Connect clears InternalHigh"))
        EXPECT("high", o.InternalHigh, 0x5678);
    EXPECT_QUIET(event);
    o = fresh(event);
    n = 9;
    EXPECT_TRUE(WriteFile(client, "0123456789", 10, &n, &o));
    EXPECT("written", n, 10);
    EXPECT("internal", o.Internal, 0);
    EXPECT("high", o.InternalHigh, 10);
    EXPECT_SIGNALLED(event);
    o = fresh(event);
    EXPECT_ERROR(ReadFile(server, buffer, 4, &n, &o), ERROR_MORE_DATA); /* 123 */
    EXPECT("count in the call", n, 0);
    EXPECT("internal", (DWORD)o.Internal, 0x80000005);
    EXPECT("high", o.InternalHigh, 4);
    EXPECT_SIGNALLED(event);
    EXPECT_ERROR(GetOverlappedResult(server, &o, &n, TRUE), ERROR_MORE_DATA);
    EXPECT("count of the result", n, 4);
    o = fresh(event);
    EXPECT_TRUE(ReadFile(server, buffer, 16, &n, &o));
    EXPECT("count", n, 6);
    EXPECT("high", o.InternalHigh, 6);
    CloseHandle(client);
    SetEvent(event);
    o = fresh(event);
    EXPECT_ERROR(ReadFile(server, buffer, 4, &n, &o), ERROR_BROKEN_PIPE);
    EXPECT("internal", o.Internal, PENDING);
    EXPECT("high", o.InternalHigh, 0x5678);
    EXPECT_QUIET(event);
    SetEvent(event);
    EXPECT_ERROR(WriteFile(server, buffer, 4, &n, &o), ERROR_NO_DATA);
    EXPECT_QUIET(event);
    EXPECT_ERROR(ReadFile((HANDLE)0x7ffc, buffer, 4, &n, &o), ERROR_INVALID_HANDLE);
    o = fresh((HANDLE)0x7ffc);
    EXPECT_ERROR(ReadFile(server, buffer, 4, &n, &o), ERROR_INVALID_HANDLE);
    CloseHandle(server);
    CloseHandle(event);
}

static void overlapped_pending(void) {
    char buffer[16];
    DWORD n = 9;
    HANDLE server = server_of(PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, MESSAGES, 4096), client;
    HANDLE event = CreateEventA(NULL, TRUE, TRUE, NULL);
    OVERLAPPED o = fresh(event), second = fresh(NULL);
    EXPECT_ERROR(ConnectNamedPipe(server, &o), ERROR_IO_PENDING); /* 67 */
    EXPECT("internal", o.Internal, PENDING);
    EXPECT_QUIET(event);
    EXPECT_ERROR(GetOverlappedResult(server, &o, &n, FALSE), ERROR_IO_INCOMPLETE);
    client = client_of(0);
    EXPECT("connected", WaitForSingleObject(event, 5000), WAIT_OBJECT_0);
    EXPECT_TRUE(GetOverlappedResult(server, &o, &n, FALSE));
    EXPECT("bytes", n, 0);
    EXPECT("internal", o.Internal, 0);
    o = fresh(event);
    n = 9;
    EXPECT_ERROR(ReadFile(server, buffer, 16, &n, &o), ERROR_IO_PENDING);
    EXPECT("count", n, 0);
    EXPECT_QUIET(event);
    EXPECT_TRUE(WriteFile(client, "abc", 3, &n, NULL));
    EXPECT_TRUE(GetOverlappedResult(server, &o, &n, TRUE));
    EXPECT("count", n, 3);
    EXPECT_SIGNALLED(event);
    /* Two reads and an end: 109, no bytes. The second has no event: the handle is its signal. */
    o = fresh(event);
    EXPECT_ERROR(ReadFile(server, buffer, 16, NULL, &o), ERROR_IO_PENDING);
    EXPECT_ERROR(ReadFile(server, buffer, 16, NULL, &second), ERROR_IO_PENDING);
    EXPECT_QUIET(server);
    CloseHandle(client);
    EXPECT_ERROR(GetOverlappedResult(server, &o, &n, TRUE), ERROR_BROKEN_PIPE); /* 151 */
    EXPECT("internal", (DWORD)o.Internal, 0xC000014B);
    EXPECT("bytes", n, 0);
    EXPECT_ERROR(GetOverlappedResult(server, &second, &n, TRUE), ERROR_BROKEN_PIPE);
    EXPECT_SIGNALLED(server);
    CloseHandle(server);
    CloseHandle(event);
}

static void cancelling(void) {
    char buffer[4], big[32] = {0};
    DWORD n;
    HANDLE server, client, event = CreateEventA(NULL, TRUE, FALSE, NULL);
    OVERLAPPED one = fresh(event), other = fresh(NULL), write = fresh(NULL);
    pair(PIPE_TYPE_BYTE, 16, FILE_FLAG_OVERLAPPED, &server, &client);
    if (!wine_differs("cancelling everything succeeds always"))
        EXPECT_ERROR(CancelIoEx(server, NULL), ERROR_NOT_FOUND);
    EXPECT_TRUE(CancelIo(server));
    EXPECT_ERROR(ReadFile(server, buffer, 4, NULL, &one), ERROR_IO_PENDING);
    EXPECT_ERROR(ReadFile(server, buffer, 4, NULL, &other), ERROR_IO_PENDING);
    EXPECT_ERROR(CancelIoEx(server, &write), ERROR_NOT_FOUND);
    EXPECT_TRUE(CancelIoEx(server, &one));
    EXPECT_ERROR(GetOverlappedResult(server, &one, &n, TRUE), ERROR_OPERATION_ABORTED);
    EXPECT("internal", (DWORD)one.Internal, 0xC0000120);
    EXPECT_SIGNALLED(event);
    EXPECT_ERROR(CancelIoEx(server, &one), ERROR_NOT_FOUND); /* 77 */
    EXPECT("the other", other.Internal, PENDING);
    EXPECT_TRUE(CancelIoEx(server, NULL));
    EXPECT_ERROR(GetOverlappedResult(server, &other, &n, TRUE), ERROR_OPERATION_ABORTED);
    /* A blocked write, partly read: the rest is taken back (134). */
    EXPECT_ERROR(WriteFile(client, big, 32, NULL, &write), ERROR_IO_PENDING);
    one = fresh(NULL);
    EXPECT_TRUE(ReadFile(server, buffer, 4, &n, &one));
    EXPECT_TRUE(CancelIo(client));
    EXPECT_ERROR(GetOverlappedResult(client, &write, &n, TRUE), ERROR_OPERATION_ABORTED);
    EXPECT_TRUE(PeekNamedPipe(server, NULL, 0, NULL, &n, NULL));
    EXPECT("left in the pipe", n, 0);
    /* Disconnect ends what is pending with 233 at both ends (167). */
    one = fresh(NULL), other = fresh(NULL);
    EXPECT_ERROR(ReadFile(server, buffer, 4, NULL, &one), ERROR_IO_PENDING);
    EXPECT_ERROR(ReadFile(client, buffer, 4, NULL, &other), ERROR_IO_PENDING);
    EXPECT_TRUE(DisconnectNamedPipe(server));
    EXPECT_ERROR(GetOverlappedResult(server, &one, &n, TRUE), ERROR_PIPE_NOT_CONNECTED);
    EXPECT_ERROR(GetOverlappedResult(client, &other, &n, TRUE), ERROR_PIPE_NOT_CONNECTED);
    CloseHandle(client);
    /* A cancelled Connect leaves the instance LISTENING (75, 76). */
    one = fresh(event);
    EXPECT_ERROR(ConnectNamedPipe(server, &one), ERROR_IO_PENDING);
    EXPECT_TRUE(CancelIo(server));
    EXPECT_ERROR(GetOverlappedResult(server, &one, &n, TRUE), ERROR_OPERATION_ABORTED);
    client = client_of(0);
    EXPECT("open after a cancelled connect", client != INVALID_HANDLE_VALUE, 1);
    CloseHandle(client);
    CloseHandle(server);
    CloseHandle(event);
}

/* An overlapped handle used without an OVERLAPPED, from two threads at once. */
static DWORD WINAPI write_later(LPVOID client) {
    DWORD n;
    return WriteFile((HANDLE)client, "later", 5, &n, NULL) && n == 5;
}

static void without_overlapped(void) {
    char buffer[16];
    DWORD n;
    HANDLE server, client, thread;
    pair(MESSAGES, 0, 0, &server, &client); /* a quota of 0: the write waits for the read */
    thread = CreateThread(NULL, 0, write_later, client, 0, NULL);
    EXPECT_TRUE(ReadFile(server, buffer, 16, &n, NULL));
    EXPECT("count", n, 5);
    EXPECT("thread", WaitForSingleObject(thread, 5000), WAIT_OBJECT_0);
    EXPECT_TRUE(GetExitCodeThread(thread, &n));
    EXPECT("exit code", n, 1);
    CloseHandle(thread);
    CloseHandle(client);
    CloseHandle(server);
}

/* ---- procedure calls --------------------------------------------------------------------------------------------- */

static struct call {
    DWORD error, length;
    LPOVERLAPPED overlapped;
    int count;
} called;

static VOID WINAPI routine(DWORD error, DWORD length, LPOVERLAPPED overlapped) {
    called.error = error;
    called.length = length;
    called.overlapped = overlapped;
    ++called.count;
}

static VOID WINAPI procedure(ULONG_PTR parameter) { called.count += (int)parameter; }

static void procedure_calls(void) {
    char buffer[16];
    DWORD n;
    HANDLE server, client, event = CreateEventA(NULL, FALSE, FALSE, NULL);
    OVERLAPPED o = fresh((HANDLE)0x7777);
    pair(MESSAGES, 4096, 0, &server, &client);
    EXPECT_TRUE(ReadFileEx(server, buffer, 4, &o, routine));
    EXPECT("a sleep", SleepEx(0, TRUE), 0);
    EXPECT_TRUE(WriteFile(client, "abcdef", 6, &n, NULL));
    EXPECT("not without alertable", SleepEx(0, FALSE), 0);
    EXPECT("calls", called.count, 0);
    EXPECT("alertable wait", WaitForSingleObjectEx(event, 5000, TRUE), WAIT_IO_COMPLETION);
    EXPECT("calls", called.count, 1);
    EXPECT("error", called.error, ERROR_MORE_DATA);
    EXPECT("length", called.length, 4);
    EXPECT("overlapped", called.overlapped == &o, 1);
    EXPECT("internal", (DWORD)o.Internal, 0x80000005);
    SetLastError(1);
    EXPECT("immediate", ReadFileEx(server, buffer, 4, &o, routine), 1);
    EXPECT("not yet", called.count, 1);
    EXPECT("sleep", SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
    EXPECT("calls", called.count, 2);
    EXPECT("length", called.length, 2);
    EXPECT_TRUE(QueueUserAPC(procedure, GetCurrentThread(), 10));
    EXPECT_TRUE(QueueUserAPC(procedure, GetCurrentThread(), 10));
    SetEvent(event);
    EXPECT("what is signalled comes first", WaitForSingleObjectEx(event, 0, TRUE), WAIT_OBJECT_0);
    EXPECT("calls", called.count, 2);
    EXPECT("both", WaitForMultipleObjectsEx(1, &event, TRUE, 0, TRUE), WAIT_IO_COMPLETION);
    EXPECT("calls", called.count, 22);
    CloseHandle(client);
    EXPECT_ERROR(ReadFileEx(server, buffer, 4, &o, routine), ERROR_BROKEN_PIPE);
    EXPECT("no call", SleepEx(0, TRUE), 0);
    CloseHandle(server);
    CloseHandle(event);
}

/* ---- completion ports -------------------------------------------------------------------------------------------- */

static void port_packets(void) {
    char buffer[16];
    DWORD n;
    ULONG_PTR key;
    LPOVERLAPPED got;
    HANDLE server, client, port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0), event = CreateEventA(NULL, TRUE, FALSE, NULL);
    OVERLAPPED o = fresh(NULL), quiet = fresh((HANDLE)((ULONG_PTR)event | 1));
    pair(MESSAGES, 4096, 0, &server, &client);
    EXPECT("bound", CreateIoCompletionPort(server, port, 77, 0) == port, 1);
    EXPECT_ERROR(CreateIoCompletionPort(server, port, 78, 0), ERROR_INVALID_PARAMETER);
    EXPECT_ERROR(GetQueuedCompletionStatus(port, &n, &key, &got, 0), WAIT_TIMEOUT);
    EXPECT("no overlapped", got == NULL, 1);
    EXPECT_TRUE(PostQueuedCompletionStatus(port, 5, 6, &quiet));
    EXPECT_TRUE(GetQueuedCompletionStatus(port, &n, &key, &got, 0));
    EXPECT("posted", n == 5 && key == 6 && got == &quiet, 1);
    EXPECT_ERROR(ReadFile(server, buffer, 4, NULL, &o), ERROR_IO_PENDING);
    EXPECT_TRUE(WriteFile(client, "abcdef", 6, &n, NULL));
    EXPECT_ERROR(GetQueuedCompletionStatus(port, &n, &key, &got, 5000), ERROR_MORE_DATA);
    EXPECT("packet", n == 4 && key == 77 && got == &o, 1);
    EXPECT_TRUE(ReadFile(server, buffer, 4, &n, &o)); /* an immediate success is told too */
    EXPECT_TRUE(GetQueuedCompletionStatus(port, &n, &key, &got, 5000));
    EXPECT("packet", n == 2 && key == 77 && got == &o, 1);
    EXPECT_TRUE(WriteFile(client, "gh", 2, &n, NULL));
    EXPECT_TRUE(ReadFile(server, buffer, 4, &n, &quiet)); /* the event's low bit keeps the packet away */
    EXPECT_SIGNALLED(event);
    EXPECT_ERROR(GetQueuedCompletionStatus(port, &n, &key, &got, 0), WAIT_TIMEOUT);
    EXPECT_TRUE(SetFileCompletionNotificationModes(server, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
    EXPECT_TRUE(WriteFile(client, "ij", 2, &n, NULL));
    EXPECT_TRUE(ReadFile(server, buffer, 4, &n, &o));
    EXPECT_ERROR(GetQueuedCompletionStatus(port, &n, &key, &got, 0), WAIT_TIMEOUT);
    EXPECT_ERROR(ReadFile(server, buffer, 4, &n, &o), ERROR_IO_PENDING);
    CloseHandle(client);
    EXPECT_ERROR(GetQueuedCompletionStatus(port, &n, &key, &got, 5000), ERROR_BROKEN_PIPE);
    EXPECT("packet", n == 0 && key == 77 && got == &o, 1);
    EXPECT_ERROR(ReadFile(server, buffer, 4, &n, &o), ERROR_BROKEN_PIPE); /* 150: at once, so without a packet */
    EXPECT_ERROR(GetQueuedCompletionStatus(port, &n, &key, &got, 0), WAIT_TIMEOUT);
    CloseHandle(server);
    CloseHandle(event);
    CloseHandle(port);
}

static DWORD WINAPI wait_at_port(LPVOID port) {
    DWORD n;
    ULONG_PTR key;
    LPOVERLAPPED got;
    return GetQueuedCompletionStatus((HANDLE)port, &n, &key, &got, INFINITE) ? 0 : GetLastError();
}

static void port_closing(void) {
    DWORD code;
    OVERLAPPED_ENTRY entries[4];
    ULONG removed;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0), thread;
    for (int i = 0; i < 5; ++i)
        EXPECT_TRUE(PostQueuedCompletionStatus(port, (DWORD)i, 0, NULL));
    EXPECT_TRUE(GetQueuedCompletionStatusEx(port, entries, 4, &removed, 0, FALSE));
    EXPECT("removed", removed, 4);
    EXPECT("in order", entries[0].dwNumberOfBytesTransferred == 0 && entries[3].dwNumberOfBytesTransferred == 3, 1);
    EXPECT_TRUE(GetQueuedCompletionStatusEx(port, entries, 4, &removed, 0, FALSE));
    EXPECT("removed", removed, 1);
    EXPECT_ERROR(GetQueuedCompletionStatusEx(port, entries, 4, &removed, 0, FALSE), WAIT_TIMEOUT);
    thread = CreateThread(NULL, 0, wait_at_port, port, 0, NULL);
    /* Whether it waits already or comes too late, it ends: abandoned, or with an invalid handle. */
    EXPECT_TRUE(CloseHandle(port));
    EXPECT("thread", WaitForSingleObject(thread, 5000), WAIT_OBJECT_0);
    EXPECT_TRUE(GetExitCodeThread(thread, &code));
    EXPECT("abandoned", code == ERROR_ABANDONED_WAIT_0 || code == ERROR_INVALID_HANDLE, 1);
    CloseHandle(thread);
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static DWORD WINAPI abandon(LPVOID mutex) { return WaitForSingleObject((HANDLE)mutex, INFINITE); }
static DWORD WINAPI wait_all(LPVOID handles) { return WaitForMultipleObjects(2, (HANDLE *)handles, TRUE, INFINITE); }

static void waiting(void) {
    HANDLE handles[65], manual, automatic, mutex, semaphore, thread;
    LONG before;
    DWORD code;
    manual = CreateEventA(NULL, TRUE, TRUE, NULL);
    automatic = CreateEventA(NULL, FALSE, TRUE, NULL);
    mutex = CreateMutexA(NULL, FALSE, NULL);
    semaphore = CreateSemaphoreA(NULL, 1, 2, NULL);
    EXPECT_SIGNALLED(manual);
    EXPECT_SIGNALLED(manual);
    EXPECT_SIGNALLED(automatic);
    EXPECT_QUIET(automatic);
    EXPECT_SIGNALLED(mutex);
    EXPECT_SIGNALLED(mutex); /* a mutex counts its owner's waits */
    EXPECT_TRUE(ReleaseMutex(mutex));
    EXPECT_TRUE(ReleaseMutex(mutex));
    EXPECT_ERROR(ReleaseMutex(mutex), ERROR_NOT_OWNER);
    EXPECT_SIGNALLED(semaphore);
    EXPECT_QUIET(semaphore);
    EXPECT_TRUE(ReleaseSemaphore(semaphore, 2, &before));
    EXPECT("before", before, 0);
    EXPECT_ERROR(ReleaseSemaphore(semaphore, 1, &before), ERROR_TOO_MANY_POSTS);
    for (int i = 0; i < 65; ++i)
        handles[i] = manual;
    SetLastError(1);
    EXPECT("65", WaitForMultipleObjects(65, handles, FALSE, 0), WAIT_FAILED);
    EXPECT("65", GetLastError(), ERROR_INVALID_PARAMETER);
    EXPECT("none", WaitForMultipleObjects(0, handles, FALSE, 0), WAIT_FAILED);
    if (!wine_differs("it waits for all of one object twice"))
        EXPECT("all of one twice", WaitForMultipleObjects(2, handles, TRUE, 0), WAIT_FAILED);
    EXPECT("64", WaitForMultipleObjects(64, handles, FALSE, 0), WAIT_OBJECT_0);
    handles[0] = automatic, handles[1] = manual;
    EXPECT("any", WaitForMultipleObjects(2, handles, FALSE, 0), WAIT_OBJECT_0 + 1);
    EXPECT("all", WaitForMultipleObjects(2, handles, TRUE, 0), WAIT_TIMEOUT);
    thread = CreateThread(NULL, 0, wait_all, handles, 0, NULL);
    ResetEvent(manual);
    SetEvent(automatic);
    SetEvent(manual);
    EXPECT("thread", WaitForSingleObject(thread, 5000), WAIT_OBJECT_0);
    EXPECT_QUIET(automatic);
    CloseHandle(thread);
    thread = CreateThread(NULL, 0, abandon, mutex, 0, NULL);
    EXPECT("thread", WaitForSingleObject(thread, 5000), WAIT_OBJECT_0);
    EXPECT("abandoned", WaitForSingleObject(mutex, 0), WAIT_ABANDONED_0);
    EXPECT_TRUE(GetExitCodeThread(thread, &code));
    EXPECT("code", code, WAIT_OBJECT_0);
    EXPECT_TRUE(ReleaseMutex(mutex));
    EXPECT("closed", WaitForSingleObject((HANDLE)0x7ffc, 0), WAIT_FAILED);
    EXPECT("closed", GetLastError(), ERROR_INVALID_HANDLE);
    EXPECT_ERROR(SetEvent(mutex), ERROR_INVALID_HANDLE);
    EXPECT_ERROR(SetEvent(NULL), ERROR_INVALID_HANDLE);
    CloseHandle(thread);
    CloseHandle(manual);
    CloseHandle(automatic);
    CloseHandle(mutex);
    CloseHandle(semaphore);
}

/* ---- modes, information, calls ----------------------------------------------------------------------------------- */

static void information(void) {
    HANDLE server, client;
    DWORD mode = PIPE_READMODE_MESSAGE, flags, out, in, max, instances, n;
    ULONG id;
    char reply[4];
    pair(MESSAGES, 4096, 0, &server, &client);
    EXPECT_TRUE(GetNamedPipeInfo(server, &flags, &out, &in, &max));
    EXPECT("server", flags, PIPE_SERVER_END | PIPE_TYPE_MESSAGE);
    EXPECT("out", out, 4096);
    EXPECT("in", in, 4096);
    if (!wine_differs("without limit is 4294967295"))
        EXPECT("max", max, 255);
    EXPECT_TRUE(GetNamedPipeInfo(client, &flags, NULL, NULL, NULL));
    EXPECT("client", flags, PIPE_TYPE_MESSAGE);
    EXPECT_TRUE(GetNamedPipeHandleStateA(client, &flags, &instances, NULL, NULL, NULL, 0));
    EXPECT("client's mode", flags, 0); /* 64 */
    EXPECT("instances", instances, 1);
    EXPECT_TRUE(GetNamedPipeHandleStateA(client, NULL, NULL, NULL, NULL, NULL, 0)); /* 206 */
    EXPECT_TRUE(SetNamedPipeHandleState(client, &mode, NULL, NULL));
    EXPECT_TRUE(GetNamedPipeHandleStateA(client, &flags, NULL, NULL, NULL, NULL, 0));
    EXPECT("client's mode", flags, PIPE_READMODE_MESSAGE);
    mode = 8;
    EXPECT_ERROR(SetNamedPipeHandleState(client, &mode, NULL, NULL), ERROR_INVALID_PARAMETER); /* 208 */
    EXPECT_TRUE(GetNamedPipeClientProcessId(server, &id));
    EXPECT("client's process", id, GetCurrentProcessId());
    EXPECT_TRUE(GetNamedPipeServerProcessId(server, &id));
    EXPECT_TRUE(GetNamedPipeServerProcessId(client, &id));
    EXPECT("server's process", id, GetCurrentProcessId());
    EXPECT_TRUE(GetNamedPipeClientProcessId(client, &id));
    EXPECT("type", GetFileType(server), FILE_TYPE_PIPE);
    EXPECT_TRUE(WriteFile(server, "unread", 6, &n, NULL));
    EXPECT_ERROR(TransactNamedPipe(client, reply, 1, reply, 4, &n, NULL), ERROR_PIPE_BUSY); /* 188 */
    EXPECT_ERROR(ReadFile(client, reply, 4, &n, NULL), ERROR_MORE_DATA);
    mode = PIPE_READMODE_BYTE | PIPE_NOWAIT;
    EXPECT_TRUE(SetNamedPipeHandleState(client, &mode, NULL, NULL));
    EXPECT_TRUE(ReadFile(client, reply, 4, &n, NULL));
    EXPECT_ERROR(ReadFile(client, reply, 4, &n, NULL), ERROR_NO_DATA); /* 139 */
    EXPECT_TRUE(DisconnectNamedPipe(server));
    if (!wine_differs("the processes are known after Disconnect")) {
        EXPECT_ERROR(GetNamedPipeClientProcessId(server, &id), ERROR_NOT_FOUND); /* 171 */
        EXPECT_ERROR(GetNamedPipeServerProcessId(client, &id), ERROR_PIPE_NOT_CONNECTED);
    }
    CloseHandle(client);
    CloseHandle(server);
    server = server_of(PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 4096);
    EXPECT_ERROR(CallNamedPipeA(PIPE, reply, 1, reply, 4, &n, 100), ERROR_INVALID_PARAMETER); /* 197 */
    CloseHandle(server);
    EXPECT_ERROR(CallNamedPipeA(PIPE, reply, 1, reply, 4, &n, 100), ERROR_FILE_NOT_FOUND);
}

static void handles(void) {
    HANDLE server, client, twin, event = CreateEventA(NULL, TRUE, FALSE, NULL);
    DWORD n, flags;
    char byte;
    pair(PIPE_TYPE_BYTE, 4096, 0, &server, &client);
    EXPECT_TRUE(DuplicateHandle(GetCurrentProcess(), client, GetCurrentProcess(), &twin, 0, FALSE, DUPLICATE_SAME_ACCESS));
    EXPECT_TRUE(CloseHandle(client)); /* 160 */
    EXPECT_TRUE(WriteFile(twin, "x", 1, &n, NULL));
    EXPECT_TRUE(SetHandleInformation(twin, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
    EXPECT_TRUE(GetHandleInformation(twin, &flags));
    EXPECT("flags", flags, HANDLE_FLAG_INHERIT);
    EXPECT_TRUE(CloseHandle(twin));
    EXPECT_TRUE(ReadFile(server, &byte, 1, &n, NULL));
    EXPECT_ERROR(ReadFile(server, &byte, 1, &n, NULL), ERROR_BROKEN_PIPE);
    EXPECT_ERROR(ReadFile(event, &byte, 1, &n, NULL), ERROR_INVALID_HANDLE);
    EXPECT_ERROR(ReadFile(NULL, &byte, 1, &n, NULL), ERROR_INVALID_HANDLE);
    EXPECT_ERROR(ReadFile(INVALID_HANDLE_VALUE, &byte, 1, &n, NULL), ERROR_INVALID_HANDLE);
    EXPECT_ERROR(CloseHandle(NULL), ERROR_INVALID_HANDLE);
    if (!wine_differs("an event can be cancelled"))
        EXPECT_ERROR(CancelIoEx(event, NULL), ERROR_INVALID_HANDLE);
    CloseHandle(server);
    CloseHandle(event);
}

static void anonymous(void) {
    HANDLE in, out;
    DWORD n, available;
    char buffer[8];
    EXPECT_TRUE(CreatePipe(&in, &out, NULL, 0));
    EXPECT_TRUE(WriteFile(out, "abcdef", 6, &n, NULL));
    EXPECT_TRUE(PeekNamedPipe(in, NULL, 0, NULL, &available, NULL));
    EXPECT("available", available, 6);
    EXPECT_TRUE(ReadFile(in, buffer, 4, &n, NULL));
    EXPECT("count", n, 4);
    EXPECT_TRUE(CloseHandle(out));
    EXPECT_TRUE(ReadFile(in, buffer, 4, &n, NULL));
    EXPECT("count", n, 2);
    EXPECT_ERROR(ReadFile(in, buffer, 4, &n, NULL), ERROR_BROKEN_PIPE);
    CloseHandle(in);
    EXPECT_TRUE(CreatePipe(&in, &out, NULL, 0));
    CloseHandle(in);
    EXPECT_ERROR(WriteFile(out, "abc", 3, &n, NULL), ERROR_NO_DATA);
    CloseHandle(out);
}

int main(void) {
    static const struct {
        const char *name;
        void (*run)(void);
    } parts[] = {
        {"creating", creating}, {"states", states}, {"overlapped, immediate", overlapped_immediate}, {"overlapped, pending", overlapped_pending},
        {"cancelling", cancelling}, {"without OVERLAPPED", without_overlapped}, {"procedure calls", procedure_calls},
        {"port", port_packets}, {"port, closing", port_closing}, {"waiting", waiting}, {"information", information}, {"handles", handles},
        {"anonymous pipes", anonymous},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; ++i) {
        printf("%s\n", parts[i].name);
        fflush(stdout);
        parts[i].run();
    }
    printf("%d failures\n", check_failures);
    return check_failures > 0;
}
