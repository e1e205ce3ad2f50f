/* security.c: security descriptors, which become SDDL for the library, and impersonation. */
#include "world.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

/* ---- descriptors ------------------------------------------------------------------------------------------------- */

enum { PRESENT = 0x0004 }; /* SE_DACL_PRESENT */

BOOL InitializeSecurityDescriptor(PSECURITY_DESCRIPTOR pointer, DWORD revision) {
    if (revision != SECURITY_DESCRIPTOR_REVISION)
        return fail(1305 /* ERROR_UNKNOWN_REVISION */);
    SECURITY_DESCRIPTOR *descriptor = pointer;
    memset(descriptor, 0, sizeof *descriptor);
    descriptor->Revision = SECURITY_DESCRIPTOR_REVISION;
    return TRUE;
}

BOOL IsValidSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor) {
    return descriptor != NULL && ((SECURITY_DESCRIPTOR *)descriptor)->Revision == SECURITY_DESCRIPTOR_REVISION;
}

static SECURITY_DESCRIPTOR *changeable(PSECURITY_DESCRIPTOR descriptor) {
    if (!IsValidSecurityDescriptor(descriptor) || ((SECURITY_DESCRIPTOR *)descriptor)->Text != NULL)
        return SetLastError(ERROR_INVALID_SECURITY_DESCR), NULL;
    return descriptor;
}

BOOL SetSecurityDescriptorDacl(PSECURITY_DESCRIPTOR pointer, BOOL present, PACL acl, BOOL defaulted) {
    (void)defaulted;
    SECURITY_DESCRIPTOR *descriptor = changeable(pointer);
    if (descriptor == NULL)
        return FALSE;
    descriptor->Control = present ? PRESENT : 0;
    descriptor->Dacl = present ? acl : NULL;
    return TRUE;
}

BOOL SetSecurityDescriptorOwner(PSECURITY_DESCRIPTOR pointer, PSID owner, BOOL defaulted) {
    (void)defaulted;
    SECURITY_DESCRIPTOR *descriptor = changeable(pointer);
    if (descriptor != NULL)
        descriptor->Owner = owner;
    return descriptor != NULL;
}

BOOL SetSecurityDescriptorGroup(PSECURITY_DESCRIPTOR pointer, PSID group, BOOL defaulted) {
    (void)defaulted;
    SECURITY_DESCRIPTOR *descriptor = changeable(pointer);
    if (descriptor != NULL)
        descriptor->Group = group;
    return descriptor != NULL;
}

BOOL ConvertStringSecurityDescriptorToSecurityDescriptorA(LPCSTR text, DWORD revision, PSECURITY_DESCRIPTOR *made, PULONG size) {
    if (text == NULL || made == NULL || revision != SDDL_REVISION_1)
        return fail(ERROR_INVALID_PARAMETER);
    size_t length = strlen(text) + 1;
    SECURITY_DESCRIPTOR *descriptor = LocalAlloc(LPTR, sizeof *descriptor + length);
    if (descriptor == NULL)
        return FALSE;
    descriptor->Revision = SECURITY_DESCRIPTOR_REVISION;
    descriptor->Text = memcpy(descriptor + 1, text, length); /* one block with it, for LocalFree */
    *made = descriptor;
    if (size != NULL)
        *size = (ULONG)(sizeof *descriptor + length);
    return TRUE;
}

/* ---- SIDs and access lists --------------------------------------------------------------------------------------- */

BOOL AllocateAndInitializeSid(PSID_IDENTIFIER_AUTHORITY authority, BYTE count, DWORD a, DWORD b, DWORD c, DWORD d, DWORD e, DWORD f, DWORD g,
                              DWORD h, PSID *made) {
    const DWORD parts[8] = {a, b, c, d, e, f, g, h};
    if (count > 8)
        return fail(ERROR_INVALID_SID);
    SID *sid = calloc(1, sizeof *sid + 8 * sizeof(DWORD));
    if (sid == NULL)
        return fail(ERROR_NOT_ENOUGH_MEMORY);
    sid->Revision = SID_REVISION;
    sid->SubAuthorityCount = count;
    sid->IdentifierAuthority = *authority;
    memcpy(sid->SubAuthority, parts, count * sizeof(DWORD));
    *made = sid;
    return TRUE;
}

PVOID FreeSid(PSID sid) {
    free(sid);
    return NULL;
}

DWORD GetLengthSid(PSID sid) { return 8 + 4 * (DWORD)((const SID *)sid)->SubAuthorityCount; }

BOOL IsValidSid(PSID sid) {
    return sid != NULL && ((const SID *)sid)->Revision == SID_REVISION && ((const SID *)sid)->SubAuthorityCount <= SID_MAX_SUB_AUTHORITIES;
}

BOOL EqualSid(PSID first, PSID second) {
    return GetLengthSid(first) == GetLengthSid(second) && memcmp(first, second, GetLengthSid(first)) == 0;
}

