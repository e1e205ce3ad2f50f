/* threads_server.c: a server with a thread for each client, and its clients, in one program. Typical of what Win32 programmers
 * write: TCHAR, strsafe, the heap, _tmain. The output does not depend on the order in which threads run. */
#include <windows.h>
#include <stdio.h>
#include <tchar.h>
#include <strsafe.h>

#define BUFSIZE 512
#define CLIENTS 5

static const LPCTSTR lpszPipename = TEXT("\\\\.\\pipe\\anypipe-sample-threads");

DWORD WINAPI InstanceThread(LPVOID lpvParam);
DWORD WINAPI ClientThread(LPVOID lpvParam);
VOID GetAnswerToRequest(LPTSTR pchRequest, LPTSTR pchReply, LPDWORD pchBytes);

int _tmain(VOID)
{
    BOOL fConnected = FALSE;
    DWORD dwThreadId = 0, dwCode, dwTotal = 0;
    HANDLE hPipe = INVALID_HANDLE_VALUE, hThread = NULL, hClients[CLIENTS];
    int i;

    for (i = 0; i < CLIENTS; i++)
    {
        hPipe = CreateNamedPipe(
            lpszPipename,              // pipe name
            PIPE_ACCESS_DUPLEX,        // read/write access
            PIPE_TYPE_MESSAGE |        // message type pipe
            PIPE_READMODE_MESSAGE |    // message-read mode
            PIPE_WAIT,                 // blocking mode
            PIPE_UNLIMITED_INSTANCES,  // max. instances
            BUFSIZE,                   // output buffer size
            BUFSIZE,                   // input buffer size
            0,                         // client time-out
            NULL);                     // default security attribute
        if (hPipe == INVALID_HANDLE_VALUE)
        {
            _tprintf(TEXT("CreateNamedPipe failed, GLE=%u.\n"), (unsigned)GetLastError());
            return -1;
        }
        hClients[i] = CreateThread(NULL, 0, ClientThread, (LPVOID)(INT_PTR)i, 0, &dwThreadId);
        fConnected = ConnectNamedPipe(hPipe, NULL) ? TRUE : (GetLastError() == ERROR_PIPE_CONNECTED);
        if (!fConnected)
        {
            CloseHandle(hPipe);
            continue;
        }
        hThread = CreateThread(NULL, 0, InstanceThread, (LPVOID)hPipe, 0, &dwThreadId);
        if (hThread == NULL)
        {
            _tprintf(TEXT("CreateThread failed, GLE=%u.\n"), (unsigned)GetLastError());
            return -1;
        }
        CloseHandle(hThread);
    }
    WaitForMultipleObjects(CLIENTS, hClients, TRUE, INFINITE);
    for (i = 0; i < CLIENTS; i++)
    {
        GetExitCodeThread(hClients[i], &dwCode);
        dwTotal += dwCode;
        CloseHandle(hClients[i]);
    }
    _tprintf(TEXT("%u of %d clients were answered\n"), (unsigned)dwTotal, CLIENTS);
    return 0;
}

DWORD WINAPI InstanceThread(LPVOID lpvParam)
{
    HANDLE hHeap = GetProcessHeap();
    TCHAR *pchRequest = (TCHAR *)HeapAlloc(hHeap, 0, BUFSIZE * sizeof(TCHAR));
    TCHAR *pchReply = (TCHAR *)HeapAlloc(hHeap, HEAP_ZERO_MEMORY, BUFSIZE * sizeof(TCHAR));
    DWORD cbBytesRead = 0, cbReplyBytes = 0, cbWritten = 0;
    BOOL fSuccess = FALSE;
    HANDLE hPipe = (HANDLE)lpvParam;

    while (1)
    {
        fSuccess = ReadFile(hPipe, pchRequest, BUFSIZE * sizeof(TCHAR), &cbBytesRead, NULL);
        if (!fSuccess || cbBytesRead == 0)
        {
            if (GetLastError() != ERROR_BROKEN_PIPE)
                _tprintf(TEXT("InstanceThread ReadFile failed, GLE=%u.\n"), (unsigned)GetLastError());
            break;
        }
        GetAnswerToRequest(pchRequest, pchReply, &cbReplyBytes);
        fSuccess = WriteFile(hPipe, pchReply, cbReplyBytes, &cbWritten, NULL);
        if (!fSuccess || cbReplyBytes != cbWritten)
        {
            _tprintf(TEXT("InstanceThread WriteFile failed, GLE=%u.\n"), (unsigned)GetLastError());
            break;
        }
    }
    FlushFileBuffers(hPipe);
    DisconnectNamedPipe(hPipe);
    CloseHandle(hPipe);
    HeapFree(hHeap, 0, pchRequest);
    HeapFree(hHeap, 0, pchReply);
    return 1;
}

VOID GetAnswerToRequest(LPTSTR pchRequest, LPTSTR pchReply, LPDWORD pchBytes)
{
    if (FAILED(StringCchPrintf(pchReply, BUFSIZE, TEXT("answer to \"%s\""), pchRequest)))
    {
        *pchBytes = 0;
        pchReply[0] = 0;
        return;
    }
    *pchBytes = (lstrlen(pchReply) + 1) * sizeof(TCHAR);
}

/* Opens the pipe, waiting while it is busy, and asks one question. Returns 1 for the right answer. */
DWORD WINAPI ClientThread(LPVOID lpvParam)
{
    HANDLE hPipe;
    TCHAR chRequest[64], chExpected[64], chReply[BUFSIZE];
    DWORD cbRead, cbWritten, dwMode = PIPE_READMODE_MESSAGE;

    while (1)
    {
        hPipe = CreateFile(lpszPipename, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
        if (hPipe != INVALID_HANDLE_VALUE)
            break;
        if (GetLastError() != ERROR_PIPE_BUSY || !WaitNamedPipe(lpszPipename, 20000))
        {
            _tprintf(TEXT("Could not open pipe, GLE=%u.\n"), (unsigned)GetLastError());
            return 0;
        }
    }
    if (!SetNamedPipeHandleState(hPipe, &dwMode, NULL, NULL))
        return 0;
    StringCchPrintf(chRequest, 64, TEXT("question %d"), (int)(INT_PTR)lpvParam);
    StringCchPrintf(chExpected, 64, TEXT("answer to \"question %d\""), (int)(INT_PTR)lpvParam);
    if (!WriteFile(hPipe, chRequest, (lstrlen(chRequest) + 1) * sizeof(TCHAR), &cbWritten, NULL))
        return 0;
    if (!ReadFile(hPipe, chReply, sizeof(chReply), &cbRead, NULL))
        return 0;
    CloseHandle(hPipe);
    return lstrcmp(chReply, chExpected) == 0 && cbRead == (lstrlen(chExpected) + 1) * sizeof(TCHAR);
}
