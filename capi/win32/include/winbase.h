/* winbase.h: memory, messages, time, identity, descriptors and the console. */
#ifndef ANYPIPE_WINBASE_H
#define ANYPIPE_WINBASE_H

#include "errhandlingapi.h"
#include "fileapi.h"
#include "ioapiset.h"
#include "namedpipeapi.h"
#include "processthreadsapi.h"
#include "synchapi.h"

/* ---- memory ------------------------------------------------------------------------------------------------------ */

#define HEAP_NO_SERIALIZE 1u
#define HEAP_GENERATE_EXCEPTIONS 4u
#define HEAP_ZERO_MEMORY 8u
#define LMEM_FIXED 0u
#define LMEM_ZEROINIT 0x40u
#define LPTR (LMEM_FIXED | LMEM_ZEROINIT)
#define GMEM_FIXED LMEM_FIXED
#define GMEM_ZEROINIT LMEM_ZEROINIT
#define GPTR LPTR

ANYPIPE_W32_BEGIN
HANDLE WINAPI GetProcessHeap(VOID) ANYPIPE_W32(GetProcessHeap);
HANDLE WINAPI HeapCreate(DWORD flags, SIZE_T initial, SIZE_T maximum) ANYPIPE_W32(HeapCreate);
BOOL WINAPI HeapDestroy(HANDLE heap) ANYPIPE_W32(HeapDestroy);
LPVOID WINAPI HeapAlloc(HANDLE heap, DWORD flags, SIZE_T size) ANYPIPE_W32(HeapAlloc);
LPVOID WINAPI HeapReAlloc(HANDLE heap, DWORD flags, LPVOID memory, SIZE_T size) ANYPIPE_W32(HeapReAlloc);
SIZE_T WINAPI HeapSize(HANDLE heap, DWORD flags, LPCVOID memory) ANYPIPE_W32(HeapSize);
BOOL WINAPI HeapFree(HANDLE heap, DWORD flags, LPVOID memory) ANYPIPE_W32(HeapFree);
HLOCAL WINAPI LocalAlloc(UINT flags, SIZE_T size) ANYPIPE_W32(LocalAlloc);
HLOCAL WINAPI LocalFree(HLOCAL memory) ANYPIPE_W32(LocalFree);
HGLOBAL WINAPI GlobalAlloc(UINT flags, SIZE_T size) ANYPIPE_W32(GlobalAlloc);
SIZE_T WINAPI LocalSize(HLOCAL memory) ANYPIPE_W32(LocalSize);
SIZE_T WINAPI GlobalSize(HGLOBAL memory) ANYPIPE_W32(LocalSize);
HGLOBAL WINAPI GlobalFree(HGLOBAL memory) ANYPIPE_W32(GlobalFree);
ANYPIPE_W32_END

/* ---- messages ---------------------------------------------------------------------------------------------------- */

#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x100u
#define FORMAT_MESSAGE_IGNORE_INSERTS 0x200u
#define FORMAT_MESSAGE_FROM_STRING 0x400u
#define FORMAT_MESSAGE_FROM_HMODULE 0x800u
#define FORMAT_MESSAGE_FROM_SYSTEM 0x1000u
#define FORMAT_MESSAGE_ARGUMENT_ARRAY 0x2000u
#define FORMAT_MESSAGE_MAX_WIDTH_MASK 0xFFu
#define LANG_NEUTRAL 0
#define SUBLANG_NEUTRAL 0
#define SUBLANG_DEFAULT 1
#define LANG_ENGLISH 9
#define SUBLANG_ENGLISH_US 1
#define MAKELANGID(language, sub) ((((WORD)(sub)) << 10) | (WORD)(language))

ANYPIPE_W32_BEGIN
/* Messages of the system only (FORMAT_MESSAGE_FROM_SYSTEM), in English. */
#define ANYPIPE_W32_FormatMessage(C, M) \
    (DWORD flags, LPCVOID source, DWORD message, DWORD language, M buffer, DWORD size, va_list *arguments)
ANYPIPE_W32_AW(DWORD, FormatMessage);
ANYPIPE_W32_END

/* ---- time and identity ------------------------------------------------------------------------------------------- */

