/* file.c: what is asked of files. */
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Calls use with the descriptor of a handle; a pipe's end has none. */
static struct stream *file_of(HANDLE handle) {
    struct stream *stream = handle_object(handle, STREAM);
    if (stream != NULL && stream->end != 0) {
        object_release(stream);
        SetLastError(ERROR_INVALID_FUNCTION);
        return NULL;
    }
    return stream;
}

DWORD GetFileType(HANDLE handle) {
    struct stream *stream = handle_object(handle, STREAM);
    if (stream == NULL)
        return FILE_TYPE_UNKNOWN;
    struct stat status;
    DWORD type = FILE_TYPE_PIPE;
    if (stream->end == 0 && fstat(stream->descriptor, &status) == 0)
        type = S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISBLK(status.st_mode) ? FILE_TYPE_DISK
               : S_ISCHR(status.st_mode)                                                     ? FILE_TYPE_CHAR
                                                                                             : FILE_TYPE_PIPE;
    object_release(stream);
    SetLastError(ERROR_SUCCESS);
    return type;
}

BOOL GetFileSizeEx(HANDLE handle, PLARGE_INTEGER size) {
    struct stream *stream = file_of(handle);
    if (stream == NULL)
        return FALSE;
    struct stat status;
    bool known = fstat(stream->descriptor, &status) == 0;
    int number = errno;
    object_release(stream);
    if (!known)
        return fail(error_of_errno(number));
    size->QuadPart = status.st_size;
    return TRUE;
}

DWORD GetFileSize(HANDLE handle, LPDWORD high) {
    LARGE_INTEGER size;
    if (!GetFileSizeEx(handle, &size))
        return INVALID_FILE_SIZE;
    if (high != NULL)
        *high = (DWORD)size.HighPart;
    SetLastError(ERROR_SUCCESS);
    return size.LowPart;
}

BOOL SetFilePointerEx(HANDLE handle, LARGE_INTEGER distance, PLARGE_INTEGER position, DWORD from) {
    static const int whence[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    if (from > FILE_END)
        return fail(ERROR_INVALID_PARAMETER);
    struct stream *stream = file_of(handle);
    if (stream == NULL)
        return FALSE;
    off_t now = lseek(stream->descriptor, (off_t)distance.QuadPart, whence[from]);
    int number = errno;
    object_release(stream);
    if (now < 0)
        return fail(number == EINVAL ? ERROR_NEGATIVE_SEEK : error_of_errno(number));
    if (position != NULL)
        position->QuadPart = now;
    return TRUE;
}

DWORD SetFilePointer(HANDLE handle, LONG distance, PLONG high, DWORD from) {
    LARGE_INTEGER wide, position;
    wide.QuadPart = high != NULL ? (LONGLONG)((ULONGLONG)(DWORD)*high << 32 | (DWORD)distance) : distance;
    if (!SetFilePointerEx(handle, wide, &position, from))
        return INVALID_SET_FILE_POINTER;
    if (high != NULL)
        *high = position.HighPart;
    SetLastError(ERROR_SUCCESS);
    return position.LowPart;
}

BOOL SetEndOfFile(HANDLE handle) {
    struct stream *stream = file_of(handle);
    if (stream == NULL)
        return FALSE;
    bool set = ftruncate(stream->descriptor, lseek(stream->descriptor, 0, SEEK_CUR)) == 0;
    int number = errno;
    object_release(stream);
    return set ? TRUE : fail(error_of_errno(number));
}

BOOL DeleteFileA(LPCSTR name) {
    char *path = strdup(name);
    if (path == NULL)
        return fail(ERROR_NOT_ENOUGH_MEMORY);
    for (char *at = path; (at = strchr(at, '\\')) != NULL;)
        *at = '/';
    bool deleted = unlink(path) == 0;
    int number = errno;
    free(path);
    return deleted ? TRUE : fail(error_of_errno(number));
}
