// Data, modes and information: what each operation does when all goes well.
#include "test.hpp"

#include <algorithm>
#include <array>
#ifndef _WIN32
#include <unistd.h>
#endif

using namespace anypipe;
using namespace std::chrono_literals;

static void messages_of_all_sizes() {
    const std::string name = unique_name("sizes");
    const threaded_server server(name, create_options::messages(), echo);
    client end(name, dial_options::messages());
    for (const std::size_t size : {0, 1, 64, 65536, 65537, 1 << 20}) {
        end.write_message(pattern(size));
        const message back = end.read_message();
        CHECK(back.text() == pattern(size));
        CHECK(end.transact(pattern(size)).str() == pattern(size));
    }
}

static void bytes_of_all_sizes() {
    const std::string name = unique_name("bytes");
    const threaded_server server(name, {}, echo);
    client end(name);
    for (const std::size_t size : {1, 64, 65537, 1 << 20}) {
        auto writing = std::async(std::launch::async, [&] { return end.write(pattern(size)); });
        std::string back(size, '\0');
        for (std::size_t got = 0; got < size;) got += end.read({back.data() + got, size - got}).size;
        CHECK_EQUAL(writing.get(), size);
        CHECK(back == pattern(size));
    }
}

static void a_thousand_messages_both_ways_at_once() {
    const std::string name = unique_name("flood");
    const auto send = [](anypipe::pipe_end &end) {
        for (std::size_t i = 0; i < 1000; i++) end.write_message(pattern(i * 37 % 2000));
    };
    const auto receive = [](anypipe::pipe_end &end) {
        for (std::size_t i = 0; i < 1000; i++)
            if (end.read_message().text() != pattern(i * 37 % 2000)) fail(__FILE__, __LINE__, "message " + std::to_string(i) + " is another");
    };
    const auto flood = [&](anypipe::pipe_end &end) {
        auto sending = std::async(std::launch::async, [&] { send(end); });
        receive(end);
        sending.get();
    };
    instance server(name, create_options::messages());
    client end(name, dial_options::messages());
    auto serving = std::async(std::launch::async, [&] { flood(server); });
    flood(end);
    serving.get();
}

static void many_clients_at_once() {
    const std::string name = unique_name("many");
    const threaded_server server(name, create_options::messages(), echo);
    std::vector<std::future<void>> clients;
    for (int i = 0; i < 20; i++) {
        clients.push_back(std::async(std::launch::async, [&name, i] {
            client end(name, dial_options::messages());
            for (int j = 0; j < 20; j++) CHECK_EQUAL(end.transact(std::to_string(i * j)).str(), std::to_string(i * j));
        }));
    }
    for (auto &each : clients) each.get();
}

static void parts_of_a_message() {
    const std::string name = unique_name("parts");
    instance server(name, create_options::messages());
    client end(name, dial_options::messages());
    server.write_message("abcdef");
    server.write_message("");
    char part[4];
    read_result got = end.read(part);
    CHECK(got.size == 4 && got.more && std::string_view(part, 4) == "abcd");
    got = end.read(part);
    CHECK(got.size == 2 && !got.more);
    got = end.read(part);
    CHECK(got.size == 0 && !got.more);

    auto answering = std::async(std::launch::async, [&] {
        const std::string request = server.read_message().str();
        server.write_message("a long answer");
        return request;
    });
    got = end.transact("question", part);
    CHECK(got.size == 4 && got.more && std::string_view(part, 4) == "a lo");
    CHECK_EQUAL(answering.get(), "question");
    CHECK_EQUAL(end.read_message().text(), "ng answer");
}

