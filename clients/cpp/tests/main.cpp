// Runs all tests, and checks after each that it closed every handle.
#include "test.hpp"

#include <cstring>

#ifdef _WIN32
#include <process.h>
#include <windows.h>
#define getpid _getpid
#else
#include <unistd.h>
#endif

const char *program;

std::string unique_name(const char *what) {
    static int count = 0;
    return "cpp-" + std::string(what) + "-" + std::to_string(getpid()) + "-" + std::to_string(count++);
}

bool in_wine() {
#ifdef _WIN32
    return GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != nullptr;
#else
    return false;
#endif
}

std::string pattern(std::size_t size) {
    std::string data(size, '\0');
    for (std::size_t i = 0; i < size; i++) data[i] = static_cast<char>((size + i) % 251);
    return data;
}

threaded_server::threaded_server(const std::string &name, const anypipe::create_options &options, service serve)
    : server_(name, options), serve_(std::move(serve)) {
    accepting_ = std::thread([this] {
        for (;;) {
            std::error_code ec;
            anypipe::instance client = server_.accept(ec);
            if (ec) return;
            clients_.emplace_back([this, end = std::move(client)]() mutable {
                try {
                    serve_(end);
                } catch (const std::system_error &) {
                    // how the connection ended is the client's to check
                }
                end.close();
            });
        }
    });
}

threaded_server::~threaded_server() {
    server_.close();
    accepting_.join();
    for (auto &client : clients_) client.join();
}

void echo(anypipe::instance &client) {
    const bool messages = client.info().type == anypipe::pipe_type::message;
    std::vector<char> bytes(65536);
    for (;;) {
        if (messages) client.write_message(client.read_message().view());
        else client.write({bytes.data(), client.read(bytes).size});
    }
}

static bool run(const test &t) {
    try {
        t.run();
        CHECK_EQUAL(anypipe_open_handles(), std::size_t{0});
        std::cout << "ok    " << t.name << std::endl;
        return true;
    } catch (const std::exception &e) {
        std::cout << "FAIL  " << t.name << ": " << e.what() << std::endl;
        return false;
    }
}

int main(int argc, char **argv) {
    program = argv[0];
#ifndef _WIN32
    if (argc == 3 && std::strcmp(argv[1], "doomed-server") == 0) return doomed_server(argv[2]);
#else
    static_cast<void>(argc);
#endif
    int passed = 0, failed = 0;
    for (const auto &tests : {view_tests(), error_tests(), pipe_tests(), callback_tests()})
        for (const test &t : tests) ++(run(t) ? passed : failed);
    std::cout << passed << " passed, " << failed << " failed" << std::endl;
    return failed == 0 && passed > 0 ? 0 : 1;
}
