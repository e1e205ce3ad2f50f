/* processthreadsapi.h: threads, procedure calls to them, and child processes. */
#ifndef ANYPIPE_PROCESSTHREADSAPI_H
#define ANYPIPE_PROCESSTHREADSAPI_H

#include "handleapi.h"

#define CREATE_SUSPENDED 0x4u
#define DETACHED_PROCESS 0x8u
#define CREATE_NEW_CONSOLE 0x10u
#define NORMAL_PRIORITY_CLASS 0x20u
#define CREATE_NEW_PROCESS_GROUP 0x200u
#define CREATE_UNICODE_ENVIRONMENT 0x400u
#define STACK_SIZE_PARAM_IS_A_RESERVATION 0x10000u
#define CREATE_NO_WINDOW 0x08000000u
#define STARTF_USESHOWWINDOW 0x1u
#define STARTF_USESTDHANDLES 0x100u
#define SW_HIDE 0
#define THREAD_PRIORITY_NORMAL 0
#define THREAD_PRIORITY_ABOVE_NORMAL 1
#define THREAD_PRIORITY_HIGHEST 2

#define ANYPIPE_W32_STARTUPINFO(text)                                                                   \
    {                                                                                               \
        DWORD cb;                                                                                   \
        text lpReserved, lpDesktop, lpTitle;                                                        \
        DWORD dwX, dwY, dwXSize, dwYSize, dwXCountChars, dwYCountChars, dwFillAttribute, dwFlags; \
        WORD wShowWindow, cbReserved2;                                                              \
        LPBYTE lpReserved2;                                                                         \
        HANDLE hStdInput, hStdOutput, hStdError;                                                    \
    }
typedef struct _STARTUPINFOA ANYPIPE_W32_STARTUPINFO(LPSTR) STARTUPINFOA, *LPSTARTUPINFOA;
typedef struct _STARTUPINFOW ANYPIPE_W32_STARTUPINFO(LPWSTR) STARTUPINFOW, *LPSTARTUPINFOW;
#ifdef UNICODE
typedef STARTUPINFOW STARTUPINFO, *LPSTARTUPINFO;
#else
typedef STARTUPINFOA STARTUPINFO, *LPSTARTUPINFO;
#endif

typedef struct _PROCESS_INFORMATION {
    HANDLE hProcess;
    HANDLE hThread;
    DWORD dwProcessId;
    DWORD dwThreadId;
} PROCESS_INFORMATION, *PPROCESS_INFORMATION, *LPPROCESS_INFORMATION;

ANYPIPE_W32_BEGIN
HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES security, SIZE_T stack, LPTHREAD_START_ROUTINE start, LPVOID parameter, DWORD flags,
                           LPDWORD id) ANYPIPE_W32(CreateThread);
VOID WINAPI ExitThread(DWORD code) ANYPIPE_W32(ExitThread) __attribute__((noreturn));
DWORD WINAPI ResumeThread(HANDLE thread) ANYPIPE_W32(ResumeThread);
BOOL WINAPI GetExitCodeThread(HANDLE thread, LPDWORD code) ANYPIPE_W32(GetExitCodeThread);
/* Always fails (ERROR_NOT_SUPPORTED): a thread can't be ended from outside without harm to its process. */
BOOL WINAPI TerminateThread(HANDLE thread, DWORD code) ANYPIPE_W32(TerminateThread);
BOOL WINAPI SetThreadPriority(HANDLE thread, int priority) ANYPIPE_W32(SetThreadPriority);
HANDLE WINAPI GetCurrentThread(VOID) ANYPIPE_W32(GetCurrentThread);
DWORD WINAPI GetCurrentThreadId(VOID) ANYPIPE_W32(GetCurrentThreadId);
DWORD WINAPI GetThreadId(HANDLE thread) ANYPIPE_W32(GetThreadId);
BOOL WINAPI SwitchToThread(VOID) ANYPIPE_W32(SwitchToThread);
DWORD WINAPI QueueUserAPC(PAPCFUNC function, HANDLE thread, ULONG_PTR parameter) ANYPIPE_W32(QueueUserAPC);

BOOL WINAPI CreateProcessA(LPCSTR application, LPSTR command, LPSECURITY_ATTRIBUTES process, LPSECURITY_ATTRIBUTES thread, BOOL inherit,
                           DWORD flags, LPVOID environment, LPCSTR folder, LPSTARTUPINFOA startup, LPPROCESS_INFORMATION information)
    ANYPIPE_W32(CreateProcessA);
BOOL WINAPI CreateProcessW(LPCWSTR application, LPWSTR command, LPSECURITY_ATTRIBUTES process, LPSECURITY_ATTRIBUTES thread, BOOL inherit,
                           DWORD flags, LPVOID environment, LPCWSTR folder, LPSTARTUPINFOW startup, LPPROCESS_INFORMATION information)
    ANYPIPE_W32_WIDE(CreateProcessW);
BOOL WINAPI CreateProcess(LPCTSTR application, LPTSTR command, LPSECURITY_ATTRIBUTES process, LPSECURITY_ATTRIBUTES thread, BOOL inherit,
                          DWORD flags, LPVOID environment, LPCTSTR folder, LPSTARTUPINFO startup, LPPROCESS_INFORMATION information)
    ANYPIPE_W32_CHOSEN(CreateProcess);
VOID WINAPI GetStartupInfoA(LPSTARTUPINFOA startup) ANYPIPE_W32(GetStartupInfoA);
VOID WINAPI GetStartupInfoW(LPSTARTUPINFOW startup) ANYPIPE_W32_WIDE(GetStartupInfoW);
VOID WINAPI GetStartupInfo(LPSTARTUPINFO startup) ANYPIPE_W32_CHOSEN(GetStartupInfo);
VOID WINAPI ExitProcess(UINT code) ANYPIPE_W32(ExitProcess) __attribute__((noreturn));
BOOL WINAPI TerminateProcess(HANDLE process, UINT code) ANYPIPE_W32(TerminateProcess);
BOOL WINAPI GetExitCodeProcess(HANDLE process, LPDWORD code) ANYPIPE_W32(GetExitCodeProcess);
HANDLE WINAPI GetCurrentProcess(VOID) ANYPIPE_W32(GetCurrentProcess);
DWORD WINAPI GetCurrentProcessId(VOID) ANYPIPE_W32(GetCurrentProcessId);
DWORD WINAPI GetProcessId(HANDLE process) ANYPIPE_W32(GetProcessId);
BOOL WINAPI ProcessIdToSessionId(DWORD process, DWORD *session) ANYPIPE_W32(ProcessIdToSessionId);
ANYPIPE_W32_END

#endif
