/* bcryptprimitives.dll for Wine 8, which lacks it: Go programs want its one function, random bytes. */
#include <windows.h>
#include <ntsecapi.h>

#define CHUNK (1u << 20)

BOOL WINAPI ProcessPrng(BYTE *out, SIZE_T n)
{
	while (n > 0) {
		ULONG k = n < CHUNK ? (ULONG)n : CHUNK;
		if (!RtlGenRandom(out, k))
			return FALSE;
		out += k;
		n -= k;
	}
	return TRUE;
}
