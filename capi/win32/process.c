/* process.c: child processes. */
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- the command line -------------------------------------------------------------------------------------------- */

/* Takes the next argument off a command line by Windows' rules and writes it to *to: 2n backslashes before a quote are n, and an odd one
 * makes the quote a character; in quotes, two quotes are one. */
static const char *next_argument(const char *from, char **to) {
    bool quoted = false;
    char *out = *to;
    while (*from != 0 && (quoted || (*from != ' ' && *from != '\t'))) {
        size_t slashes = strspn(from, "\\");
        from += slashes;
        bool quote = *from == '"';
        for (size_t i = 0; i < (quote ? slashes / 2 : slashes); ++i)
            *out++ = '\\';
        if (quote && slashes % 2 == 1)
            *out++ = *from++;
        else if (quote && quoted && from[1] == '"')
            *out++ = '"', from += 2;
        else if (quote)
            quoted = !quoted, ++from;
        else if (slashes == 0)
            *out++ = *from++;
    }
    *out++ = 0;
    *to = out;
    return from;
}

/* Splits a command line; the result and its texts are one block, which the caller frees. */
static char **split(const char *command) {
    size_t length = strlen(command), most = length / 2 + 2;
    char **arguments = malloc(most * sizeof *arguments + length + most);
    if (arguments == NULL)
        return NULL;
    char *to = (char *)(arguments + most);
    size_t count = 0;
    for (;;) {
        command += strspn(command, " \t");
        if (*command == 0)
            break;
        arguments[count++] = to;
        command = next_argument(command, &to);
    }
    arguments[count] = NULL;
    return arguments;
}

/* The program's file: as it was said, with this system's separators, or, for a name that ends in .exe, without that. The caller frees it. */
static char *program_file(const char *said) {
    char *file = strdup(said);
    if (file == NULL)
        return NULL;
    for (char *at = file; (at = strchr(at, '\\')) != NULL;)
        *at = '/';
    size_t length = strlen(file);
    if (strchr(file, '/') != NULL && access(file, X_OK) != 0 && length > 4 && strcasecmp(file + length - 4, ".exe") == 0)
        file[length - 4] = 0;
    return file;
}

/* ---- starting ---------------------------------------------------------------------------------------------------- */

/* The descriptor that a standard handle stands for, -1 for none, -2 for one that can't be passed on. */
static int descriptor_of(HANDLE handle) {
    if (handle == NULL || handle == INVALID_HANDLE_VALUE)
        return -1;
    struct stream *stream = handle_object(handle, STREAM);
    if (stream == NULL)
        return -1;
    int descriptor = stream->end == 0 ? stream->descriptor : -2;
    object_release(stream);
    return descriptor;
}

/* Duplicates above 2 first, so that no standard descriptor is overwritten before it was used. */
static DWORD redirect(posix_spawn_file_actions_t *actions, const STARTUPINFOA *startup) {
    const HANDLE handles[3] = {startup->hStdInput, startup->hStdOutput, startup->hStdError};
    for (int i = 0; i < 3; ++i) {
        int descriptor = descriptor_of(handles[i]);
        if (descriptor == -2)
            return ERROR_NOT_SUPPORTED;
        if (descriptor >= 0)
            posix_spawn_file_actions_adddup2(actions, descriptor, 900 + i);
    }
    for (int i = 0; i < 3; ++i)
        if (descriptor_of(handles[i]) >= 0) {
            posix_spawn_file_actions_adddup2(actions, 900 + i, i);
            posix_spawn_file_actions_addclose(actions, 900 + i);
        }
    return ERROR_SUCCESS;
}

/* Signals are as a fresh program expects them, whatever this thread blocks. */
static void fresh_signals(posix_spawnattr_t *attributes) {
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK);
}

