// server: the tutorial's server. It makes the instances of a pipe and serves each on a thread of its own, which shows what its
// client writes; the lines of the standard input go to every client. It ends with its standard input.
//
//   server [NAME [byte|message [INSTANCES]]]      default: \\.\pipe\Test byte 1
//
// The steps are those of the tutorial: CreateNamedPipe, ConnectNamedPipe on a thread, ReadFile, DisconnectNamedPipe, CloseHandle. The
// handles are overlapped, because on a synchronous handle Windows makes a WriteFile wait for the ReadFile that is pending there.
#include <windows.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

static bool message_type;

// Instance is one instance with its reading thread.
struct Instance {
    HANDLE pipe;
    HANDLE thread;
    HANDLE read_done, write_done; // manual-reset events, one for each direction
    volatile LONG connected;      // a client is there; set by the thread, read by the main thread
};

static void fail(const char *what) {
    fprintf(stderr, "%s: error %u\n", what, (unsigned)GetLastError());
    exit(1);
}

static void show(const char *what, const char *text, size_t size) {
    printf("%s%.*s\n", what, (int)size, text);
    fflush(stdout);
}

// finish waits for an operation that was started, and tells as the call itself would have, had it waited.
static BOOL finish(BOOL done, HANDLE pipe, OVERLAPPED *operation, DWORD *count) {
    if (!done && GetLastError() != ERROR_IO_PENDING)
        return FALSE;
    return GetOverlappedResult(pipe, operation, count, TRUE);
}

static BOOL connect(Instance *instance) {
    OVERLAPPED operation = {};
    DWORD unused = 0;
    operation.hEvent = instance->read_done;
    if (finish(ConnectNamedPipe(instance->pipe, &operation), instance->pipe, &operation, &unused))
        return TRUE;
    return GetLastError() == ERROR_PIPE_CONNECTED || GetLastError() == ERROR_NO_DATA; // it came before we waited
}

// receive shows what the client writes until it leaves. A message that is longer than the buffer comes in parts.
static void receive(Instance *instance) {
    char buffer[1024];
    std::string message;
    for (;;) {
        OVERLAPPED operation = {};
        DWORD count = 0;
        operation.hEvent = instance->read_done;
        BOOL whole = finish(ReadFile(instance->pipe, buffer, sizeof buffer, &count, &operation), instance->pipe, &operation, &count);
        if (!whole && GetLastError() != ERROR_MORE_DATA)
            return;
        message.append(buffer, count);
        if (whole) {
            show("received: ", message.data(), message.size());
            message.clear();
        }
    }
}

static DWORD WINAPI serve(LPVOID argument) {
    Instance *instance = (Instance *)argument;
    while (connect(instance)) {
        InterlockedExchange(&instance->connected, 1);
        show("connected", "", 0);
        receive(instance);
        InterlockedExchange(&instance->connected, 0);
        show("the client has left", "", 0);
        if (!DisconnectNamedPipe(instance->pipe))
            break;
    }
    return 0;
}

static void create(Instance *instance, const char *name, DWORD instances) {
    DWORD mode = message_type ? PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE : PIPE_TYPE_BYTE | PIPE_READMODE_BYTE;
    instance->connected = 0;
    instance->read_done = CreateEventA(NULL, TRUE, FALSE, NULL);
    instance->write_done = CreateEventA(NULL, TRUE, FALSE, NULL);
    instance->pipe = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, mode | PIPE_WAIT, instances, 0, 0, 1000, NULL);
    if (instance->pipe == INVALID_HANDLE_VALUE)
        fail("CreateNamedPipe");
    instance->thread = CreateThread(NULL, 0, serve, instance, 0, NULL);
    if (instance->thread == NULL)
        fail("CreateThread");
}

// send writes to a client; one that left in the meantime is not our concern.
static void send(Instance *instance, const char *text) {
    OVERLAPPED operation = {};
    DWORD count = 0;
    operation.hEvent = instance->write_done;
    finish(WriteFile(instance->pipe, text, (DWORD)strlen(text), &count, &operation), instance->pipe, &operation, &count);
}

// close ends the connection and the instance: the thread's call fails with the handle's end.
static void close(Instance *instance) {
    DisconnectNamedPipe(instance->pipe);
    CancelIoEx(instance->pipe, NULL);
    while (WaitForSingleObject(instance->thread, 10) == WAIT_TIMEOUT)
        CancelIoEx(instance->pipe, NULL); // it may have been on its way into ConnectNamedPipe
    CloseHandle(instance->thread);
    CloseHandle(instance->pipe);
    CloseHandle(instance->read_done);
    CloseHandle(instance->write_done);
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "\\\\.\\pipe\\Test";
    message_type = argc > 2 && strcmp(argv[2], "message") == 0;
    int count = argc > 3 ? atoi(argv[3]) : 1;
    if (count < 1 || (argc > 2 && !message_type && strcmp(argv[2], "byte") != 0)) {
        fprintf(stderr, "usage: server [NAME [byte|message [INSTANCES]]]\n");
        return 2;
    }
    std::vector<Instance> instances(count);
    for (Instance &instance : instances)
        create(&instance, name, (DWORD)count);
    show("created ", name, strlen(name));
    char line[1024];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\r\n")] = 0;
        for (Instance &instance : instances)
            if (instance.connected)
                send(&instance, line);
    }
    for (Instance &instance : instances)
        close(&instance);
    return 0;
}
