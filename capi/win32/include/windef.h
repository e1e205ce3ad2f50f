/* windef.h: the types that Win32 programs are written in, for Unix.
 *
 * Integers have the width that they have on Windows, also where the language's own types differ: DWORD, LONG and ULONG are 32 bits
 * (unsigned int, int). WCHAR is the compiler's wchar_t: 32 bits, or 16 with -fshort-wchar; the library serves both.
 *
 * Every function is bound by an asm label to a symbol of its own, anypipe_win32_NAME. So the library brings no name such as
 * CreateFileA into the process, and no macro renames what a program calls CreateFile in a class of its own. */
#ifndef ANYPIPE_WINDEF_H
#define ANYPIPE_WINDEF_H

#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#if defined(UNICODE) && !defined(_UNICODE)
#define _UNICODE 1
#endif
#if defined(_UNICODE) && !defined(UNICODE)
#define UNICODE 1
#endif

/* ---- how a function is declared ---------------------------------------------------------------------------------- */

#define ANYPIPE_W32_TEXT_(x) #x
#define ANYPIPE_W32_TEXT(x) ANYPIPE_W32_TEXT_(x)
#define ANYPIPE_W32_LABEL(symbol) \
    __asm__(ANYPIPE_W32_TEXT(__USER_LABEL_PREFIX__) "anypipe_win32_" symbol) __attribute__((visibility("default")))

/* After a declaration: the function of this name, and the one that takes wide text. */
#define ANYPIPE_W32(name) ANYPIPE_W32_LABEL(#name)
#if __SIZEOF_WCHAR_T__ == 2
#define ANYPIPE_W32_WIDE(name) ANYPIPE_W32_LABEL(#name "_16")
#else
#define ANYPIPE_W32_WIDE(name) ANYPIPE_W32_LABEL(#name)
#endif

/* ANYPIPE_W32_AW(RESULT, Name) declares NameA, NameW and Name, which is one of the two. Their parameters are the macro
 * ANYPIPE_W32_Name(C, M), which gets the types of constant and of writable text. */
#ifdef UNICODE
#define ANYPIPE_W32_CHOSEN(name) ANYPIPE_W32_WIDE(name##W)
#else
#define ANYPIPE_W32_CHOSEN(name) ANYPIPE_W32(name##A)
#endif
#define ANYPIPE_W32_AW(result, name)                                                \
    result WINAPI name##A ANYPIPE_W32_##name(LPCSTR, LPSTR) ANYPIPE_W32(name##A);       \
    result WINAPI name##W ANYPIPE_W32_##name(LPCWSTR, LPWSTR) ANYPIPE_W32_WIDE(name##W); \
    result WINAPI name ANYPIPE_W32_##name(LPCTSTR, LPTSTR) ANYPIPE_W32_CHOSEN(name)

#ifdef __cplusplus
#define ANYPIPE_W32_BEGIN extern "C" {
#define ANYPIPE_W32_END }
#else
#define ANYPIPE_W32_BEGIN
#define ANYPIPE_W32_END
#endif

/* ---- words of the dialect ---------------------------------------------------------------------------------------- */

#define WINAPI
#define WINAPIV
#define APIENTRY
#define CALLBACK
#define PASCAL
#ifndef __stdcall
#define __stdcall
#endif
#ifndef __cdecl
#define __cdecl
#endif
#ifndef __fastcall
#define __fastcall
#endif
#ifndef __int64
#define __int64 long long
#endif
#ifndef __forceinline
#define __forceinline static __inline__ __attribute__((always_inline))
#endif
#ifndef _inline
#define _inline __inline__
#endif
/* Each word that is known; another is an error, as it could mean anything. */
#ifndef __declspec
#define __declspec(word) ANYPIPE_W32_DECLSPEC_##word
#endif
#ifndef _declspec
#define _declspec __declspec
#endif
#define ANYPIPE_W32_DECLSPEC_dllexport __attribute__((visibility("default")))
#define ANYPIPE_W32_DECLSPEC_dllimport
#define ANYPIPE_W32_DECLSPEC_noinline __attribute__((noinline))
#define ANYPIPE_W32_DECLSPEC_noreturn __attribute__((noreturn))
#define ANYPIPE_W32_DECLSPEC_deprecated __attribute__((deprecated))
#define ANYPIPE_W32_DECLSPEC_thread __thread
#define ANYPIPE_W32_DECLSPEC_align(bytes) __attribute__((aligned(bytes)))
#define FAR
#define NEAR
#define CONST const
#define IN
#define OUT
#define OPTIONAL
#ifndef VOID
#define VOID void
#endif
#define TRUE 1
#define FALSE 0
#define MAX_PATH 260

