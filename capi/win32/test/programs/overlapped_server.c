/* overlapped_server.c: one thread, three instances, an array of events; and a client that uses each instance. */
#include <windows.h>
#include <stdio.h>
#include <tchar.h>

#define INSTANCES 3
#define PIPE_NAME TEXT("\\\\.\\pipe\\anypipe-sample-overlapped")

typedef enum { CONNECTING_STATE, READING_STATE, WRITING_STATE } STATE;

typedef struct {
    OVERLAPPED oOverlap;
    HANDLE hPipeInst;
    CHAR chRequest[128];
    DWORD cbRead, cbToWrite;
    CHAR chReply[128];
    STATE dwState;
    BOOL fPendingIO;
} PIPEINST;

static PIPEINST Pipe[INSTANCES];
static HANDLE hEvents[INSTANCES + 1];
static LONG served;

/* Returns whether the connect is pending. */
static BOOL ConnectToNewClient(HANDLE hPipe, LPOVERLAPPED lpo)
{
    if (ConnectNamedPipe(hPipe, lpo))
        printf("ConnectNamedPipe returned at once\n");
    switch (GetLastError())
    {
    case ERROR_IO_PENDING:
        return TRUE;
    case ERROR_PIPE_CONNECTED:
        SetEvent(lpo->hEvent);
        return FALSE;
    default:
        printf("ConnectNamedPipe failed with %d.\n", (int)GetLastError());
        return FALSE;
    }
}

static void DisconnectAndReconnect(DWORD i)
{
    if (!DisconnectNamedPipe(Pipe[i].hPipeInst))
        printf("DisconnectNamedPipe failed with %d.\n", (int)GetLastError());
    Pipe[i].fPendingIO = ConnectToNewClient(Pipe[i].hPipeInst, &Pipe[i].oOverlap);
    Pipe[i].dwState = Pipe[i].fPendingIO ? CONNECTING_STATE : READING_STATE;
}

/* Every client asks twice, so that instances go through all states. */
static DWORD WINAPI Clients(LPVOID parameter)
{
    int round, i;
    HANDLE hPipe;
    DWORD n;
    char reply[64];
    (void)parameter;
    for (i = 0; i < 6; i++)
    {
        while ((hPipe = CreateFile(PIPE_NAME, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL)) == INVALID_HANDLE_VALUE)
            if (GetLastError() != ERROR_PIPE_BUSY || !WaitNamedPipe(PIPE_NAME, 20000))
                return 1;
        for (round = 0; round < 2; round++)
        {
            WriteFile(hPipe, "ping", 4, &n, NULL);
            if (!ReadFile(hPipe, reply, sizeof reply, &n, NULL))
                return 2;
            printf("client %d.%d: %.*s\n", i, round, (int)n, reply);
        }
        CloseHandle(hPipe);
    }
    return 0;
}

int main(void)
{
    DWORD i, dwWait, cbRet;
    BOOL fSuccess;
    HANDLE hClients;

    for (i = 0; i < INSTANCES; i++)
    {
        hEvents[i] = CreateEvent(NULL, TRUE, TRUE, NULL);
        Pipe[i].oOverlap.hEvent = hEvents[i];
        Pipe[i].hPipeInst = CreateNamedPipe(PIPE_NAME, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
            PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT, INSTANCES, 512, 512, 5000, NULL);
        if (Pipe[i].hPipeInst == INVALID_HANDLE_VALUE)
        {
            printf("CreateNamedPipe failed with %d.\n", (int)GetLastError());
            return 1;
        }
        Pipe[i].fPendingIO = ConnectToNewClient(Pipe[i].hPipeInst, &Pipe[i].oOverlap);
        Pipe[i].dwState = Pipe[i].fPendingIO ? CONNECTING_STATE : READING_STATE;
    }
    hClients = CreateThread(NULL, 0, Clients, NULL, 0, NULL);
    hEvents[INSTANCES] = hClients;
    while ((dwWait = WaitForMultipleObjects(INSTANCES + 1, hEvents, FALSE, INFINITE)) != WAIT_OBJECT_0 + INSTANCES)
    {
        i = dwWait - WAIT_OBJECT_0;
        if (i >= INSTANCES)
        {
            printf("Index out of range.\n");
            return 1;
        }
        if (Pipe[i].fPendingIO)
        {
            fSuccess = GetOverlappedResult(Pipe[i].hPipeInst, &Pipe[i].oOverlap, &cbRet, FALSE);
            if (Pipe[i].dwState == CONNECTING_STATE)
            {
                if (!fSuccess)
                {
                    printf("Error %d.\n", (int)GetLastError());
                    return 1;
                }
                Pipe[i].dwState = READING_STATE;
            }
            else if (Pipe[i].dwState == READING_STATE)
            {
                if (!fSuccess || cbRet == 0)
                {
                    DisconnectAndReconnect(i);
                    continue;
                }
                Pipe[i].cbRead = cbRet;
                Pipe[i].dwState = WRITING_STATE;
            }
            else
            {
                if (!fSuccess || cbRet != Pipe[i].cbToWrite)
                {
                    DisconnectAndReconnect(i);
                    continue;
                }
                Pipe[i].dwState = READING_STATE;
            }
        }
        if (Pipe[i].dwState == READING_STATE)
        {
            fSuccess = ReadFile(Pipe[i].hPipeInst, Pipe[i].chRequest, sizeof Pipe[i].chRequest, &Pipe[i].cbRead, &Pipe[i].oOverlap);
            if (fSuccess && Pipe[i].cbRead != 0)
            {
                Pipe[i].fPendingIO = FALSE;
                Pipe[i].dwState = WRITING_STATE;
                continue;
            }
            if (!fSuccess && GetLastError() == ERROR_IO_PENDING)
            {
                Pipe[i].fPendingIO = TRUE;
                continue;
            }
            DisconnectAndReconnect(i);
        }
        else
        {
            served++;
            Pipe[i].cbToWrite = (DWORD)sprintf(Pipe[i].chReply, "pong to %d bytes, number %d", (int)Pipe[i].cbRead, (int)served);
            fSuccess = WriteFile(Pipe[i].hPipeInst, Pipe[i].chReply, Pipe[i].cbToWrite, &cbRet, &Pipe[i].oOverlap);
            if (fSuccess && cbRet == Pipe[i].cbToWrite)
            {
                Pipe[i].fPendingIO = FALSE;
                Pipe[i].dwState = READING_STATE;
                continue;
            }
            if (!fSuccess && GetLastError() == ERROR_IO_PENDING)
            {
                Pipe[i].fPendingIO = TRUE;
                continue;
            }
            DisconnectAndReconnect(i);
        }
    }
    GetExitCodeThread(hClients, &cbRet);
    CloseHandle(hClients);
    for (i = 0; i < INSTANCES; i++)
    {
        CancelIo(Pipe[i].hPipeInst);
        CloseHandle(Pipe[i].hPipeInst);
        CloseHandle(hEvents[i]);
    }
    printf("clients ended with %d, served %d\n", (int)cbRet, (int)served);
    return (int)cbRet;
}
