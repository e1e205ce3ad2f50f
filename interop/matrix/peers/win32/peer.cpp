// peer.cpp: the matrix's peer in plain Win32 calls. One source: g++ with anypipe's windows.h makes it for Linux, mingw for Windows.
// What it does is in ../../README.md.
#include <windows.h>
#include <process.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

const DWORD Quota = 65536;
const int Messages = 1000;

// Fault is an error to give up on: what went wrong, and Win32's number.
struct Fault {
    std::string what;
    DWORD error;
};

void say(const char *format, unsigned long long value) {
    std::printf(format, value);
    std::putchar('\n');
    std::fflush(stdout);
}

// Hash is FNV-1a over messages: of each its length and its bytes.
struct Hash {
    uint64_t value = 14695981039346656037u;

    void byte(unsigned char b) { value = (value ^ b) * 1099511628211u; }

    void add(const std::string &message) {
        for (int shift = 0; shift < 32; shift += 8)
            byte(static_cast<unsigned char>(message.size() >> shift));
        for (char c : message)
            byte(static_cast<unsigned char>(c));
    }

    std::string hex() const {
        char digits[17];
        std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
        return digits;
    }
};

// Message i of a flood; the server's bytes are 128 further on.
std::string flood_message(int i, int offset) {
    std::string message(static_cast<size_t>(i) * 37 % 2000, '\0');
    for (size_t j = 0; j < message.size(); ++j)
        message[j] = static_cast<char>((static_cast<size_t>(i + offset) + j) % 256);
    return message;
}

// Pipe is an end. Its handle is overlapped, because the two threads of a flood use it at once, and Windows lets a synchronous
// handle do one thing at a time.
class Pipe {
public:
    Pipe(HANDLE handle, bool message) : handle_(handle), message_(message) {}
    ~Pipe() { CloseHandle(handle_); }
    Pipe(const Pipe &) = delete;
    Pipe &operator=(const Pipe &) = delete;

    HANDLE handle() const { return handle_; }

    // Sends a message; on byte pipes with its length before it.
    void send(const std::string &message) {
        if (message_)
            return write(message.data(), message.size());
        std::string framed;
        for (int shift = 0; shift < 32; shift += 8)
            framed += static_cast<char>(message.size() >> shift);
        framed += message;
        write(framed.data(), framed.size());
    }

    std::string receive() {
        if (message_)
            return receive_message();
        unsigned char header[4];
        read_exactly(reinterpret_cast<char *>(header), 4);
        size_t size = header[0] | header[1] << 8 | header[2] << 16 | static_cast<size_t>(header[3]) << 24;
        if (size > (16u << 20))
            throw Fault{"a message too long", ERROR_INVALID_DATA};
        std::string message(size, '\0');
        read_exactly(&message[0], size);
        return message;
    }

    // ConnectNamedPipe; a client that came and went counts as one.
    void connect() {
        Operation operation;
        DWORD error = ConnectNamedPipe(handle_, &operation.overlapped) ? 0 : operation.result(handle_, NULL);
        if (error != 0 && error != ERROR_PIPE_CONNECTED && error != ERROR_NO_DATA)
            throw Fault{"ConnectNamedPipe", error};
    }

private:
    // One operation's OVERLAPPED with its event.
    struct Operation {
        OVERLAPPED overlapped = OVERLAPPED();
        Operation() { overlapped.hEvent = CreateEvent(NULL, TRUE, FALSE, NULL); }
        ~Operation() { CloseHandle(overlapped.hEvent); }

        // Waits for an operation that was started; the error that it began or ended with.
        DWORD result(HANDLE handle, DWORD *length) {
            DWORD error = GetLastError(), count = 0;
            if (error == ERROR_IO_PENDING || error == ERROR_MORE_DATA)
                error = GetOverlappedResult(handle, &overlapped, &count, TRUE) ? 0 : GetLastError();
            if (length != NULL)
                *length = count;
            return error;
        }
    };

    void write(const char *data, size_t size) {
        Operation operation;
        DWORD written = 0;
        DWORD error = WriteFile(handle_, data, static_cast<DWORD>(size), &written, &operation.overlapped) ? 0
                                                                                                         : operation.result(handle_, &written);
        if (error != 0)
            throw Fault{"WriteFile", error};
        if (written != size)
            throw Fault{"a short write", ERROR_WRITE_FAULT};
    }