BOOL InitializeAcl(PACL acl, DWORD size, DWORD revision) {
    if (size < sizeof *acl || size > UINT16_MAX)
        return fail(ERROR_INVALID_PARAMETER);
    memset(acl, 0, size);
    acl->AclRevision = (BYTE)revision;
    acl->AclSize = (WORD)size;
    return TRUE;
}

/* The entry after the count-th, or NULL if the list is not well formed. */
static ACCESS_ALLOWED_ACE *entry_after(const ACL *acl, WORD count) {
    size_t at = sizeof *acl;
    for (WORD i = 0; i < count; ++i) {
        const ACE_HEADER *header = (const ACE_HEADER *)(const void *)((const char *)acl + at);
        if (at + sizeof(ACCESS_ALLOWED_ACE) > acl->AclSize || header->AceSize < sizeof(ACCESS_ALLOWED_ACE) ||
            at + header->AceSize > acl->AclSize)
            return NULL;
        at += header->AceSize;
    }
    return (ACCESS_ALLOWED_ACE *)(void *)((char *)(uintptr_t)acl + at);
}

static BOOL add_entry(PACL acl, BYTE type, DWORD mask, PSID sid) {
    if (!IsValidSid(sid))
        return fail(ERROR_INVALID_SID);
    ACCESS_ALLOWED_ACE *entry = entry_after(acl, acl->AceCount);
    if (entry == NULL)
        return fail(ERROR_INVALID_ACL);
    size_t size = sizeof(ACE_HEADER) + sizeof(ACCESS_MASK) + GetLengthSid(sid);
    if ((size_t)((char *)entry - (char *)acl) + size > acl->AclSize)
        return fail(1344 /* ERROR_ALLOTTED_SPACE_EXCEEDED */);
    entry->Header = (ACE_HEADER){type, 0, (WORD)size};
    entry->Mask = mask;
    memcpy(&entry->SidStart, sid, GetLengthSid(sid));
    ++acl->AceCount;
    return TRUE;
}

BOOL AddAccessAllowedAce(PACL acl, DWORD revision, DWORD mask, PSID sid) {
    return (void)revision, add_entry(acl, ACCESS_ALLOWED_ACE_TYPE, mask, sid);
}

BOOL AddAccessDeniedAce(PACL acl, DWORD revision, DWORD mask, PSID sid) {
    return (void)revision, add_entry(acl, ACCESS_DENIED_ACE_TYPE, mask, sid);
}

BOOL GetAce(PACL acl, DWORD index, LPVOID *entry) {
    *entry = acl != NULL && index < acl->AceCount && entry_after(acl, (WORD)(index + 1)) != NULL ? entry_after(acl, (WORD)index) : NULL;
    return *entry != NULL ? TRUE : fail(ERROR_INVALID_PARAMETER);
}

/* ---- SDDL -------------------------------------------------------------------------------------------------------- */

static void print_sid(FILE *to, const SID *sid) {
    uint64_t authority = 0;
    for (int i = 0; i < 6; ++i)
        authority = authority << 8 | sid->IdentifierAuthority.Value[i];
    fprintf(to, "S-%d-%llu", sid->Revision, (unsigned long long)authority);
    for (int i = 0; i < sid->SubAuthorityCount; ++i)
        fprintf(to, "-%u", sid->SubAuthority[i]);
}

static DWORD print_descriptor(FILE *to, const SECURITY_DESCRIPTOR *descriptor) {
    if (descriptor->Owner != NULL)
        fputs("O:", to), print_sid(to, descriptor->Owner);
    if (descriptor->Group != NULL)
        fputs("G:", to), print_sid(to, descriptor->Group);
    fputs("D:", to);
    if (descriptor->Dacl == NULL) {
        fputs("(A;;GA;;;WD)", to); /* no list is no protection */
        return ERROR_SUCCESS;
    }
    for (WORD i = 0; i < descriptor->Dacl->AceCount; ++i) {
        const ACCESS_ALLOWED_ACE *entry = entry_after(descriptor->Dacl, i);
        if (entry == NULL || entry->Header.AceType > ACCESS_DENIED_ACE_TYPE)
            return ERROR_INVALID_ACL;
        fprintf(to, "(%s;;0x%x;;;", entry->Header.AceType == ACCESS_DENIED_ACE_TYPE ? "D" : "A", entry->Mask);
        print_sid(to, (const SID *)&entry->SidStart);
        fputc(')', to);
    }
    return ERROR_SUCCESS;
}

