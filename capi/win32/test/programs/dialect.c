/* dialect.c: what published programs use around pipes: sized text, TCHAR's names, __declspec, access lists of entries, Ctrl+C handlers, headers in
 * any spelling. */
#ifdef _WIN32 /* a cross compiler has its headers in lower case only */
#include <sdkddkver.h>
#include <windows.h>
#else
#include <SDKDDKVer.h>
#include <Windows.h>
#endif
#include <accctrl.h>
#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <tchar.h>

#include "check.h"

#ifndef _WIN32
#include <signal.h>
#endif

#ifdef _WIN32 /* for whose __declspec(thread) mingw warns that it does nothing */
static __thread int of_thread;
#else
static __declspec(thread) int of_thread;
#endif
static HANDLE told;

static DWORD WINAPI count_up(LPVOID unused) { return (DWORD)(++of_thread + (unused != NULL)); }

static void declspec_thread(void) {
    DWORD code;
    HANDLE thread;
    of_thread = 5;
    thread = CreateThread(NULL, 0, count_up, NULL, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    EXPECT_TRUE(GetExitCodeThread(thread, &code));
    EXPECT("its own variable", code, 1);
    CloseHandle(thread);
}

static void sized_text(void) {
    char text[8], cut[4];
    TCHAR wide[16];
    EXPECT("strcpy_s", strcpy_s(text, sizeof text, "abc"), 0);
    EXPECT("strcat_s", strcat_s(text, sizeof text, "defg"), 0);
    EXPECT("text", strcmp(text, "abcdefg"), 0);
    EXPECT("strncpy_s", strncpy_s(text, sizeof text, "abcdefghij", 3), 0);
    EXPECT("text", strcmp(text, "abc"), 0);
    EXPECT("strncpy_s, cut", strncpy_s(cut, sizeof cut, "abcdef", _TRUNCATE), 80);
    EXPECT("text", strcmp(cut, "abc"), 0);
    EXPECT("sprintf_s", sprintf_s(text, sizeof text, "%d-%s", 12, "ab"), 5);
    EXPECT("text", strcmp(text, "12-ab"), 0);
    EXPECT("_snprintf", _snprintf(text, sizeof text, "%s", "abcd"), 4);
    EXPECT("_snprintf, too long", _snprintf(cut, sizeof cut, "%s", "abcdef"), -1);
    EXPECT("what fits", memcmp(cut, "abcd", 4), 0);
    EXPECT("memcpy_s", memcpy_s(cut, sizeof cut, "xyz", 4), 0);
    EXPECT("text", strcmp(cut, "xyz"), 0);
    EXPECT("_tcscpy_s", _tcscpy_s(wide, 16, _T("pipe")), 0);
    EXPECT("_tcscat_s", _tcscat_s(wide, 16, _T("\\name\\x")), 0);
    EXPECT("_tcschr", _tcschr(wide, _T('\\')) - wide, 4);
    EXPECT("_tcsrchr", _tcsrchr(wide, _T('\\')) - wide, 9);
    EXPECT("_tcschr, NUL", _tcschr(wide, 0) - wide, 11);
    EXPECT("_tcschr, absent", _tcschr(wide, _T('q')) == NULL, 1);
    EXPECT("_tcsstr", _tcsstr(wide, _T("name")) - wide, 5);
    EXPECT("_tcsstr, absent", _tcsstr(wide, _T("names")) == NULL, 1);
    EXPECT("_stprintf_s", _stprintf_s(wide, 16, _T("%s=%d"), _T("n"), 7), 3);
    EXPECT("text", _tcscmp(wide, _T("n=7")), 0);
    _tcsncpy(wide, _T("ab"), 4);
    EXPECT("_tcsncpy", wide[0] == 'a' && wide[1] == 'b' && wide[2] == 0 && wide[3] == 0, 1);
}

/* What Microsoft's error reports are built with. */
static void local_memory(void) {
    HLOCAL memory = LocalAlloc(LMEM_ZEROINIT, 40);
    EXPECT("LocalSize", LocalSize(memory), 40);
    LocalFree(memory);
}

static EXPLICIT_ACCESS entry_for(ACCESS_MODE mode, DWORD rights, PSID sid) {
    EXPLICIT_ACCESS entry;
    ZeroMemory(&entry, sizeof entry);
    entry.grfAccessPermissions = rights;
    entry.grfAccessMode = mode;
    entry.grfInheritance = NO_INHERITANCE;
    entry.Trustee.TrusteeForm = TRUSTEE_IS_SID;
    entry.Trustee.TrusteeType = TRUSTEE_IS_WELL_KNOWN_GROUP;
    entry.Trustee.ptstrName = (LPTSTR)sid;
    return entry;
}

static void access_entries(void) {
    SID_IDENTIFIER_AUTHORITY world = SECURITY_WORLD_SID_AUTHORITY, nt = SECURITY_NT_AUTHORITY;
    PSID everyone, anonymous;
    PACL list = NULL, changed = NULL;
    EXPLICIT_ACCESS entries[2];
    LPVOID at;
    EXPECT_TRUE(AllocateAndInitializeSid(&world, 1, SECURITY_WORLD_RID, 0, 0, 0, 0, 0, 0, 0, &everyone));
    EXPECT_TRUE(AllocateAndInitializeSid(&nt, 1, SECURITY_ANONYMOUS_LOGON_RID, 0, 0, 0, 0, 0, 0, 0, &anonymous));
    entries[0] = entry_for(SET_ACCESS, FILE_ALL_ACCESS, everyone);
    entries[1] = entry_for(DENY_ACCESS, FILE_WRITE_DATA, anonymous);
    EXPECT("SetEntriesInAcl", SetEntriesInAcl(2, entries, NULL, &list), ERROR_SUCCESS);
#ifndef _WIN32 /* Wine keeps the order of the entries; Windows is documented to place denials first */
    EXPECT_TRUE(GetAce(list, 0, &at));
    EXPECT("the denial comes first", ((ACE_HEADER *)at)->AceType, ACCESS_DENIED_ACE_TYPE);
    EXPECT_TRUE(GetAce(list, 1, &at));
    EXPECT("mask", ((ACCESS_ALLOWED_ACE *)at)->Mask, FILE_ALL_ACCESS);
    EXPECT("sid", EqualSid(&((ACCESS_ALLOWED_ACE *)at)->SidStart, everyone), TRUE);
#else
    EXPECT_TRUE(GetAce(list, 0, &at));
#endif
    entries[0] = entry_for(REVOKE_ACCESS, 0, everyone);
    EXPECT("SetEntriesInAcl", SetEntriesInAcl(1, entries, list, &changed), ERROR_SUCCESS);
    EXPECT("entries left", changed->AceCount, 1);
    LocalFree(changed);

    SECURITY_DESCRIPTOR descriptor;
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, &descriptor, FALSE};
    EXPECT_TRUE(InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION));
    EXPECT_TRUE(SetSecurityDescriptorDacl(&descriptor, TRUE, list, FALSE));
    HANDLE pipe = CreateNamedPipe(_T("\\\\.\\pipe\\dialect"), PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE, 1, 0, 0, 0, &attributes);
    EXPECT("a pipe with the list", pipe != INVALID_HANDLE_VALUE, 1);
    CloseHandle(pipe);
    LocalFree(list);
    FreeSid(everyone);
    FreeSid(anonymous);
}

