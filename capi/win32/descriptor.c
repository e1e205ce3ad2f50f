/* descriptor.c: ordinary files, standard handles and anonymous pipes, which are descriptors of this system. */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* The name in this system's spelling, which the caller frees. */
static char *system_path(const char *name) {
    if (strcasecmp(name, "NUL") == 0)
        name = "/dev/null";
    else if (strcasecmp(name, "CONIN$") == 0 || strcasecmp(name, "CONOUT$") == 0)
        name = "/dev/tty";
    char *path = strdup(name);
    for (char *at = path; at != NULL && (at = strchr(at, '\\')) != NULL;)
        *at = '/';
    return path;
}

static int open_flags(DWORD access, DWORD disposition) {
    static const int of_disposition[] = {0, O_CREAT | O_EXCL, O_CREAT | O_TRUNC, 0, O_CREAT, O_TRUNC};
    bool write = (access & (GENERIC_WRITE | GENERIC_ALL | FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0;
    bool read = (access & (GENERIC_READ | GENERIC_ALL | FILE_READ_DATA)) != 0 || !write;
    bool append = (access & FILE_APPEND_DATA) != 0 && (access & (GENERIC_WRITE | GENERIC_ALL | FILE_WRITE_DATA)) == 0;
    return of_disposition[disposition] | (write && read ? O_RDWR : write ? O_WRONLY : O_RDONLY) | (append ? O_APPEND : 0) | O_CLOEXEC;
}

static HANDLE descriptor_handle(int descriptor, bool owned, bool pipe, DWORD flags, const SECURITY_ATTRIBUTES *security) {
    struct stream *stream = stream_new();
    if (stream == NULL) {
        if (owned)
            close(descriptor);
        return NULL;
    }
    stream->descriptor = descriptor;
    stream->owned = owned;
    stream->pipe = pipe;
    stream->overlapped = (flags & FILE_FLAG_OVERLAPPED) != 0;
    return handle_new(stream, security);
}

HANDLE descriptor_open(const char *name, DWORD access, DWORD disposition, DWORD flags, const SECURITY_ATTRIBUTES *security) {
    if (disposition < CREATE_NEW || disposition > TRUNCATE_EXISTING)
        return fail(ERROR_INVALID_PARAMETER), INVALID_HANDLE_VALUE;
    char *path = system_path(name);
    if (path == NULL)
        return fail(ERROR_NOT_ENOUGH_MEMORY), INVALID_HANDLE_VALUE;
    struct stat before;
    bool existed = stat(path, &before) == 0;
    int descriptor = open(path, open_flags(access, disposition), 0666);
    int number = errno;
    if (descriptor >= 0 && (flags & FILE_FLAG_DELETE_ON_CLOSE) != 0)
        unlink(path);
    free(path);
    if (descriptor < 0)
        return fail(error_of_errno(number)), INVALID_HANDLE_VALUE;
    HANDLE handle = descriptor_handle(descriptor, true, false, flags, security);
    if (handle == NULL)
        return INVALID_HANDLE_VALUE;
    bool replaced = existed && (disposition == CREATE_ALWAYS || disposition == OPEN_ALWAYS);
    SetLastError(replaced ? ERROR_ALREADY_EXISTS : ERROR_SUCCESS);
    return handle;
}

BOOL CreatePipe(PHANDLE read_end, PHANDLE write_end, LPSECURITY_ATTRIBUTES security, DWORD size) {
    *read_end = *write_end = NULL;
    int ends[2];
#ifdef __linux__
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(error_of_errno(errno));
    if (size > 65536)
        fcntl(ends[1], F_SETPIPE_SZ, size); /* a wish, as on Windows */
#else
    (void)size;
    if (pipe(ends) != 0)
        return fail(error_of_errno(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
    HANDLE read_handle = descriptor_handle(ends[0], true, true, 0, security);
    HANDLE write_handle = descriptor_handle(ends[1], true, true, 0, security);
    if (read_handle == NULL || write_handle == NULL) {
        CloseHandle(read_handle);
        CloseHandle(write_handle);
        return fail(ERROR_NOT_ENOUGH_MEMORY);
    }
    *read_end = read_handle;
    *write_end = write_handle;
    return TRUE;
}

/* ---- standard handles -------------------------------------------------------------------------------------------- */

static HANDLE standard[3]; /* guarded by the world's lock; NULL until asked for */

HANDLE GetStdHandle(DWORD which) {
    DWORD descriptor = STD_INPUT_HANDLE - which;
    if (descriptor > 2)
        return fail(ERROR_INVALID_HANDLE), INVALID_HANDLE_VALUE;
    lock_world();
    HANDLE handle = standard[descriptor];
    unlock_world();
    if (handle != NULL)
        return handle;
    struct stat status;
    bool pipe = fstat((int)descriptor, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
    handle = descriptor_handle((int)descriptor, false, pipe, 0, NULL);
    if (handle == NULL)
        return INVALID_HANDLE_VALUE;
    SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    lock_world();
    HANDLE other = standard[descriptor];
    if (other == NULL)
        standard[descriptor] = handle;
    unlock_world();
    if (other != NULL)
        CloseHandle(handle);
    return other != NULL ? other : handle;
}

BOOL SetStdHandle(DWORD which, HANDLE handle) {
    DWORD descriptor = STD_INPUT_HANDLE - which;
    if (descriptor > 2)
        return fail(ERROR_INVALID_HANDLE);
    lock_world();
    standard[descriptor] = handle;
    unlock_world();
    return TRUE;
}

/* ---- waiting for a descriptor ------------------------------------------------------------------------------------ */

/* The pipe by which CancelSynchronousIo and CloseHandle reach a thread that waits for a descriptor. */
static bool wake_pipe(struct thread *self) {
    if (self->wake_pipe[1] != 0)
        return true;
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    for (int i = 0; i < 2; ++i) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    lock_world();
    self->wake_pipe[0] = ends[0];
    self->wake_pipe[1] = ends[1];
    unlock_world();
    return true;
}

static bool is_cancelled(struct request *request) {
    lock_world();
    bool cancelled = request->cancelled;
    unlock_world();
    return cancelled;
}

/* Waits until the descriptor can be read or written. Regular files always can. */
static DWORD wait_for_descriptor(struct request *request, short events) {
    struct thread *self = request->thread;
    if (!wake_pipe(self))
        return ERROR_TOO_MANY_OPEN_FILES;
    for (;;) {
        struct pollfd fds[2] = {{request->stream->descriptor, events, 0}, {self->wake_pipe[0], POLLIN, 0}};
        if (is_cancelled(request))
            return ERROR_OPERATION_ABORTED;
        int count = poll(fds, 2, request->stream->no_wait ? 0 : -1);
        char drained[16];
        if (count > 0 && fds[1].revents != 0)
            while (read(self->wake_pipe[0], drained, sizeof drained) > 0)
                continue;
        else if (count > 0)
            return ERROR_SUCCESS;
        else if (count == 0)
            return ERROR_NO_DATA;
    }
}

/* ---- reading and writing ----------------------------------------------------------------------------------------- */

/* Where an overlapped operation on a file is; -1 is wherever the file is. */
static off_t position(const struct stream *stream, const OVERLAPPED *overlapped) {
    if (overlapped == NULL || stream->pipe || lseek(stream->descriptor, 0, SEEK_CUR) < 0)
        return -1;
    return (off_t)((uint64_t)overlapped->OffsetHigh << 32 | overlapped->Offset);
}

BOOL descriptor_read(struct stream *stream, void *buffer, DWORD size, LPDWORD length, OVERLAPPED *overlapped,
                     LPOVERLAPPED_COMPLETION_ROUTINE routine) {
    struct request *request = request_new(stream, overlapped, routine);
    if (request == NULL)
        return FALSE;
    off_t at = position(stream, overlapped);
    DWORD error = ERROR_SUCCESS;
    ssize_t got = 0;
    if (size > 0 || stream->pipe)
        error = wait_for_descriptor(request, POLLIN);
    if (error == ERROR_SUCCESS && size > 0)
        do
            got = at >= 0 ? pread(stream->descriptor, buffer, size, at) : read(stream->descriptor, buffer, size);
        while (got < 0 && errno == EINTR);
    if (got < 0)
        error = error_of_errno(errno);
    else if (got == 0 && size > 0 && error == ERROR_SUCCESS)
        error = stream->pipe ? ERROR_BROKEN_PIPE : overlapped != NULL ? ERROR_HANDLE_EOF : ERROR_SUCCESS;
    return request_finished(request, error, got > 0 ? (size_t)got : 0, length);
}

/* Writes everything, as Windows does. A pipe without a reader must not end the process with SIGPIPE. */
static DWORD write_all(struct request *request, const char *data, size_t size, off_t at, size_t *written) {
    struct stream *stream = request->stream;
    while (*written < size) {
        size_t part = size - *written;
        if (stream->pipe) {
            DWORD error = wait_for_descriptor(request, POLLOUT);
            if (error != ERROR_SUCCESS)
                return error;
            part = part < PIPE_BUF ? part : PIPE_BUF; /* what a writable pipe takes without waiting */
        }
        ssize_t count = at >= 0 ? pwrite(stream->descriptor, data + *written, part, at + (off_t)*written)
                                : write(stream->descriptor, data + *written, part);
        if (count >= 0)
            *written += (size_t)count;
        else if (errno != EINTR)
            return error_of_errno(errno);
    }
    return ERROR_SUCCESS;
}

BOOL descriptor_write(struct stream *stream, const void *data, DWORD size, LPDWORD length, OVERLAPPED *overlapped,
                      LPOVERLAPPED_COMPLETION_ROUTINE routine) {
    struct request *request = request_new(stream, overlapped, routine);
    if (request == NULL)
        return FALSE;
    sigset_t broken, before, waiting;
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    size_t written = 0;
    DWORD error = write_all(request, data, size, position(stream, overlapped), &written);
    /* The signal of our own write, if there was one, is taken back. */
    int signal;
    if (error == ERROR_NO_DATA && sigpending(&waiting) == 0 && sigismember(&waiting, SIGPIPE) && !sigismember(&before, SIGPIPE))
        sigwait(&broken, &signal);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return request_finished(request, error, written, length);
}

BOOL descriptor_peek(struct stream *stream, void *buffer, DWORD size, LPDWORD length, LPDWORD available, LPDWORD left) {
    int count = 0;
    if (!stream->pipe)
        return fail(ERROR_INVALID_FUNCTION);
    if (buffer != NULL && size > 0)
        return fail(ERROR_NOT_SUPPORTED); /* this system's pipes can be counted, not looked into */
    struct pollfd fd = {stream->descriptor, POLLIN, 0};
    if (ioctl(stream->descriptor, FIONREAD, &count) != 0)
        return fail(error_of_errno(errno));
    if (count == 0 && poll(&fd, 1, 0) > 0 && (fd.revents & (POLLIN | POLLHUP)) == POLLHUP)
        return fail(ERROR_BROKEN_PIPE);
    if (length != NULL)
        *length = 0;
    if (available != NULL)
        *available = (DWORD)count;
    if (left != NULL)
        *left = 0;
    return TRUE;
}