DWORD security_text(const SECURITY_ATTRIBUTES *security, char **text) {
    *text = NULL;
    const SECURITY_DESCRIPTOR *descriptor = security != NULL ? security->lpSecurityDescriptor : NULL;
    if (descriptor == NULL)
        return ERROR_SUCCESS;
    if (!IsValidSecurityDescriptor(security->lpSecurityDescriptor))
        return ERROR_INVALID_SECURITY_DESCR;
    if (descriptor->Text != NULL)
        return (*text = strdup(descriptor->Text)) != NULL ? ERROR_SUCCESS : ERROR_NOT_ENOUGH_MEMORY;
    if ((descriptor->Control & PRESENT) == 0)
        return ERROR_SUCCESS;
    size_t size;
    FILE *to = open_memstream(text, &size);
    if (to == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    DWORD error = print_descriptor(to, descriptor);
    fclose(to);
    if (error != ERROR_SUCCESS) {
        free(*text);
        *text = NULL;
    }
    return error;
}

/* ---- impersonation ----------------------------------------------------------------------------------------------- */

#ifdef __linux__
/* The system calls, as the C library's functions would change all threads. Only the effective ids change, so that the way back stays open. */
static bool set_identity(uid_t uid, gid_t gid, int count, const gid_t *groups) {
    return syscall(SYS_setgroups, count, groups) == 0 && syscall(SYS_setresgid, -1, gid, -1) == 0 &&
           syscall(SYS_setresuid, -1, uid, -1) == 0;
}

/* A thread that can't be itself again must not go on with whom it is. */
void security_revert(struct thread *thread) {
    if (!thread->impersonating)
        return;
    if (syscall(SYS_setresuid, -1, 0, -1) != 0 || !set_identity(0, thread->group, thread->group_count, thread->groups))
        abort();
    thread->impersonating = false;
}

/* The client's ids as libanypipe knows them; groups is freed by the caller. */
static int ask_identity(anypipe_handle end, anypipe_peer *peer, gid_t **groups, size_t *count) {
    *peer = (anypipe_peer){.size = sizeof *peer};
    int error = anypipe_get_peer(end, peer);
    if (error != ANYPIPE_OK)
        return error == ANYPIPE_NOT_FOUND ? ANYPIPE_CANNOT_IMPERSONATE : error;
    int64_t *ids = calloc(peer->group_count + 1, sizeof *ids);
    *groups = calloc(peer->group_count + 1, sizeof **groups);
    *count = 0;
    if (ids != NULL && *groups != NULL)
        error = anypipe_get_peer_groups(end, ids, peer->group_count, count);
    else
        error = ANYPIPE_OUT_OF_MEMORY;
    for (size_t i = 0; error == ANYPIPE_OK && i < *count && i < peer->group_count; ++i)
        (*groups)[i] = (gid_t)ids[i];
    free(ids);
    return error != ANYPIPE_OK ? error : peer->uid < 0 || peer->gid < 0 ? ANYPIPE_CANNOT_IMPERSONATE : ANYPIPE_OK;
}

static DWORD impersonate(struct thread *self, anypipe_handle end) {
    security_revert(self);
    if (geteuid() != 0)
        return ERROR_CANNOT_IMPERSONATE;
    anypipe_peer peer;
    gid_t *groups = NULL;
    size_t count = 0;
    int error = ask_identity(end, &peer, &groups, &count);
    int own = getgroups(0, NULL);
    gid_t *own_groups = error == ANYPIPE_OK && own >= 0 ? calloc((size_t)own + 1, sizeof *own_groups) : NULL;
    if (error == ANYPIPE_OK && (own_groups == NULL || getgroups(own, own_groups) != own))
        error = ANYPIPE_OUT_OF_MEMORY;
    if (error != ANYPIPE_OK) {
        free(groups);
        free(own_groups);
        return (DWORD)error;
    }
    free(self->groups);
    self->groups = own_groups;
    self->group_count = own;
    self->group = getegid();
    self->impersonating = true; /* before the change: one that fails midway is taken back */
    bool done = set_identity((uid_t)peer.uid, (gid_t)peer.gid, (int)count, groups);
    free(groups);
    if (!done)
        security_revert(self);
    return done ? ERROR_SUCCESS : ERROR_CANNOT_IMPERSONATE;
}
#else
void security_revert(struct thread *thread) { (void)thread; }
static DWORD impersonate(struct thread *self, anypipe_handle end) { return (void)self, (void)end, ERROR_NOT_SUPPORTED; }
#endif

BOOL ImpersonateNamedPipeClient(HANDLE pipe) {
    struct stream *stream = handle_object(pipe, STREAM);
    struct thread *self = thread_self();
    if (stream == NULL || self == NULL)
        return FALSE;
    DWORD error = stream->end == 0 || !stream->server ? ERROR_INVALID_FUNCTION : impersonate(self, stream->end);
    object_release(stream);
    return error == ERROR_SUCCESS ? TRUE : fail(error);
}

BOOL RevertToSelf(VOID) {
    struct thread *self = thread_self();
    if (self != NULL)
        security_revert(self);
    return TRUE;
}