/* What Microsoft's own samples are annotated with. */
#define _In_
#define _In_opt_
#define _In_z_
#define _In_reads_(n)
#define _In_reads_bytes_(n)
#define _In_reads_bytes_opt_(n)
#define _Out_
#define _Out_opt_
#define _Out_writes_(n)
#define _Out_writes_bytes_(n)
#define _Out_writes_bytes_opt_(n)
#define _Inout_
#define _Inout_opt_
#define _Ret_maybenull_
#define _Success_(x)
#define _Reserved_

/* As with mingw, C++ keeps its own min and max. */
#if !defined(NOMINMAX) && !defined(__cplusplus)
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#endif

#define LOWORD(x) ((WORD)((DWORD_PTR)(x) & 0xffff))
#define HIWORD(x) ((WORD)(((DWORD_PTR)(x) >> 16) & 0xffff))
#define LOBYTE(x) ((BYTE)((DWORD_PTR)(x) & 0xff))
#define HIBYTE(x) ((BYTE)(((DWORD_PTR)(x) >> 8) & 0xff))
#define MAKEWORD(low, high) ((WORD)(((BYTE)(low)) | ((WORD)((BYTE)(high))) << 8))
#define MAKELONG(low, high) ((LONG)(((WORD)(low)) | ((DWORD)((WORD)(high))) << 16))

/* ---- integers ---------------------------------------------------------------------------------------------------- */

typedef int BOOL, *PBOOL, *LPBOOL;
typedef unsigned char BYTE, *PBYTE, *LPBYTE, UCHAR, *PUCHAR, BOOLEAN, *PBOOLEAN;
typedef unsigned short WORD, *PWORD, *LPWORD, USHORT, *PUSHORT;
typedef unsigned int DWORD, *PDWORD, *LPDWORD, ULONG, *PULONG, UINT, *PUINT, *LPUINT;
typedef short SHORT, *PSHORT;
typedef int INT, *PINT, *LPINT, LONG, *PLONG, *LPLONG, HRESULT, NTSTATUS;
typedef float FLOAT;
typedef int8_t INT8;
typedef int16_t INT16;
typedef int32_t INT32, LONG32;
typedef uint8_t UINT8;
typedef uint16_t UINT16;
typedef uint32_t UINT32, ULONG32, DWORD32;
typedef long long INT64, LONGLONG, *PLONGLONG, LONG64, *PLONG64;
typedef unsigned long long UINT64, ULONGLONG, *PULONGLONG, ULONG64, DWORD64, DWORDLONG, *PDWORDLONG;
typedef intptr_t INT_PTR, LONG_PTR, SSIZE_T, LPARAM, LRESULT;
typedef uintptr_t UINT_PTR, ULONG_PTR, *PULONG_PTR, DWORD_PTR, *PDWORD_PTR, SIZE_T, *PSIZE_T, WPARAM;

/* ---- text -------------------------------------------------------------------------------------------------------- */

typedef char CHAR, *PCHAR, *LPCH, *PSTR, *LPSTR, *NPSTR;
typedef const char *LPCCH, *PCSTR, *LPCSTR;
typedef wchar_t WCHAR, *PWCHAR, *LPWCH, *PWSTR, *LPWSTR;
typedef const wchar_t *PCWSTR, *LPCWSTR;
#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR, *PTSTR, *LPTSTR;
typedef LPCWSTR PCTSTR, LPCTSTR;
#define ANYPIPE_W32_QUOTE(text) L##text
#else
typedef char TCHAR, *PTCHAR, *PTSTR, *LPTSTR;
typedef LPCSTR PCTSTR, LPCTSTR;
#define ANYPIPE_W32_QUOTE(text) text
#endif
#define TEXT(text) ANYPIPE_W32_QUOTE(text)

/* ---- pointers ---------------------------------------------------------------------------------------------------- */

typedef void *PVOID, *LPVOID, *HANDLE, **PHANDLE, **LPHANDLE;
typedef const void *LPCVOID;
typedef HANDLE HINSTANCE, HMODULE, HWND, HLOCAL, HGLOBAL, HKEY;
typedef INT_PTR (WINAPI *FARPROC)(void);

#endif