ANYPIPE_W32_BEGIN
DWORD WINAPI GetTickCount(VOID) ANYPIPE_W32(GetTickCount);
ULONGLONG WINAPI GetTickCount64(VOID) ANYPIPE_W32(GetTickCount64);
BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *count) ANYPIPE_W32(QueryPerformanceCounter);
BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *frequency) ANYPIPE_W32(QueryPerformanceFrequency);
VOID WINAPI GetSystemTimeAsFileTime(LPFILETIME time) ANYPIPE_W32(GetSystemTimeAsFileTime);
VOID WINAPI GetLocalTime(LPSYSTEMTIME time) ANYPIPE_W32(GetLocalTime);
VOID WINAPI GetSystemTime(LPSYSTEMTIME time) ANYPIPE_W32(GetSystemTime);
#define ANYPIPE_W32_GetUserName(C, M) (M name, LPDWORD size)
ANYPIPE_W32_AW(BOOL, GetUserName);
#define ANYPIPE_W32_GetComputerName(C, M) (M name, LPDWORD size)
ANYPIPE_W32_AW(BOOL, GetComputerName);
#define ANYPIPE_W32_GetEnvironmentVariable(C, M) (C name, M value, DWORD size)
ANYPIPE_W32_AW(DWORD, GetEnvironmentVariable);
#define ANYPIPE_W32_GetModuleFileName(C, M) (HMODULE module, M name, DWORD size)
ANYPIPE_W32_AW(DWORD, GetModuleFileName);
BOOL WINAPI RevertToSelf(VOID) ANYPIPE_W32(RevertToSelf);
ANYPIPE_W32_END

/* ---- descriptors ------------------------------------------------------------------------------------------------- */

ANYPIPE_W32_BEGIN
BOOL WINAPI InitializeSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, DWORD revision) ANYPIPE_W32(InitializeSecurityDescriptor);
BOOL WINAPI IsValidSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor) ANYPIPE_W32(IsValidSecurityDescriptor);
BOOL WINAPI SetSecurityDescriptorDacl(PSECURITY_DESCRIPTOR descriptor, BOOL present, PACL acl, BOOL defaulted)
    ANYPIPE_W32(SetSecurityDescriptorDacl);
BOOL WINAPI SetSecurityDescriptorOwner(PSECURITY_DESCRIPTOR descriptor, PSID owner, BOOL defaulted)
    ANYPIPE_W32(SetSecurityDescriptorOwner);
BOOL WINAPI SetSecurityDescriptorGroup(PSECURITY_DESCRIPTOR descriptor, PSID group, BOOL defaulted)
    ANYPIPE_W32(SetSecurityDescriptorGroup);
BOOL WINAPI AllocateAndInitializeSid(PSID_IDENTIFIER_AUTHORITY authority, BYTE count, DWORD a, DWORD b, DWORD c, DWORD d, DWORD e,
                                     DWORD f, DWORD g, DWORD h, PSID *sid) ANYPIPE_W32(AllocateAndInitializeSid);
PVOID WINAPI FreeSid(PSID sid) ANYPIPE_W32(FreeSid);
DWORD WINAPI GetLengthSid(PSID sid) ANYPIPE_W32(GetLengthSid);
BOOL WINAPI IsValidSid(PSID sid) ANYPIPE_W32(IsValidSid);
BOOL WINAPI EqualSid(PSID first, PSID second) ANYPIPE_W32(EqualSid);
BOOL WINAPI InitializeAcl(PACL acl, DWORD size, DWORD revision) ANYPIPE_W32(InitializeAcl);
BOOL WINAPI AddAccessAllowedAce(PACL acl, DWORD revision, DWORD mask, PSID sid) ANYPIPE_W32(AddAccessAllowedAce);
BOOL WINAPI GetAce(PACL acl, DWORD index, LPVOID *entry) ANYPIPE_W32(GetAce);
BOOL WINAPI AddAccessDeniedAce(PACL acl, DWORD revision, DWORD mask, PSID sid) ANYPIPE_W32(AddAccessDeniedAce);
ANYPIPE_W32_END

/* ---- text -------------------------------------------------------------------------------------------------------- */

#define CP_ACP 0u
#define CP_OEMCP 1u
#define CP_UTF8 65001u
#define MB_ERR_INVALID_CHARS 8u

/* Functions whose result is text have three declarations, as the result's type differs too. */
#define ANYPIPE_W32_TEXT_AW(name)                                                      \
    LPSTR WINAPI name##A ANYPIPE_W32_##name(LPCSTR, LPSTR) ANYPIPE_W32(name##A);           \
    LPWSTR WINAPI name##W ANYPIPE_W32_##name(LPCWSTR, LPWSTR) ANYPIPE_W32_WIDE(name##W); \
    LPTSTR WINAPI name ANYPIPE_W32_##name(LPCTSTR, LPTSTR) ANYPIPE_W32_CHOSEN(name)

