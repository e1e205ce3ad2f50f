/* error.c: the last error, and the numbers and messages of errors. */
#include "world.h"

#include <errno.h>

static __thread DWORD last_error;

DWORD GetLastError(VOID) { return last_error; }
VOID SetLastError(DWORD error) { last_error = error; }

BOOL fail(DWORD error) {
    last_error = error;
    return FALSE;
}

BOOL result_of(int error) { return error == ANYPIPE_OK ? TRUE : fail((DWORD)error); }

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

/* The statuses that an OVERLAPPED of a pipe can hold. Of statuses with one error, the first is what error_of_status's inverse gives. */
static const struct {
    DWORD status, error;
} statuses[] = {
    {0x00000000u, ERROR_SUCCESS},           {0x00000103u, ERROR_IO_INCOMPLETE},     {0x80000005u, ERROR_MORE_DATA},
    {0xC000014Bu, ERROR_BROKEN_PIPE},       {0xC0000120u, ERROR_OPERATION_ABORTED}, {0xC00000B0u, ERROR_PIPE_NOT_CONNECTED},
    {0xC00000B1u, ERROR_NO_DATA},           {0xC00000D9u, ERROR_NO_DATA},           {0xC00000B2u, ERROR_PIPE_CONNECTED},
    {0xC00000B3u, ERROR_PIPE_LISTENING},    {0xC00000ADu, ERROR_BAD_PIPE},          {0xC00000B4u, ERROR_BAD_PIPE},
    {0xC00000AEu, ERROR_PIPE_BUSY},         {0xC00000ABu, ERROR_PIPE_BUSY},         {0xC00000ACu, ERROR_PIPE_BUSY},
    {0xC0000022u, ERROR_ACCESS_DENIED},     {0xC000000Du, ERROR_INVALID_PARAMETER}, {0xC00000AFu, ERROR_INVALID_FUNCTION},
    {0xC0000008u, ERROR_INVALID_HANDLE},    {0xC00000BBu, ERROR_NOT_SUPPORTED},     {0xC0000011u, ERROR_HANDLE_EOF},
    {0xC00000E5u, ERROR_INTERNAL_ERROR},    {0xC000007Fu, ERROR_DISK_FULL},         {0xC0000017u, ERROR_NOT_ENOUGH_MEMORY},
    {0xC0000010u, ERROR_INVALID_FUNCTION},  {0xC0000185u, 1117u},
};

DWORD error_of_status(DWORD status) {
    for (size_t i = 0; i < ARRAYSIZE(statuses); ++i)
        if (statuses[i].status == status)
            return statuses[i].error;
    return ERROR_MR_MID_NOT_FOUND;
}

DWORD status_of_error(DWORD error) {
    for (size_t i = 0; i < ARRAYSIZE(statuses); ++i)
        if (statuses[i].error == error)
            return statuses[i].status;
    return 0xC00000E5u;
}

DWORD error_of_errno(int number) {
    switch (number) {
    case ENOENT: return ERROR_FILE_NOT_FOUND;
    case ENOTDIR: return ERROR_PATH_NOT_FOUND;
    case EACCES: case EPERM: case EISDIR: case EROFS: return ERROR_ACCESS_DENIED;
    case EBADF: return ERROR_ACCESS_DENIED; /* a descriptor that is open, but not for this */
    case EEXIST: return ERROR_FILE_EXISTS;
    case EMFILE: case ENFILE: return ERROR_TOO_MANY_OPEN_FILES;
    case ENOMEM: return ERROR_NOT_ENOUGH_MEMORY;
    case EINVAL: return ERROR_INVALID_PARAMETER;
    case ENOSPC: return ERROR_DISK_FULL;
    case EPIPE: return ERROR_NO_DATA;
    case ENAMETOOLONG: return ERROR_FILENAME_EXCED_RANGE;
    case ESPIPE: return ERROR_INVALID_FUNCTION;
    case EIO: return 1117u; /* ERROR_IO_DEVICE */
    default: return ERROR_INTERNAL_ERROR;
    }
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static const struct {
    DWORD error;
    const char *message;
} messages[] = {
    {0, "The operation completed successfully."},
    {1, "Incorrect function."},
    {2, "The system cannot find the file specified."},
    {3, "The system cannot find the path specified."},
    {4, "The system cannot open the file."},
    {5, "Access is denied."},
    {6, "The handle is invalid."},
    {8, "Not enough memory resources are available to process this command."},
    {31, "A device attached to the system is not functioning."},
    {38, "Reached the end of the file."},
    {50, "The request is not supported."},
    {53, "The network path was not found."},
    {80, "The file exists."},
    {87, "The parameter is incorrect."},
    {109, "The pipe has been ended."},
    {112, "There is not enough space on the disk."},
    {121, "The semaphore timeout period has expired."},
    {122, "The data area passed to a system call is too small."},
    {123, "The filename, directory name, or volume label syntax is incorrect."},
    {183, "Cannot create a file when that file already exists."},
    {206, "The filename or extension is too long."},
    {229, "The pipe is local."},
    {230, "The pipe state is invalid."},
    {231, "All pipe instances are busy."},
    {232, "The pipe is being closed."},
    {233, "No process is on the other end of the pipe."},
    {234, "More data is available."},
    {258, "The wait operation timed out."},
    {288, "Attempt to release mutex not owned by caller."},
    {298, "Too many posts were made to a semaphore."},
    {535, "There is a process on other end of the pipe."},
    {536, "Waiting for a process to open the other end of the pipe."},
    {735, "A wait operation was ended as its object was closed."},
    {995, "The I/O operation has been aborted because of either a thread exit or an application request."},
    {996, "Overlapped I/O event is not in a signaled state."},
    {997, "Overlapped I/O operation is in progress."},
    {998, "Invalid access to memory location."},
    {1168, "Element not found."},
    {1338, "The security descriptor structure is invalid."},
    {1359, "An internal error occurred."},
    {1368, "Unable to impersonate using a named pipe until data has been read from that pipe."},
    {1784, "The supplied user buffer is not valid for the requested operation."},
};

const char *message_of_error(DWORD error) {
    for (size_t i = 0; i < ARRAYSIZE(messages); ++i)
        if (messages[i].error == error)
            return messages[i].message;
    return NULL;
}