static DWORD spawn(const char *file, char **arguments, const STARTUPINFOA *startup, const char *folder, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    fresh_signals(&attributes);
    DWORD error = ERROR_SUCCESS;
    if (startup != NULL && (startup->dwFlags & STARTF_USESTDHANDLES) != 0)
        error = redirect(&actions, startup);
#if defined(__GLIBC__) || defined(__APPLE__)
    if (folder != NULL)
        posix_spawn_file_actions_addchdir_np(&actions, folder);
#else
    if (folder != NULL)
        error = ERROR_NOT_SUPPORTED;
#endif
    if (error == ERROR_SUCCESS) {
        int number = posix_spawnp(pid, file, &actions, &attributes, arguments, environ);
        error = number == 0 ? ERROR_SUCCESS : number == ENOEXEC ? 193u /* ERROR_BAD_EXE_FORMAT */ : error_of_errno(number);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Waits for a child, on a thread of its own: only waitpid for just this child leaves the program's other children alone. */
static void *reap(void *pointer) {
    struct process *process = pointer;
    int status = 0;
    siginfo_t ended;
    while (waitid(P_PID, (id_t)process->pid, &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        continue;
    lock_world(); /* as long as the child is not reaped, its number is no other's: TerminateProcess counts on it */
    pid_t got = waitpid(process->pid, &status, WNOHANG);
    process->code = got < 0 ? 0 : WIFEXITED(status) ? (DWORD)WEXITSTATUS(status) : process->terminated ? process->killed
                                                                                   : 128 + (DWORD)WTERMSIG(status);
    object_signal_locked(&process->object);
    object_release_locked(process);
    unlock_world();
    return NULL;
}

/* The handles of a child: of the process, and, as there is no other way to its thread, of the process again. */
static BOOL watch(pid_t pid, LPPROCESS_INFORMATION information) {
    struct process *process = object_new(PROCESS, sizeof *process);
    if (process == NULL)
        return FALSE;
    process->pid = pid;
    process->object.references = 3;
    pthread_t thread;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &detached, reap, process) != 0)
        object_release(process);
    pthread_attr_destroy(&detached);
    *information = (PROCESS_INFORMATION){handle_new(process, NULL), handle_new(process, NULL), (DWORD)pid, (DWORD)pid};
    return information->hProcess != NULL && information->hThread != NULL;
}

BOOL CreateProcessA(LPCSTR application, LPSTR command, LPSECURITY_ATTRIBUTES process, LPSECURITY_ATTRIBUTES thread, BOOL inherit, DWORD flags,
                    LPVOID environment, LPCSTR folder, LPSTARTUPINFOA startup, LPPROCESS_INFORMATION information) {
    (void)process, (void)thread, (void)inherit; /* of handles, a child gets its standard ones */
    if (environment != NULL || (flags & CREATE_SUSPENDED) != 0)
        return fail(ERROR_NOT_SUPPORTED);
    if (application == NULL && (command == NULL || *command == 0))
        return fail(ERROR_INVALID_PARAMETER);
    char **arguments = split(command != NULL && *command != 0 ? command : application);
    char *file = arguments != NULL ? program_file(application != NULL ? application : arguments[0]) : NULL;
    pid_t pid = 0;
    fflush(NULL); /* what this program printed comes before what the child prints */
    DWORD error = file == NULL ? ERROR_NOT_ENOUGH_MEMORY : spawn(file, arguments, startup, folder, &pid);
    free(file);
    free(arguments);
    return error == ERROR_SUCCESS ? watch(pid, information) : fail(error);
}

VOID GetStartupInfoA(LPSTARTUPINFOA startup) {
    memset(startup, 0, sizeof *startup);
    startup->cb = sizeof *startup;
    startup->dwFlags = STARTF_USESTDHANDLES;
    startup->hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    startup->hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    startup->hStdError = GetStdHandle(STD_ERROR_HANDLE);
}

/* ---- asking and ending ------------------------------------------------------------------------------------------- */

BOOL GetExitCodeProcess(HANDLE handle, LPDWORD code) {
    if (handle == GetCurrentProcess())
        return *code = STILL_ACTIVE, TRUE;
    struct process *process = handle_object(handle, PROCESS);
    if (process == NULL)
        return FALSE;
    lock_world();
    *code = process->object.signalled ? process->code : STILL_ACTIVE;
    object_release_locked(process);
    unlock_world();
    return TRUE;
}

BOOL TerminateProcess(HANDLE handle, UINT code) {
    if (handle == GetCurrentProcess())
        _exit((int)code);
    struct process *process = handle_object(handle, PROCESS);
    if (process == NULL)
        return FALSE;
    lock_world();
    bool alive = !process->object.signalled;
    if (alive) {
        process->terminated = true;
        process->killed = code;
        kill(process->pid, SIGKILL);
    }
    object_release_locked(process);
    unlock_world();
    return alive ? TRUE : fail(ERROR_ACCESS_DENIED);
}

DWORD GetProcessId(HANDLE handle) {
    if (handle == GetCurrentProcess())
        return GetCurrentProcessId();
    struct process *process = handle_object(handle, PROCESS);
    if (process == NULL)
        return 0;
    DWORD id = (DWORD)process->pid;
    object_release(process);
    return id;
}

VOID ExitProcess(UINT code) { exit((int)code); }
HANDLE GetCurrentProcess(VOID) { return (HANDLE)-1; }
DWORD GetCurrentProcessId(VOID) { return (DWORD)getpid(); }

BOOL ProcessIdToSessionId(DWORD process, DWORD *session) {
    pid_t id = getsid((pid_t)process);
    if (id < 0)
        return fail(ERROR_INVALID_PARAMETER);
    *session = (DWORD)id;
    return TRUE;
}
