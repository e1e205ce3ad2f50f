/* child.c: a process with its standard input and output on anonymous pipes. Run as "child echo" it is its own child. */
#include <windows.h>
#include <stdio.h>
#include <string.h>

static int be_the_child(void)
{
    char buffer[64];
    DWORD n;
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out = GetStdHandle(STD_OUTPUT_HANDLE);
    while (ReadFile(in, buffer, sizeof buffer, &n, NULL) && n > 0)
    {
        DWORD i, written;
        for (i = 0; i < n; i++)
            if (buffer[i] >= 'a' && buffer[i] <= 'z')
                buffer[i] = (char)(buffer[i] - 32);
        WriteFile(out, buffer, n, &written, NULL);
    }
    return 42;
}

int main(int argc, char **argv)
{
    HANDLE child_in, child_out, to_child, from_child;
    SECURITY_ATTRIBUTES security = {sizeof security, NULL, TRUE};
    STARTUPINFO startup;
    PROCESS_INFORMATION process;
    char command[MAX_PATH + 16], path[MAX_PATH], reply[64];
    DWORD n, total = 0;
    if (argc > 1 && strcmp(argv[1], "echo") == 0)
        return be_the_child();
    if (!CreatePipe(&child_in, &to_child, &security, 0) || !CreatePipe(&from_child, &child_out, &security, 0))
        return 1;
    SetHandleInformation(to_child, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(from_child, HANDLE_FLAG_INHERIT, 0);
    ZeroMemory(&startup, sizeof startup);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = child_in;
    startup.hStdOutput = child_out;
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    GetModuleFileName(NULL, path, sizeof path);
    sprintf(command, "\"%s\" echo", path);
    if (!CreateProcess(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        return printf("CreateProcess: %d\n", (int)GetLastError()), 1;
    CloseHandle(child_in);
    CloseHandle(child_out);
    WriteFile(to_child, "through two pipes", 17, &n, NULL);
    CloseHandle(to_child);
    while (total < sizeof reply && ReadFile(from_child, reply + total, (DWORD)sizeof reply - total, &n, NULL))
        total += n;
    printf("read: %d %.*s\n", (int)GetLastError(), (int)total, reply);
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &n);
    printf("exit code %d\n", (int)n);
    CloseHandle(process.hProcess);
    CloseHandle(process.hThread);
    CloseHandle(from_child);
    return 0;
}