    // Reads once; 0 or ERROR_MORE_DATA.
    DWORD read(char *buffer, size_t size, DWORD *length) {
        Operation operation;
        DWORD error = ReadFile(handle_, buffer, static_cast<DWORD>(size), length, &operation.overlapped) ? 0
                                                                                                        : operation.result(handle_, length);
        if (error != 0 && error != ERROR_MORE_DATA)
            throw Fault{"ReadFile", error};
        return error;
    }

    void read_exactly(char *to, size_t size) {
        for (size_t at = 0; at < size;) {
            DWORD length = 0;
            read(to + at, size - at, &length);
            at += length;
        }
    }

    std::string receive_message() {
        std::string message;
        std::vector<char> buffer(Quota);
        DWORD length = 0, error;
        do {
            error = read(buffer.data(), buffer.size(), &length);
            message.append(buffer.data(), length);
        } while (error == ERROR_MORE_DATA);
        return message;
    }

    HANDLE handle_;
    bool message_;
};

// ---- the flood ----------------------------------------------------------------------------------------------------------

struct Sender {
    Pipe *pipe;
    int offset;
    std::string what; // went wrong
    DWORD error;
};

unsigned __stdcall send_flood(void *parameter) {
    Sender *sender = static_cast<Sender *>(parameter);
    try {
        for (int i = 0; i < Messages; ++i)
            sender->pipe->send(flood_message(i, sender->offset));
    } catch (const Fault &fault) {
        sender->what = fault.what;
        sender->error = fault.error;
    }
    return 0;
}

// Sends and receives at once; the hash of what came.
Hash flood(Pipe &pipe, int offset) {
    Sender sender = {&pipe, offset, "", 0};
    HANDLE thread = reinterpret_cast<HANDLE>(_beginthreadex(NULL, 0, send_flood, &sender, 0, NULL));
    if (thread == NULL)
        throw Fault{"_beginthreadex", GetLastError()};
    Hash hash;
    Fault fault = {"", 0};
    try {
        for (int i = 0; i < Messages; ++i)
            hash.add(pipe.receive());
    } catch (const Fault &caught) {
        fault = caught;
        CancelIoEx(pipe.handle(), NULL); // the sender would wait for a reader for ever
    }
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    if (fault.error != 0)
        throw fault;
    if (sender.error != 0)
        throw Fault{sender.what, sender.error};
    return hash;
}

// ---- the server ---------------------------------------------------------------------------------------------------------

HANDLE create(const std::string &name, bool message, DWORD max) {
    HANDLE handle = CreateNamedPipe(name.c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                    message ? PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE : PIPE_TYPE_BYTE, max, Quota, Quota, 0, NULL);
    if (handle == INVALID_HANDLE_VALUE)
        throw Fault{"CreateNamedPipe", GetLastError()};
    return handle;
}

void serve_client(Pipe &pipe) {
    for (;;) {
        std::string message = pipe.receive();
        if (message == "BYE")
            return;
        if (message == "FLOOD")
            pipe.send("HASH " + flood(pipe, 128).hex());
        else
            pipe.send(message);
    }
}

unsigned __stdcall serve_instance(void *parameter) {
    Pipe &pipe = *static_cast<Pipe *>(parameter);
    for (;;) {
        try {
            pipe.connect();
        } catch (const Fault &fault) {
            std::printf("%s: error %u\n", fault.what.c_str(), static_cast<unsigned>(fault.error));
            std::fflush(stdout);
            return 1;
        }
        try {
            serve_client(pipe);
        } catch (const Fault &) {
            // whatever a client does, the next is served
        }
        DisconnectNamedPipe(pipe.handle());
    }
}

int serve(const std::string &name, bool message, int max) {
    for (int i = 0; i < max; ++i) {
        Pipe *pipe = new Pipe(create(name, message, static_cast<DWORD>(max)), message); // as long as the process
        HANDLE thread = reinterpret_cast<HANDLE>(_beginthreadex(NULL, 0, serve_instance, pipe, 0, NULL));
        if (thread == NULL)
            throw Fault{"_beginthreadex", GetLastError()};
        CloseHandle(thread);
    }
    std::puts("ready");
    std::fflush(stdout);
    while (std::getchar() != EOF)
        continue;
    return 0;
}

// ---- the clients --------------------------------------------------------------------------------------------------------

