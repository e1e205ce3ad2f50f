/* transact_client.c: TransactNamedPipe with a reply that is longer than its buffer, and CallNamedPipe; with a small server on a thread.
 * Written for TCHAR: it is compiled with and without UNICODE. */
#include <windows.h>
#include <stdio.h>
#include <conio.h>
#include <tchar.h>

#define BUFSIZE 16

static LPCTSTR lpszPipename = TEXT("\\\\.\\pipe\\anypipe-sample-transact");

static DWORD WINAPI Server(LPVOID parameter)
{
    HANDLE hPipe = (HANDLE)parameter;
    TCHAR chRequest[64];
    static const TCHAR chReply[] = TEXT("a reply of several parts, longer than the buffer");
    DWORD n;
    int clients;
    for (clients = 0; clients < 2; clients++)
    {
        if (!ConnectNamedPipe(hPipe, NULL) && GetLastError() != ERROR_PIPE_CONNECTED)
            return 1;
        while (ReadFile(hPipe, chRequest, sizeof chRequest, &n, NULL))
        {
            _tprintf(TEXT("server: \"%s\"\n"), chRequest);
            if (!WriteFile(hPipe, chReply, sizeof chReply, &n, NULL))
                return 2;
        }
        if (GetLastError() != ERROR_BROKEN_PIPE || !DisconnectNamedPipe(hPipe))
            return 3;
    }
    return 0;
}

int _tmain(int argc, TCHAR *argv[])
{
    HANDLE hServer, hPipe, hThread;
    LPCTSTR lpszWrite = TEXT("a request");
    TCHAR chReadBuf[BUFSIZE];
    BOOL fSuccess;
    DWORD cbRead, dwMode = PIPE_READMODE_MESSAGE;
    (void)argv;

    _tprintf(TEXT("%d arguments\n"), argc - 1);
    hServer = CreateNamedPipe(lpszPipename, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 1, 0, 0, 0, NULL);
    if (hServer == INVALID_HANDLE_VALUE)
        return _tprintf(TEXT("create: %d\n"), (int)GetLastError()), 1;
    hThread = CreateThread(NULL, 0, Server, hServer, 0, NULL);
    hPipe = CreateFile(lpszPipename, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (hPipe == INVALID_HANDLE_VALUE)
        return _tprintf(TEXT("open: %d\n"), (int)GetLastError()), 1;
    if (!SetNamedPipeHandleState(hPipe, &dwMode, NULL, NULL))
        return _tprintf(TEXT("mode: %d\n"), (int)GetLastError()), 1;
    fSuccess = TransactNamedPipe(hPipe, (LPVOID)lpszWrite, (lstrlen(lpszWrite) + 1) * sizeof(TCHAR), chReadBuf,
        BUFSIZE * sizeof(TCHAR), &cbRead, NULL);
    while (1)
    {
        _tprintf(TEXT("%.*s|\n"), (int)(cbRead / sizeof(TCHAR)), chReadBuf);
        if (fSuccess)
            break;
        if (GetLastError() != ERROR_MORE_DATA)
            return _tprintf(TEXT("transact: %d\n"), (int)GetLastError()), 1;
        fSuccess = ReadFile(hPipe, chReadBuf, BUFSIZE * sizeof(TCHAR), &cbRead, NULL);
    }
    CloseHandle(hPipe);
    fSuccess = CallNamedPipe(lpszPipename, (LPVOID)lpszWrite, (lstrlen(lpszWrite) + 1) * sizeof(TCHAR), chReadBuf,
        BUFSIZE * sizeof(TCHAR), &cbRead, NMPWAIT_WAIT_FOREVER);
    _tprintf(TEXT("call: %d, %d, %.*s|\n"), fSuccess, fSuccess ? 0 : (int)GetLastError(), (int)(cbRead / sizeof(TCHAR)), chReadBuf);
    WaitForSingleObject(hThread, INFINITE);
    GetExitCodeThread(hThread, &cbRead);
    _tprintf(TEXT("server ended with %d\n"), (int)cbRead);
    CloseHandle(hThread);
    CloseHandle(hServer);
    return 0;
}
