// Every error where a program meets it.
#include "test.hpp"

#ifndef _WIN32
#include <csignal>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace anypipe;
using namespace std::chrono_literals;

static void none_is_2() {
    CHECK_THROWS(client(unique_name("none")), errc::not_exist);
    CHECK_THROWS(wait(unique_name("none"), 10ms), errc::not_exist);
    CHECK_THROWS(call(unique_name("none"), "x"), errc::not_exist);
    std::error_code ec;
    const client end(unique_name("none"), {}, forever, ec);
    CHECK(!end && ec == errc::not_exist);
}

static void the_text_tells() {
    try {
        const client end(unique_name("none"));
    } catch (const std::system_error &e) {
        const std::string what = e.what();
        CHECK(what.find("open") == 0 && what.find("ERROR_FILE_NOT_FOUND") != std::string::npos);
        return;
    }
    fail(__FILE__, __LINE__, "nothing was thrown");
}

static void busy_is_231_and_its_wait_121() {
    const std::string name = unique_name("busy");
    create_options options;
    options.max_instances = 1;
    const instance only(name, options);
    CHECK_THROWS(instance(name, options), errc::pipe_busy);
    const client first(name);
    dial_options at_once;
    at_once.no_busy_wait = true;
    CHECK_THROWS(client(name, at_once), errc::pipe_busy);
    CHECK_THROWS(wait(name, 10ms), errc::timeout);
    CHECK_THROWS(wait(name, default_wait), errc::timeout);
}

static void nothing_to_read_is_121() {
    auto [reading, writing] = create_pipe();
    char byte;
    CHECK_THROWS(reading.read({&byte, 1}, 0ms), errc::timeout);
    CHECK_THROWS(reading.read({&byte, 1}, 1ms), errc::timeout);
}

static void a_disconnect_is_233_a_close_109_and_232() {
    const std::string name = unique_name("ends");
    instance server(name, create_options::messages());
    client end(name, dial_options::messages());
    server.connect();
    server.write_message("lost");
    server.disconnect();
    CHECK_THROWS(end.read_message(), errc::not_connected);
    CHECK_THROWS(end.write("x"), errc::not_connected);
    CHECK_THROWS(server.disconnect(), errc::not_connected);

    auto connecting = std::async(std::launch::async, [&] { server.connect(); });
    wait(name, 60s); // until the instance is LISTENING again
    client next(name, dial_options::messages());
    connecting.get();
    server.write_message("kept");
    server.close();
    CHECK_EQUAL(next.read_message().text(), "kept");
    CHECK_THROWS(next.read_message(), errc::broken_pipe);
    CHECK_THROWS(next.write("x"), errc::no_data);
    CHECK_THROWS(next.transact("x"), errc::bad_pipe);
}

static void what_a_byte_pipe_has_not() {
    const std::string name = unique_name("byte");
    instance server(name);
    CHECK_THROWS(client(name, dial_options::messages()), errc::invalid_parameter);
    server.connect();
    server.disconnect();
    auto connecting = std::async(std::launch::async, [&] { server.connect(); });
    wait(name, 60s);
    client end(name);
    connecting.get();
    CHECK_THROWS(end.read_message(), errc::bad_pipe);
    CHECK_THROWS(end.write_message("x"), errc::bad_pipe);
    CHECK_THROWS(end.transact("x"), errc::bad_pipe);
    CHECK_THROWS(end.set_modes(pipe_type::message), errc::invalid_parameter);
    CHECK_THROWS(call(name, "x", 0ms), errc::timeout);
}

static void closed_ends_and_wrong_names() {
    pipe_end closed;
    CHECK(!closed);
    closed.close(); // what is closed may be closed
    CHECK_THROWS(closed.read({}), errc::invalid_handle);
    CHECK_THROWS(closed.info(), errc::invalid_handle);
    CHECK_THROWS(server().accept(), errc::invalid_handle);
    CHECK_THROWS(instance("\\\\.\\pipe\\"), errc::invalid_name);
    CHECK_THROWS(instance(std::string(300, 'n')), errc::name_too_long);
    auto [reading, writing] = create_pipe();
    CHECK_THROWS(reading.cancel(), errc::not_found);
}

static void too_long_a_message_is_234() {
    const std::string name = unique_name("long");
    instance server(name, create_options::messages());
    dial_options limited = dial_options::messages();
    limited.max_message = 4;
    client end(name, limited);
    server.write_message("message");
    std::error_code ec;
    CHECK_EQUAL(end.read_message(ec).text(), "mess");
    CHECK(ec == errc::more_data && ec == std::errc::message_size);
    CHECK_EQUAL(end.read_message().text(), "age");
}

#ifndef _WIN32
int doomed_server(const char *name) {
    instance server(name, create_options::messages());
    std::cout << "ready" << std::endl;
    std::cin.get(); // the test kills this process
    return 0;
}

// A server whose process is killed: 109 for the read that waits.
static void a_killed_server_is_109() {
    const std::string name = unique_name("killed");
    int output[2];
    CHECK_EQUAL(::pipe(output), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    // Standard input that never ends by itself: the pipe's writing end, which this process holds.
    int input[2];
    CHECK_EQUAL(::pipe(input), 0);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_addclose(&actions, input[1]);
    const char *args[] = {program, "doomed-server", name.c_str(), nullptr};
    pid_t pid = 0;
    CHECK_EQUAL(posix_spawn(&pid, program, &actions, nullptr, const_cast<char **>(args), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(output[1]);
    ::close(input[0]);
    char ready[16];
    CHECK(::read(output[0], ready, sizeof ready) > 0);

    client end(name, dial_options::messages());
    auto reading = std::async(std::launch::async, [&] {
        std::error_code ec;
        end.read_message(ec);
        return ec;
    });
    CHECK_EQUAL(kill(pid, SIGKILL), 0);
    CHECK_EQUAL(waitpid(pid, nullptr, 0), pid);
    CHECK_EQUAL(reading.get(), make_error_code(errc::broken_pipe));
    CHECK_THROWS(client(name), errc::not_exist);
    ::close(output[0]);
    ::close(input[1]);
}
#endif

std::vector<test> error_tests() {
    return {{"none is 2", none_is_2},
            {"the text tells", the_text_tells},
            {"busy is 231, and its wait 121", busy_is_231_and_its_wait_121},
            {"nothing to read is 121", nothing_to_read_is_121},
            {"a disconnect is 233, a close 109 and 232", a_disconnect_is_233_a_close_109_and_232},
            {"what a byte pipe has not", what_a_byte_pipe_has_not},
            {"closed ends and wrong names", closed_ends_and_wrong_names},
            {"too long a message is 234", too_long_a_message_is_234},
#ifndef _WIN32
            {"a killed server is 109", a_killed_server_is_109},
#endif
    };
}
