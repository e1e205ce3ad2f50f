/* acl.c: access lists made of entries. */
#include "world.h"

#include "include/aclapi.h"

/* What an entry says of its trustee, beside its type. */
static bool allows(const EXPLICIT_ACCESS_A *entry) { return entry->grfAccessMode == GRANT_ACCESS || entry->grfAccessMode == SET_ACCESS; }
static bool denies(const EXPLICIT_ACCESS_A *entry) { return entry->grfAccessMode == DENY_ACCESS; }

static DWORD check_entries(ULONG count, const EXPLICIT_ACCESS_A *entries) {
    for (ULONG i = 0; i < count; ++i) {
        if (entries[i].Trustee.TrusteeForm == TRUSTEE_IS_NAME)
            return ERROR_NONE_MAPPED;
        if (entries[i].Trustee.TrusteeForm != TRUSTEE_IS_SID || entries[i].Trustee.pMultipleTrustee != NULL ||
            entries[i].grfAccessMode < GRANT_ACCESS || entries[i].grfAccessMode > REVOKE_ACCESS)
            return ERROR_INVALID_PARAMETER;
        if (!IsValidSid(entries[i].Trustee.ptstrName))
            return ERROR_INVALID_SID;
    }
    return ERROR_SUCCESS;
}

/* Whether an entry of the old list gives way: what is set or revoked for its trustee counts instead. */
static bool replaced(ULONG count, const EXPLICIT_ACCESS_A *entries, ACCESS_ALLOWED_ACE *old_entry) {
    for (ULONG i = 0; i < count; ++i)
        if ((entries[i].grfAccessMode == SET_ACCESS || entries[i].grfAccessMode == REVOKE_ACCESS) &&
            EqualSid(entries[i].Trustee.ptstrName, &old_entry->SidStart))
            return true;
    return false;
}

/* Adds the entries of one type, first the new ones. An inherited or other kind of old entry has no meaning for pipes and is refused. */
static BOOL add_all(PACL to, BYTE type, ULONG count, const EXPLICIT_ACCESS_A *entries, PACL old_list) {
    BOOL (*add)(PACL, DWORD, DWORD, PSID) = type == ACCESS_DENIED_ACE_TYPE ? AddAccessDeniedAce : AddAccessAllowedAce;
    for (ULONG i = 0; i < count; ++i)
        if (type == ACCESS_DENIED_ACE_TYPE ? denies(&entries[i]) : allows(&entries[i]))
            if (!add(to, ACL_REVISION, entries[i].grfAccessPermissions, entries[i].Trustee.ptstrName))
                return FALSE;
    for (DWORD i = 0; old_list != NULL && i < old_list->AceCount; ++i) {
        void *at;
        if (!GetAce(old_list, i, &at))
            return FALSE;
        ACCESS_ALLOWED_ACE *entry = at;
        if (entry->Header.AceType > ACCESS_DENIED_ACE_TYPE)
            return fail(ERROR_INVALID_ACL);
        if (entry->Header.AceType == type && !replaced(count, entries, entry) && !add(to, ACL_REVISION, entry->Mask, &entry->SidStart))
            return FALSE;
    }
    return TRUE;
}

/* What denies comes first, as access is decided by the first entries that say something of it. */
DWORD SetEntriesInAclA(ULONG count, PEXPLICIT_ACCESS_A entries, PACL old_list, PACL *new_list) {
    if (new_list == NULL || (count > 0 && entries == NULL))
        return ERROR_INVALID_PARAMETER;
    *new_list = NULL;
    DWORD error = check_entries(count, entries);
    if (error != ERROR_SUCCESS)
        return error;
    size_t size = old_list != NULL ? old_list->AclSize : sizeof *old_list;
    for (ULONG i = 0; i < count; ++i)
        size += sizeof(ACE_HEADER) + sizeof(ACCESS_MASK) + GetLengthSid(entries[i].Trustee.ptstrName);
    if (size > UINT16_MAX)
        return ERROR_INVALID_PARAMETER;
    PACL made = LocalAlloc(LPTR, size);
    if (made == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    if (!InitializeAcl(made, (DWORD)size, ACL_REVISION) || !add_all(made, ACCESS_DENIED_ACE_TYPE, count, entries, old_list) ||
        !add_all(made, ACCESS_ALLOWED_ACE_TYPE, count, entries, old_list)) {
        error = GetLastError();
        LocalFree(made);
        return error;
    }
    *new_list = made;
    return ERROR_SUCCESS;
}
