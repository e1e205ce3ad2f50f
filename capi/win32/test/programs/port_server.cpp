// port_server.cpp: a completion port, two worker threads, eight clients on a byte pipe. C++.
#include <windows.h>
#include <process.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace {

const char *const Name = "\\\\.\\pipe\\anypipe-sample-port";
const int Clients = 8;

// A class with names that Win32 has too: no macro may rename them.
struct Session {
    enum State { Connecting, Reading, Writing };
    OVERLAPPED overlapped;
    HANDLE pipe;
    State state;
    char buffer[256];

    HANDLE port;

    // The state is set first: once the operation has started, the session belongs to whichever worker gets its packet.
    void ReadFile() {
        state = Reading;
        started(::ReadFile(pipe, buffer, sizeof buffer, NULL, &overlapped));
    }

    void WriteFile(DWORD length) {
        state = Writing;
        started(::WriteFile(pipe, buffer, length, NULL, &overlapped));
    }

private:
    // Success tells the port too, so only an error that is not "pending" ends it here.
    void started(BOOL done) {
        if (!done && GetLastError() != ERROR_IO_PENDING)
            PostQueuedCompletionStatus(port, 0, reinterpret_cast<ULONG_PTR>(this), NULL);
    }
};

LONG ended;

unsigned __stdcall Worker(void *parameter) {
    HANDLE port = parameter;
    for (;;) {
        DWORD length = 0;
        ULONG_PTR key = 0;
        LPOVERLAPPED overlapped = NULL;
        BOOL ok = GetQueuedCompletionStatus(port, &length, &key, &overlapped, INFINITE);
        Session *session = reinterpret_cast<Session *>(key);
        if (session == NULL)
            return 0;
        if (!ok || overlapped == NULL) {
            CloseHandle(session->pipe);
            if (InterlockedIncrement(&ended) == Clients)
                for (int i = 0; i < 2; ++i)
                    PostQueuedCompletionStatus(port, 0, 0, NULL);
        } else if (session->state == Session::Reading) {
            for (DWORD i = 0; i < length; ++i)
                session->buffer[i] = static_cast<char>(session->buffer[i] ^ 0x20);
            session->WriteFile(length);
        } else {
            session->ReadFile();
        }
    }
}

unsigned __stdcall Client(void *) {
    HANDLE pipe;
    while ((pipe = CreateFile(Name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL)) == INVALID_HANDLE_VALUE)
        if (GetLastError() != ERROR_PIPE_BUSY || !WaitNamedPipe(Name, 20000))
            return 0;
    unsigned right = 0;
    for (int i = 0; i < 50; ++i) {
        char reply[16];
        DWORD n = 0;
        if (WriteFile(pipe, "Hello", 5, &n, NULL) && ReadFile(pipe, reply, sizeof reply, &n, NULL))
            right += std::string(reply, n) == "hELLO";
    }
    CloseHandle(pipe);
    return right;
}

} // namespace

int main() {
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    std::vector<Session> sessions(Clients);
    for (Session &session : sessions) {
        std::memset(&session.overlapped, 0, sizeof session.overlapped);
        session.port = port;
        session.state = Session::Connecting;
        session.pipe = CreateNamedPipe(Name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE, Clients, 256, 256, 0, NULL);
        if (session.pipe == INVALID_HANDLE_VALUE || CreateIoCompletionPort(session.pipe, port, reinterpret_cast<ULONG_PTR>(&session), 0) != port)
            return std::printf("error %d\n", static_cast<int>(GetLastError())), 1;
        if (ConnectNamedPipe(session.pipe, &session.overlapped) || GetLastError() != ERROR_IO_PENDING)
            return std::printf("connect %d\n", static_cast<int>(GetLastError())), 1;
    }
    std::vector<HANDLE> threads;
    for (int i = 0; i < 2; ++i)
        threads.push_back(reinterpret_cast<HANDLE>(_beginthreadex(NULL, 0, Worker, port, 0, NULL)));
    for (int i = 0; i < Clients; ++i)
        threads.push_back(reinterpret_cast<HANDLE>(_beginthreadex(NULL, 0, Client, NULL, 0, NULL)));
    DWORD result = WaitForMultipleObjects(static_cast<DWORD>(threads.size()), threads.data(), TRUE, 30000);
    DWORD right = 0;
    for (HANDLE thread : threads) {
        DWORD code = 0;
        GetExitCodeThread(thread, &code);
        right += code;
        CloseHandle(thread);
    }
    CloseHandle(port);
    std::printf("wait %d, %d sessions ended, %d right answers\n", static_cast<int>(result), static_cast<int>(ended), static_cast<int>(right));
    return 0;
}
