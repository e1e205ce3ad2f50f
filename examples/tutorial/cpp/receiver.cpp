// receiver: the tutorial's client that receives. A thread reads, because ReadFile waits; the main thread stays free for what else
// there is to do, and here waits for the thread. It ends when the server does.
//
//   receiver NAME [message]      message: read whole messages instead of what has come
#include <windows.h>

#include <cstdio>
#include <cstring>

static int fail(const char *what) {
    fprintf(stderr, "%s: error %u\n", what, (unsigned)GetLastError());
    return 1;
}

static DWORD WINAPI receive(LPVOID argument) {
    HANDLE pipe = (HANDLE)argument;
    char buffer[1024];
    DWORD count = 0;
    while (ReadFile(pipe, buffer, sizeof buffer, &count, NULL)) {
        printf("received: %.*s\n", (int)count, buffer);
        fflush(stdout);
    }
    return GetLastError();
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: receiver NAME [message]\n");
        return 2;
    }
    const char *name = argv[1];
    HANDLE pipe;
    do { // WaitNamedPipe reserves nothing: of all who waited, one gets the instance, and the others wait again
        if (!WaitNamedPipeA(name, NMPWAIT_WAIT_FOREVER))
            return fail("WaitNamedPipe");
        pipe = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    } while (pipe == INVALID_HANDLE_VALUE && GetLastError() == ERROR_PIPE_BUSY);
    if (pipe == INVALID_HANDLE_VALUE)
        return fail("CreateFile");
    DWORD mode = PIPE_READMODE_MESSAGE;
    if (argc > 2 && !SetNamedPipeHandleState(pipe, &mode, NULL, NULL))
        return fail("SetNamedPipeHandleState");
    printf("connected\n");
    fflush(stdout);
    HANDLE thread = CreateThread(NULL, 0, receive, pipe, 0, NULL);
    if (thread == NULL)
        return fail("CreateThread");
    WaitForSingleObject(thread, INFINITE);
    DWORD reason = 0;
    GetExitCodeThread(thread, &reason);
    printf("the server has left: error %u\n", (unsigned)reason); // 109: closed, 233: disconnected
    CloseHandle(thread);
    CloseHandle(pipe);
    return 0;
}