HANDLE open_pipe(const std::string &name, bool wait) {
    for (;;) {
        HANDLE handle = CreateFile(name.c_str(), GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
        if (handle != INVALID_HANDLE_VALUE)
            return handle;
        if (!wait || GetLastError() != ERROR_PIPE_BUSY || !WaitNamedPipe(name.c_str(), NMPWAIT_WAIT_FOREVER))
            throw Fault{"CreateFile", GetLastError()};
    }
}

void set_modes(const Pipe &pipe, bool message) {
    DWORD mode = message ? PIPE_READMODE_MESSAGE : PIPE_READMODE_BYTE;
    if (!SetNamedPipeHandleState(pipe.handle(), &mode, NULL, NULL))
        throw Fault{"SetNamedPipeHandleState", GetLastError()};
}

void expect(bool right, const char *what) {
    if (!right)
        throw Fault{what, ERROR_INVALID_DATA};
}

// Reads until the pipe fails; the error.
DWORD read_to_end(Pipe &pipe) {
    try {
        for (;;)
            pipe.receive();
    } catch (const Fault &fault) {
        return fault.error;
    }
}

int client(const std::string &name, bool message) {
    Pipe pipe(open_pipe(name, true), message);
    set_modes(pipe, message);
    for (size_t size : {size_t(1), size_t(64), size_t(1000), size_t(65537), size_t(0), size_t(1048576)}) {
        std::string text(size, '\0');
        for (size_t j = 0; j < size; ++j)
            text[j] = static_cast<char>((size + j) % 251);
        pipe.send(text);
        expect(pipe.receive() == text, "a wrong echo");
    }
    std::puts("echo ok");
    std::fflush(stdout);
    pipe.send("FLOOD");
    Hash from_server, to_server, got = flood(pipe, 0);
    for (int i = 0; i < Messages; ++i) {
        from_server.add(flood_message(i, 128));
        to_server.add(flood_message(i, 0));
    }
    expect(got.value == from_server.value, "a wrong hash of the server's messages");
    expect(pipe.receive() == "HASH " + to_server.hex(), "a wrong hash of the client's messages");
    std::puts("flood ok");
    std::fflush(stdout);
    pipe.send("BYE");
    say("error %llu", read_to_end(pipe));
    std::puts("done");
    return 0;
}

int hold(const std::string &name, bool message) {
    Pipe pipe(open_pipe(name, true), message);
    set_modes(pipe, message);
    pipe.send("hold");
    expect(pipe.receive() == "hold", "a wrong echo");
    std::puts("connected");
    std::fflush(stdout);
    say("error %llu", read_to_end(pipe));
    return 0;
}

int open_once(const std::string &name) {
    HANDLE handle = CreateFile(name.c_str(), GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (handle == INVALID_HANDLE_VALUE)
        return say("error %llu", GetLastError()), 0;
    CloseHandle(handle);
    return std::puts("ok"), 0;
}

int wait(const std::string &name, DWORD timeout) {
    if (!WaitNamedPipe(name.c_str(), timeout))
        return say("error %llu", GetLastError()), 0;
    return std::puts("ok"), 0;
}

int usage() {
    std::fputs("usage: peer serve NAME TYPE MAX | client NAME TYPE | hold NAME TYPE | open NAME | wait NAME MS    (TYPE: byte, message)\n", stderr);
    return 2;
}

} // namespace

int main(int argc, char **argv) {
    std::string verb = argc > 2 ? argv[1] : "", name = argc > 2 ? argv[2] : "", type = argc > 3 ? argv[3] : "";
    if (name.compare(0, 9, "\\\\.\\pipe\\") != 0)
        name = "\\\\.\\pipe\\" + name;
    bool message = type == "message", typed = message || type == "byte";
    try {
        if (verb == "serve" && argc == 5 && typed && std::atoi(argv[4]) > 0)
            return serve(name, message, std::atoi(argv[4]));
        if (verb == "client" && argc == 4 && typed)
            return client(name, message);
        if (verb == "hold" && argc == 4 && typed)
            return hold(name, message);
        if (verb == "open" && argc == 3)
            return open_once(name);
        if (verb == "wait" && argc == 4)
            return wait(name, static_cast<DWORD>(std::atol(argv[3])));
    } catch (const Fault &fault) {
        std::printf("%s: error %u\n", fault.what.c_str(), static_cast<unsigned>(fault.error));
        return 1;
    }
    return usage();
}
