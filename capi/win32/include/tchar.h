/* tchar.h: text that is narrow or, with UNICODE, wide. */
#ifndef ANYPIPE_TCHAR_H
#define ANYPIPE_TCHAR_H

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "securecrt.h"
#include "widecrt.h"

typedef TCHAR _TCHAR;
#define _T(text) ANYPIPE_W32_QUOTE(text)
#define _TEXT(text) ANYPIPE_W32_QUOTE(text)
#define __T(text) ANYPIPE_W32_QUOTE(text)

#ifdef UNICODE
#define _tmain wmain
#define _tprintf anypipe_wprintf
#define _ftprintf anypipe_fwprintf
#define _sntprintf anypipe_swprintf
#define _tcslen wcslen
#define _tcscpy wcscpy
#define _tcscat wcscat
#define _tcscmp wcscmp
#define _tcsncmp wcsncmp
#define _tcsicmp anypipe_wcsicmp
#define _tcsncpy anypipe_wcsncpy
#define _tcschr anypipe_wcschr
#define _tcsrchr anypipe_wcsrchr
#define _tcsstr anypipe_wcsstr
#define _tcscpy_s wcscpy_s
#define _tcscat_s wcscat_s
#define _stprintf_s swprintf_s
#define _fgetts anypipe_fgetws
#define _ttoi anypipe_wtoi
#define _tstoi anypipe_wtoi
#else
#define _tmain main
#define _tprintf printf
#define _ftprintf fprintf
#define _stprintf sprintf
#define _sntprintf snprintf
#define _tcslen strlen
#define _tcscpy strcpy
#define _tcscat strcat
#define _tcscmp strcmp
#define _tcsncmp strncmp
#define _tcsicmp strcasecmp
#define _tcsncpy strncpy
#define _tcschr strchr
#define _tcsrchr strrchr
#define _tcscpy_s strcpy_s
#define _tcscat_s strcat_s
#define _stprintf_s sprintf_s
#define _tcsstr strstr
#define _fgetts fgets
#define _ttoi atoi
#define _tstoi atoi
#define _tsystem system
#endif

#endif
