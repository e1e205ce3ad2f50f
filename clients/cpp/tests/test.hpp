// What the tests share: checks that tell where they failed, names that no other run uses, and a server on threads.
#ifndef ANYPIPE_TESTS_TEST_HPP
#define ANYPIPE_TESTS_TEST_HPP

#include <anypipe.hpp>

#include <functional>
#include <future>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct test {
    const char *name;
    void (*run)();
};

// The tests of each file.
std::vector<test> view_tests();
std::vector<test> error_tests();
std::vector<test> pipe_tests();
std::vector<test> callback_tests();

// The part of the process that the test kills: a server that never answers. Does not return before its input ends.
int doomed_server(const char *name);
extern const char *program; // argv[0]

[[noreturn]] inline void fail(const char *file, int line, const std::string &what) {
    std::ostringstream text;
    text << file << ":" << line << ": " << what;
    throw std::runtime_error(text.str());
}

#define CHECK(condition) \
    do { \
        if (!(condition)) fail(__FILE__, __LINE__, #condition); \
    } while (false)

#define CHECK_EQUAL(got, want) check_equal(__FILE__, __LINE__, #got, got, want)

template <class Got, class Want> void check_equal(const char *file, int line, const char *what, const Got &got, const Want &want) {
    if (got == want) return;
    std::ostringstream text;
    text << what << " is " << got << ", not " << want;
    fail(file, line, text.str());
}

// The expression must throw std::system_error with this errc.
#define CHECK_THROWS(expression, want) \
    do { \
        std::error_code thrown; \
        try { \
            static_cast<void>(expression); \
        } catch (const std::system_error &e) { \
            thrown = e.code(); \
        } \
        CHECK_EQUAL(thrown, make_error_code(want)); \
    } while (false)

// Whether this is Windows in name only. Wine 8's kernel part counts no messages and no write quota, and lists no pipes.
bool in_wine();

std::string unique_name(const char *what);
std::string pattern(std::size_t size); // bytes that a lost or moved byte would change

// Serves each client with the function, on threads that the destructor joins. What ends a connection is no failure.
class threaded_server {
  public:
    using service = std::function<void(anypipe::instance &)>;
    threaded_server(const std::string &name, const anypipe::create_options &options, service serve);
    ~threaded_server();

  private:
    anypipe::server server_;
    service serve_;
    std::vector<std::thread> clients_; // of the accepting thread, until it is joined
    std::thread accepting_;
};

void echo(anypipe::instance &client); // until the connection ends

#endif