static BOOL WINAPI never(DWORD event) { return (void)event, FALSE; }
static BOOL WINAPI tell(DWORD event) { return event == CTRL_C_EVENT && SetEvent(told); }

static void control_handlers(void) {
    told = CreateEvent(NULL, FALSE, FALSE, NULL);
    EXPECT_TRUE(SetConsoleCtrlHandler(tell, TRUE));
    EXPECT_TRUE(SetConsoleCtrlHandler(never, TRUE));
#ifndef _WIN32
    raise(SIGINT); /* Ctrl+C at a terminal */
    EXPECT("told", WaitForSingleObject(told, INFINITE), WAIT_OBJECT_0);
#endif
    EXPECT_TRUE(SetConsoleCtrlHandler(never, FALSE));
    EXPECT_TRUE(SetConsoleCtrlHandler(tell, FALSE));
    EXPECT_ERROR(SetConsoleCtrlHandler(tell, FALSE), ERROR_INVALID_PARAMETER);
    CloseHandle(told);
}

int main(void) {
    declspec_thread();
    sized_text();
    local_memory();
    access_entries();
    control_handlers();
#ifndef _WIN32
    EXPECT("MessageBox", MessageBox(NULL, _T("a line"), _T("dialect"), MB_OK | MB_ICONERROR), IDOK);
    EXPECT_ERROR(MessageBox(NULL, _T("?"), _T("dialect"), MB_YESNO), ERROR_NOT_SUPPORTED);
#endif
    printf("dialect: %d failures\n", check_failures);
    return check_failures > 0;
}