static void peek_takes_nothing() {
    const std::string name = unique_name("peek");
    instance server(name, create_options::messages());
    client end(name, dial_options::messages());
    CHECK_EQUAL(end.peek().messages, 0u);
    server.write_message("first");
    server.write_message("second");
    char front[3];
    const peek_result seen = end.peek(front);
    CHECK(seen.size == 3 && seen.left == 2 && seen.length == 5 && seen.available == 11 && (seen.messages == 2 || in_wine()));
    CHECK(seen.state == state::connected && std::string_view(front, 3) == "fir");
    CHECK_EQUAL(end.read_message().text(), "first");
    CHECK_THROWS(end.transact("x"), errc::pipe_busy); // unread data
}

static void flush_waits_for_the_reader() {
    const std::string name = unique_name("flush");
    instance server(name, create_options::messages());
    client end(name, dial_options::messages());
    end.flush(0ms); // nothing is unread
    end.write_message("x");
    CHECK_THROWS(end.flush(0ms), errc::timeout);
    auto reading = std::async(std::launch::async, [&] { server.read_message(); });
    end.flush();
    reading.get();
}

#ifndef _WIN32 // which has no half-close of byte pipes
static void a_direction_ends() {
    const std::string name = unique_name("half");
    instance server(name);
    client end(name);
    end.write("last");
    end.close_write();
    char bytes[8];
    CHECK_EQUAL(server.read(bytes).size, std::size_t{4});
    CHECK_THROWS(server.read(bytes), errc::broken_pipe);
    server.write("answer");
    CHECK_EQUAL(end.read(bytes).size, std::size_t{6});
}
#endif

static void info_and_modes() {
    const std::string name = unique_name("info");
    create_options options;
    options.type = pipe_type::message;
    options.max_instances = 3;
    options.in_buffer = 100;
    options.out_buffer = 0;
    instance server(name, options);
    CHECK(server.info().state == state::listening);
    client end(name);
    end.set_modes(pipe_type::message, true);
    const pipe_info info = end.info();
    CHECK(info.type == pipe_type::message && info.read_mode == pipe_type::message && info.no_wait && !info.server);
    CHECK(info.max_instances == 3 && info.instances == 1 && info.in_quota == 100 && info.out_quota == 0);
    CHECK(info.direction == direction::duplex && info.state == state::connected);
    CHECK(info.write_quota == 100 || in_wine());
    CHECK(server.info().read_mode == pipe_type::byte && server.info().server);
    CHECK_THROWS(end.read_message(), errc::no_data); // no_wait, and nothing there
}

static void the_peer_is_known() {
    const std::string name = unique_name("peer");
    instance server(name);
#ifndef _WIN32 // where it is not known what comes before a client did
    CHECK_THROWS(server.peer(), errc::not_found);
#endif
    const client end(name);
    server.connect();
#ifndef _WIN32
    const peer_info peer = server.peer();
    CHECK_EQUAL(peer.pid, std::int64_t{getpid()});
    CHECK_EQUAL(peer.uid, std::int64_t{getuid()});
    CHECK_EQUAL(peer.sid, "S-1-22-1-" + std::to_string(getuid()));
    CHECK_EQUAL(end.peer().pid, std::int64_t{getpid()});
#endif
}

static void list_wait_and_call() {
    const std::string name = unique_name("List");
    const threaded_server server(name, create_options::messages(), echo);
    wait(name, 60s);
    CHECK_EQUAL(call(name, "a question").text(), "a question");
    CHECK(call(name, "", 60s).empty());
    if (in_wine()) {
        CHECK_THROWS(list(), errc::not_supported);
        return;
    }
    const auto pipes = list();
    const auto found = std::find_if(pipes.begin(), pipes.end(), [&](const auto &p) { return p.name == name; });
    CHECK(found != pipes.end() && found->type == pipe_type::message && found->max_instances == unlimited);
}

static void anonymous_pipes() {
    auto [reading, writing] = create_pipe(10);
    CHECK_EQUAL(writing.write("0123456789"), std::size_t{10});
    CHECK_THROWS(writing.write("x", 0ms), errc::timeout);
    char bytes[20];
    CHECK_EQUAL(reading.read(bytes).size, std::size_t{10});
    writing.close();
    CHECK_THROWS(reading.read(bytes), errc::broken_pipe);
}

