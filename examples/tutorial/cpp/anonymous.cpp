// anonymous: the tutorial's first half. Two anonymous pipes are the standard input and output of a child process, which is
// this program again: the parent writes lines to the one pipe and reads from the other what the child made of them.
//
//   anonymous TEXT...
#include <windows.h>

#include <cctype>
#include <cstdio>
#include <cstring>
#include <string>

static int fail(const char *what) {
    fprintf(stderr, "%s: error %u\n", what, (unsigned)GetLastError());
    return 1;
}

// child turns its standard input into capitals.
static int child() {
    for (int c; (c = getchar()) != EOF;)
        putchar(toupper(c));
    return 0;
}

// redirected starts this program as a child that reads from input and writes to output.
static BOOL redirected(HANDLE input, HANDLE output, PROCESS_INFORMATION *process) {
    char path[MAX_PATH];
    if (!GetModuleFileNameA(NULL, path, sizeof path))
        return FALSE;
    std::string command = std::string("\"") + path + "\"";
    STARTUPINFOA start = {};
    start.cb = sizeof start;
    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdInput = input;
    start.hStdOutput = output;
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    return CreateProcessA(NULL, &command[0], NULL, NULL, TRUE, 0, NULL, NULL, &start, process);
}

int main(int argc, char **argv) {
    if (argc < 2)
        return child();
    SECURITY_ATTRIBUTES inheritable = {sizeof inheritable, NULL, TRUE};
    HANDLE child_input, to_child, from_child, child_output;
    if (!CreatePipe(&child_input, &to_child, &inheritable, 0) || !CreatePipe(&from_child, &child_output, &inheritable, 0))
        return fail("CreatePipe");
    SetHandleInformation(to_child, HANDLE_FLAG_INHERIT, 0); // the parent's ends are not the child's,
    SetHandleInformation(from_child, HANDLE_FLAG_INHERIT, 0);
    PROCESS_INFORMATION process = {};
    if (!redirected(child_input, child_output, &process))
        return fail("CreateProcess");
    CloseHandle(child_input); // and the child's are not the parent's: else nobody would ever see an end
    CloseHandle(child_output);
    for (int i = 1; i < argc; i++) {
        std::string line = std::string(argv[i]) + "\n";
        DWORD written = 0;
        if (!WriteFile(to_child, line.data(), (DWORD)line.size(), &written, NULL))
            return fail("WriteFile");
    }
    CloseHandle(to_child);
    char buffer[256];
    DWORD count = 0;
    while (ReadFile(from_child, buffer, sizeof buffer, &count, NULL))
        fwrite(buffer, 1, count, stdout);
    if (GetLastError() != ERROR_BROKEN_PIPE)
        return fail("ReadFile");
    CloseHandle(from_child);
    WaitForSingleObject(process.hProcess, INFINITE);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return 0;
}
