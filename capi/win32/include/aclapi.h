/* aclapi.h: access lists made of entries. */
#ifndef ANYPIPE_ACLAPI_H
#define ANYPIPE_ACLAPI_H

#include "winbase.h"

typedef enum _ACCESS_MODE { NOT_USED_ACCESS, GRANT_ACCESS, SET_ACCESS, DENY_ACCESS, REVOKE_ACCESS } ACCESS_MODE;
typedef enum _TRUSTEE_FORM { TRUSTEE_IS_SID, TRUSTEE_IS_NAME, TRUSTEE_BAD_FORM } TRUSTEE_FORM;
typedef enum _TRUSTEE_TYPE {
    TRUSTEE_IS_UNKNOWN,
    TRUSTEE_IS_USER,
    TRUSTEE_IS_GROUP,
    TRUSTEE_IS_DOMAIN,
    TRUSTEE_IS_ALIAS,
    TRUSTEE_IS_WELL_KNOWN_GROUP,
    TRUSTEE_IS_DELETED,
    TRUSTEE_IS_INVALID,
    TRUSTEE_IS_COMPUTER
} TRUSTEE_TYPE;
typedef enum _MULTIPLE_TRUSTEE_OPERATION { NO_MULTIPLE_TRUSTEE, TRUSTEE_IS_IMPERSONATE } MULTIPLE_TRUSTEE_OPERATION;
#define NO_INHERITANCE 0u
#define SUB_OBJECTS_ONLY_INHERIT 1u
#define SUB_CONTAINERS_ONLY_INHERIT 2u
#define SUB_CONTAINERS_AND_OBJECTS_INHERIT 3u

/* The narrow and the wide struct differ in the type of the name only. */
#define ANYPIPE_W32_ACL_STRUCTS(suffix, text)                   \
    typedef struct _TRUSTEE_##suffix {                          \
        struct _TRUSTEE_##suffix *pMultipleTrustee;             \
        MULTIPLE_TRUSTEE_OPERATION MultipleTrusteeOperation;    \
        TRUSTEE_FORM TrusteeForm;                               \
        TRUSTEE_TYPE TrusteeType;                               \
        text ptstrName;                                         \
    } TRUSTEE_##suffix, *PTRUSTEE_##suffix;                     \
    typedef struct _EXPLICIT_ACCESS_##suffix {                  \
        DWORD grfAccessPermissions;                             \
        ACCESS_MODE grfAccessMode;                              \
        DWORD grfInheritance;                                   \
        TRUSTEE_##suffix Trustee;                               \
    } EXPLICIT_ACCESS_##suffix, *PEXPLICIT_ACCESS_##suffix

ANYPIPE_W32_ACL_STRUCTS(A, LPSTR);
ANYPIPE_W32_ACL_STRUCTS(W, LPWSTR);
#ifdef UNICODE
typedef TRUSTEE_W TRUSTEE, *PTRUSTEE;
typedef EXPLICIT_ACCESS_W EXPLICIT_ACCESS, *PEXPLICIT_ACCESS;
#else
typedef TRUSTEE_A TRUSTEE, *PTRUSTEE;
typedef EXPLICIT_ACCESS_A EXPLICIT_ACCESS, *PEXPLICIT_ACCESS;
#endif

ANYPIPE_W32_BEGIN
/* Trustees are SIDs; names are ERROR_NONE_MAPPED. The new list is released by LocalFree. As only SIDs are read, one function serves both
 * kinds of text. */
DWORD WINAPI SetEntriesInAclA(ULONG count, PEXPLICIT_ACCESS_A entries, PACL old_list, PACL *new_list) ANYPIPE_W32(SetEntriesInAcl);
DWORD WINAPI SetEntriesInAclW(ULONG count, PEXPLICIT_ACCESS_W entries, PACL old_list, PACL *new_list) ANYPIPE_W32(SetEntriesInAcl);
DWORD WINAPI SetEntriesInAcl(ULONG count, PEXPLICIT_ACCESS entries, PACL old_list, PACL *new_list) ANYPIPE_W32(SetEntriesInAcl);
ANYPIPE_W32_END

#endif
