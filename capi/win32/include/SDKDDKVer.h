/* SDKDDKVer.h: the newest Windows, for programs that ask which they are compiled for. */
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#ifndef WINVER
#define WINVER _WIN32_WINNT
#endif