static void ends_move() {
    const std::string name = unique_name("move");
    instance first(name);
    instance second(std::move(first));
    CHECK(!first && second);
    first = std::move(second);
    CHECK(first && !second);
    std::array<instance, 2> both{std::move(first), instance(name)};
    both[0] = std::move(both[1]); // closes the one that was there
    CHECK_EQUAL(both[0].info().instances, 1u);
    const anypipe_handle raw = both[0].release();
    const instance adopted(raw);
    CHECK(adopted && !both[0]);
}

static void what_waits_is_cancelled_and_closed() {
    const std::string name = unique_name("cancel");
    server listening(name, create_options::messages());
    client end(name, dial_options::messages());
    instance serving = listening.accept();
    // cancel finds nothing until the other thread waits, so it is repeated until the wait has ended.
    const auto ended_by = [](auto waiting, auto cancel) {
        auto result = std::async(std::launch::async, [&] {
            std::error_code ec;
            waiting(ec);
            return ec;
        });
        std::error_code ignored;
        do cancel(ignored);
        while (result.wait_for(1ms) != std::future_status::ready);
        return result.get();
    };
    const std::error_code aborted = errc::aborted;
    CHECK_EQUAL(ended_by([&](auto &ec) { end.read_message(ec); }, [&](auto &ec) { end.cancel(ec); }), aborted);
    CHECK_EQUAL(ended_by([&](auto &ec) { listening.accept(ec); }, [&](auto &ec) { listening.cancel(ec); }), aborted);
    end.write_message("still open");
    CHECK_EQUAL(serving.read_message().text(), "still open");

    std::promise<void> begun;
    auto reading = std::async(std::launch::async, [&] {
        std::error_code ec;
        begun.set_value();
        end.read_message(ec);
        return ec;
    });
    begun.get_future().wait();
    end.close();
    const std::error_code ended = reading.get(); // the close may have come before the read, too
    CHECK(ended == errc::aborted || ended == errc::invalid_handle);
}

#ifdef __linux__
static void an_action_runs_as_the_client() {
    const std::string name = unique_name("as");
    instance server(name, create_options::messages());
    client end(name, dial_options::messages());
    server.connect();
    end.write_message("x");
    server.read_message();
    std::error_code ec;
    bool ran = false;
    server.run_as_client([&] { ran = true; }, ec);
    CHECK_EQUAL(ran, geteuid() == 0);
    CHECK(ran || ec == errc::cannot_impersonate);
    if (!ran) return;
    bool caught = false;
    try {
        server.run_as_client([] { throw std::runtime_error("from the action"); });
    } catch (const std::runtime_error &e) {
        caught = std::string(e.what()) == "from the action";
    }
    CHECK(caught);
}
#endif

std::vector<test> pipe_tests() {
    return {{"messages of all sizes", messages_of_all_sizes},
            {"bytes of all sizes", bytes_of_all_sizes},
            {"a thousand messages both ways at once", a_thousand_messages_both_ways_at_once},
            {"many clients at once", many_clients_at_once},
            {"parts of a message", parts_of_a_message},
            {"peek takes nothing", peek_takes_nothing},
            {"flush waits for the reader", flush_waits_for_the_reader},
#ifndef _WIN32
            {"a direction ends", a_direction_ends},
#endif
            {"info and modes", info_and_modes},
            {"the peer is known", the_peer_is_known},
            {"list, wait and call", list_wait_and_call},
            {"anonymous pipes", anonymous_pipes},
            {"ends move", ends_move},
            {"what waits is cancelled and closed", what_waits_is_cancelled_and_closed},
#ifdef __linux__
            {"an action runs as the client", an_action_runs_as_the_client},
#endif
    };
}
