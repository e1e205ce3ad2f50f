// writer: the tutorial's client that writes. It waits for an instance, opens the pipe, writes its arguments, each with one
// WriteFile, and closes.
//
//   writer NAME TEXT...
#include <windows.h>

#include <cstdio>
#include <cstring>

static int fail(const char *what) {
    fprintf(stderr, "%s: error %u\n", what, (unsigned)GetLastError());
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: writer NAME TEXT...\n");
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
    for (int i = 2; i < argc; i++) {
        DWORD written = 0;
        if (!WriteFile(pipe, argv[i], (DWORD)strlen(argv[i]), &written, NULL))
            return fail("WriteFile");
        printf("wrote %u bytes\n", (unsigned)written);
    }
    CloseHandle(pipe);
    return 0;
}
