/* routine_server.c: a server whose work is done by completion routines, in alertable waits. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "\\\\.\\pipe\\anypipe-sample-routine"

typedef struct {
    OVERLAPPED oOverlap; /* first, so that a routine finds the rest */
    HANDLE hPipeInst;
    char chRequest[64], chReply[64];
    DWORD cbToWrite;
} PIPEINST, *LPPIPEINST;

static HANDLE hPipe;
static int live, gone;

static VOID WINAPI CompletedReadRoutine(DWORD, DWORD, LPOVERLAPPED);

static VOID DisconnectAndClose(LPPIPEINST lpPipeInst)
{
    if (!DisconnectNamedPipe(lpPipeInst->hPipeInst))
        printf("DisconnectNamedPipe failed with %d.\n", (int)GetLastError());
    CloseHandle(lpPipeInst->hPipeInst);
    GlobalFree(lpPipeInst);
    live--;
    gone++;
}

static VOID WINAPI CompletedWriteRoutine(DWORD dwErr, DWORD cbWritten, LPOVERLAPPED lpOverLap)
{
    LPPIPEINST lpPipeInst = (LPPIPEINST)lpOverLap;
    BOOL fRead = FALSE;
    if (dwErr == 0 && cbWritten == lpPipeInst->cbToWrite)
        fRead = ReadFileEx(lpPipeInst->hPipeInst, lpPipeInst->chRequest, sizeof lpPipeInst->chRequest, &lpPipeInst->oOverlap, CompletedReadRoutine);
    if (!fRead)
        DisconnectAndClose(lpPipeInst);
}

static VOID WINAPI CompletedReadRoutine(DWORD dwErr, DWORD cbBytesRead, LPOVERLAPPED lpOverLap)
{
    LPPIPEINST lpPipeInst = (LPPIPEINST)lpOverLap;
    BOOL fWrite = FALSE;
    if (dwErr == 0 && cbBytesRead != 0)
    {
        lpPipeInst->cbToWrite = (DWORD)sprintf(lpPipeInst->chReply, "%.*s, heard", (int)cbBytesRead, lpPipeInst->chRequest);
        fWrite = WriteFileEx(lpPipeInst->hPipeInst, lpPipeInst->chReply, lpPipeInst->cbToWrite, &lpPipeInst->oOverlap, CompletedWriteRoutine);
    }
    if (!fWrite)
        DisconnectAndClose(lpPipeInst);
}

static BOOL CreateAndConnectInstance(LPOVERLAPPED lpoOverlap)
{
    hPipe = CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT,
        PIPE_UNLIMITED_INSTANCES, 64, 64, 5000, NULL);
    if (hPipe == INVALID_HANDLE_VALUE)
    {
        printf("CreateNamedPipe failed with %d.\n", (int)GetLastError());
        exit(1);
    }
    ResetEvent(lpoOverlap->hEvent);
    if (ConnectNamedPipe(hPipe, lpoOverlap))
        exit(2);
    switch (GetLastError())
    {
    case ERROR_IO_PENDING:
        return TRUE;
    case ERROR_PIPE_CONNECTED:
        SetEvent(lpoOverlap->hEvent);
        return FALSE;
    }
    printf("ConnectNamedPipe failed with %d.\n", (int)GetLastError());
    exit(3);
}

static DWORD WINAPI Clients(LPVOID parameter)
{
    HANDLE hClient;
    DWORD n, i;
    char reply[64];
    (void)parameter;
    for (i = 0; i < 4; i++)
    {
        while ((hClient = CreateFile(NAME, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL)) == INVALID_HANDLE_VALUE)
            if (GetLastError() != ERROR_PIPE_BUSY || !WaitNamedPipe(NAME, 20000))
                return 1;
        if (!WriteFile(hClient, "word", 4, &n, NULL) || !ReadFile(hClient, reply, sizeof reply, &n, NULL))
            return 2;
        printf("client %d: %.*s\n", (int)i, (int)n, reply);
        CloseHandle(hClient);
    }
    return 0;
}

int main(void)
{
    OVERLAPPED oConnect;
    LPPIPEINST lpPipeInst;
    DWORD dwWait, cbRet;
    BOOL fSuccess, fPendingIO;
    HANDLE hClients;

    memset(&oConnect, 0, sizeof oConnect);
    oConnect.hEvent = CreateEvent(NULL, TRUE, TRUE, NULL);
    fPendingIO = CreateAndConnectInstance(&oConnect);
    hClients = CreateThread(NULL, 0, Clients, NULL, 0, NULL);
    while (gone < 4)
    {
        dwWait = WaitForSingleObjectEx(oConnect.hEvent, INFINITE, TRUE);
        switch (dwWait)
        {
        case 0: /* a client has connected */
            if (fPendingIO)
            {
                fSuccess = GetOverlappedResult(hPipe, &oConnect, &cbRet, FALSE);
                if (!fSuccess)
                {
                    printf("ConnectNamedPipe (%d)\n", (int)GetLastError());
                    return 1;
                }
            }
            lpPipeInst = (LPPIPEINST)GlobalAlloc(GPTR, sizeof(PIPEINST));
            if (lpPipeInst == NULL)
                return 1;
            lpPipeInst->hPipeInst = hPipe;
            lpPipeInst->cbToWrite = 0;
            live++;
            CompletedWriteRoutine(0, 0, (LPOVERLAPPED)lpPipeInst);
            fPendingIO = CreateAndConnectInstance(&oConnect);
            break;
        case WAIT_IO_COMPLETION:
            break;
        default:
            printf("WaitForSingleObjectEx (%d)\n", (int)GetLastError());
            return 1;
        }
    }
    WaitForSingleObject(hClients, INFINITE);
    GetExitCodeThread(hClients, &cbRet);
    printf("clients ended with %d, %d came and went, %d are there\n", (int)cbRet, gone, live);
    CancelIo(hPipe);
    CloseHandle(hPipe);
    CloseHandle(hClients);
    CloseHandle(oConnect.hEvent);
    return (int)cbRet;
}