ANYPIPE_W32_BEGIN
#define ANYPIPE_W32_lstrlen(C, M) (C text)
ANYPIPE_W32_AW(int, lstrlen);
#define ANYPIPE_W32_lstrcmp(C, M) (C first, C second)
ANYPIPE_W32_AW(int, lstrcmp);
#define ANYPIPE_W32_lstrcmpi(C, M) (C first, C second)
ANYPIPE_W32_AW(int, lstrcmpi);
#define ANYPIPE_W32_lstrcpy(C, M) (M to, C from)
ANYPIPE_W32_TEXT_AW(lstrcpy);
#define ANYPIPE_W32_lstrcpyn(C, M) (M to, C from, int size)
ANYPIPE_W32_TEXT_AW(lstrcpyn);
#define ANYPIPE_W32_lstrcat(C, M) (M to, C from)
ANYPIPE_W32_TEXT_AW(lstrcat);
/* At most 1024 characters, as on Windows. */
#define ANYPIPE_W32_wsprintf(C, M) (M to, C format, ...)
ANYPIPE_W32_AW(int, wsprintf);
#define ANYPIPE_W32_wvsprintf(C, M) (M to, C format, va_list arguments)
ANYPIPE_W32_AW(int, wvsprintf);
#define ANYPIPE_W32_OutputDebugString(C, M) (C text)
ANYPIPE_W32_AW(VOID, OutputDebugString);
/* Text is UTF-8 for every code page. */
int WINAPI MultiByteToWideChar(UINT page, DWORD flags, LPCSTR text, int length, LPWSTR wide, int size)
    ANYPIPE_W32_WIDE(MultiByteToWideChar);
int WINAPI WideCharToMultiByte(UINT page, DWORD flags, LPCWSTR wide, int length, LPSTR text, int size, LPCSTR unknown, BOOL *used)
    ANYPIPE_W32_WIDE(WideCharToMultiByte);
ANYPIPE_W32_END

/* ---- the console ------------------------------------------------------------------------------------------------- */

#define STD_INPUT_HANDLE ((DWORD)-10)
#define STD_OUTPUT_HANDLE ((DWORD)-11)
#define STD_ERROR_HANDLE ((DWORD)-12)
#define CTRL_C_EVENT 0
#define CTRL_BREAK_EVENT 1
#define CTRL_CLOSE_EVENT 2
typedef BOOL(WINAPI *PHANDLER_ROUTINE)(DWORD event);

ANYPIPE_W32_BEGIN
HANDLE WINAPI GetStdHandle(DWORD which) ANYPIPE_W32(GetStdHandle);
BOOL WINAPI SetStdHandle(DWORD which, HANDLE handle) ANYPIPE_W32(SetStdHandle);
#define ANYPIPE_W32_SetConsoleTitle(C, M) (C title)
ANYPIPE_W32_AW(BOOL, SetConsoleTitle);
/* SIGINT is CTRL_C_EVENT, SIGQUIT CTRL_BREAK_EVENT and SIGTERM CTRL_CLOSE_EVENT. */
BOOL WINAPI SetConsoleCtrlHandler(PHANDLER_ROUTINE routine, BOOL add) ANYPIPE_W32(SetConsoleCtrlHandler);
BOOL WINAPI SetConsoleOutputCP(UINT page) ANYPIPE_W32(SetConsoleOutputCP);
BOOL WINAPI SetConsoleCP(UINT page) ANYPIPE_W32(SetConsoleCP);
ANYPIPE_W32_END

/* ---- message boxes ----------------------------------------------------------------------------------------------- */

#define MB_OK 0u
#define MB_OKCANCEL 1u
#define MB_YESNO 4u
#define MB_TYPEMASK 0xFu
#define MB_ICONERROR 0x10u
#define MB_ICONSTOP MB_ICONERROR
#define MB_ICONWARNING 0x30u
#define MB_ICONINFORMATION 0x40u
#define IDOK 1

ANYPIPE_W32_BEGIN
/* A box with only OK is a line on standard error, and at once confirmed; others are ERROR_NOT_SUPPORTED. */
#define ANYPIPE_W32_MessageBox(C, M) (HWND owner, C text, C title, UINT type)
ANYPIPE_W32_AW(int, MessageBox);
ANYPIPE_W32_END

#endif
