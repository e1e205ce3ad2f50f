/* sddl.h: descriptors as text. */
#ifndef ANYPIPE_SDDL_H
#define ANYPIPE_SDDL_H

#include "minwinbase.h"

#define SDDL_REVISION_1 1

ANYPIPE_W32_BEGIN
/* The descriptor is released by LocalFree. The text is read when a pipe is created with it. */
#define ANYPIPE_W32_ConvertStringSecurityDescriptorToSecurityDescriptor(C, M) \
    (C text, DWORD revision, PSECURITY_DESCRIPTOR *descriptor, PULONG size)
ANYPIPE_W32_AW(BOOL, ConvertStringSecurityDescriptorToSecurityDescriptor);
ANYPIPE_W32_END

#endif
