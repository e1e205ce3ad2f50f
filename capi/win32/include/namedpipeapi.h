/* namedpipeapi.h: the pipe functions. What each does in each state is in docs/semantics.md. */
#ifndef ANYPIPE_NAMEDPIPEAPI_H
#define ANYPIPE_NAMEDPIPEAPI_H

#include "fileapi.h"

#define PIPE_ACCESS_INBOUND 1u
#define PIPE_ACCESS_OUTBOUND 2u
#define PIPE_ACCESS_DUPLEX 3u
#define PIPE_CLIENT_END 0u
#define PIPE_SERVER_END 1u
#define PIPE_WAIT 0u
#define PIPE_NOWAIT 1u
#define PIPE_READMODE_BYTE 0u
#define PIPE_READMODE_MESSAGE 2u
#define PIPE_TYPE_BYTE 0u
#define PIPE_TYPE_MESSAGE 4u
#define PIPE_ACCEPT_REMOTE_CLIENTS 0u
#define PIPE_REJECT_REMOTE_CLIENTS 8u
#define PIPE_UNLIMITED_INSTANCES 255u
#define NMPWAIT_WAIT_FOREVER 0xFFFFFFFFu
#define NMPWAIT_NOWAIT 1u
#define NMPWAIT_USE_DEFAULT_WAIT 0u

ANYPIPE_W32_BEGIN
#define ANYPIPE_W32_CreateNamedPipe(C, M)                                                                               \
    (C name, DWORD open_mode, DWORD pipe_mode, DWORD max_instances, DWORD out_buffer, DWORD in_buffer, DWORD timeout, \
     LPSECURITY_ATTRIBUTES security)
ANYPIPE_W32_AW(HANDLE, CreateNamedPipe);
#define ANYPIPE_W32_WaitNamedPipe(C, M) (C name, DWORD timeout)
ANYPIPE_W32_AW(BOOL, WaitNamedPipe);
#define ANYPIPE_W32_CallNamedPipe(C, M) \
    (C name, LPVOID request, DWORD request_size, LPVOID reply, DWORD reply_size, LPDWORD length, DWORD timeout)
ANYPIPE_W32_AW(BOOL, CallNamedPipe);
#define ANYPIPE_W32_GetNamedPipeHandleState(C, M)                                                                    \
    (HANDLE pipe, LPDWORD state, LPDWORD instances, LPDWORD collection_count, LPDWORD collection_timeout, M user, \
     DWORD user_size)
ANYPIPE_W32_AW(BOOL, GetNamedPipeHandleState);
#define ANYPIPE_W32_GetNamedPipeClientComputerName(C, M) (HANDLE pipe, M name, ULONG size)
ANYPIPE_W32_AW(BOOL, GetNamedPipeClientComputerName);

BOOL WINAPI ConnectNamedPipe(HANDLE pipe, LPOVERLAPPED overlapped) ANYPIPE_W32(ConnectNamedPipe);
BOOL WINAPI DisconnectNamedPipe(HANDLE pipe) ANYPIPE_W32(DisconnectNamedPipe);
BOOL WINAPI PeekNamedPipe(HANDLE pipe, LPVOID buffer, DWORD size, LPDWORD length, LPDWORD available, LPDWORD left)
    ANYPIPE_W32(PeekNamedPipe);
BOOL WINAPI TransactNamedPipe(HANDLE pipe, LPVOID request, DWORD request_size, LPVOID reply, DWORD reply_size, LPDWORD length,
                              LPOVERLAPPED overlapped) ANYPIPE_W32(TransactNamedPipe);
BOOL WINAPI SetNamedPipeHandleState(HANDLE pipe, LPDWORD mode, LPDWORD collection_count, LPDWORD collection_timeout)
    ANYPIPE_W32(SetNamedPipeHandleState);
BOOL WINAPI GetNamedPipeInfo(HANDLE pipe, LPDWORD flags, LPDWORD out_buffer, LPDWORD in_buffer, LPDWORD max_instances)
    ANYPIPE_W32(GetNamedPipeInfo);
BOOL WINAPI GetNamedPipeClientProcessId(HANDLE pipe, PULONG id) ANYPIPE_W32(GetNamedPipeClientProcessId);
BOOL WINAPI GetNamedPipeClientSessionId(HANDLE pipe, PULONG id) ANYPIPE_W32(GetNamedPipeClientSessionId);
BOOL WINAPI GetNamedPipeServerProcessId(HANDLE pipe, PULONG id) ANYPIPE_W32(GetNamedPipeServerProcessId);
BOOL WINAPI GetNamedPipeServerSessionId(HANDLE pipe, PULONG id) ANYPIPE_W32(GetNamedPipeServerSessionId);
/* The server process must be root; see capi/win32/README.md. */
BOOL WINAPI ImpersonateNamedPipeClient(HANDLE pipe) ANYPIPE_W32(ImpersonateNamedPipeClient);
/* An anonymous pipe of this system, which a child process can have as its standard input or output. */
BOOL WINAPI CreatePipe(PHANDLE read_end, PHANDLE write_end, LPSECURITY_ATTRIBUTES security, DWORD size) ANYPIPE_W32(CreatePipe);
ANYPIPE_W32_END

#endif
