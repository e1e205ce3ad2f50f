// on_message: order, the last call, and who joins whom.
#include "test.hpp"

#include <memory>

using namespace anypipe;

static void messages_come_in_order_and_an_end() {
    const std::string name = unique_name("order");
    instance server(name, create_options::messages());
    client end(name, dial_options::messages());
    std::vector<std::string> got;
    std::promise<std::error_code> last;
    end.on_message([&](bytes_view data, const std::error_code &ec) {
        if (ec) last.set_value(ec);
        else got.emplace_back(data.text());
    });
    CHECK_THROWS(end.on_message([](bytes_view, const std::error_code &) {}), errc::pipe_busy);
    for (std::size_t i = 0; i < 100; i++) server.write_message(pattern(i * 100));
    server.close();
    CHECK_EQUAL(last.get_future().get(), make_error_code(errc::broken_pipe));
    CHECK_EQUAL(got.size(), std::size_t{100});
    for (std::size_t i = 0; i < got.size(); i++) CHECK(got[i] == pattern(i * 100));
}

static void a_disconnect_ends_it() {
    const std::string name = unique_name("off");
    instance server(name, create_options::messages());
    client end(name, dial_options::messages());
    std::promise<std::error_code> last;
    end.on_message([&](bytes_view, const std::error_code &ec) { last.set_value(ec); });
    server.disconnect();
    CHECK_EQUAL(last.get_future().get(), make_error_code(errc::not_connected));
}

// What the callback uses may die right after the pipe: its destructor has joined the callback.
static void the_destructor_joins() {
    const std::string name = unique_name("join");
    instance server(name, create_options::messages());
    auto calls = std::make_unique<int>(0);
    std::error_code last;
    std::promise<void> first;
    {
        client end(name, dial_options::messages());
        end.on_message([&](bytes_view, const std::error_code &ec) {
            if (++*calls == 1) first.set_value();
            last = ec;
        });
        server.write_message("x");
        first.get_future().wait();
    }
    CHECK_EQUAL(*calls, 2);
    CHECK_EQUAL(last, make_error_code(errc::aborted));
}

static void the_callback_may_close() {
    const std::string name = unique_name("within");
    instance server(name, create_options::messages());
    auto end = std::make_shared<client>(name, dial_options::messages());
    std::promise<std::error_code> last;
    end->on_message([end, &last](bytes_view, const std::error_code &ec) mutable {
        if (ec) return last.set_value(ec);
        end->close();
        end.reset(); // destroys the client within its own callback
    });
    end.reset(); // the callback is the only owner now
    server.write_message("close yourself");
    CHECK_EQUAL(last.get_future().get(), make_error_code(errc::aborted));
}

static void a_byte_pipe_delivers_bytes() {
    const std::string name = unique_name("run");
    instance server(name);
    client end(name);
    std::string got;
    std::promise<void> last;
    end.on_message([&](bytes_view data, const std::error_code &ec) {
        got += data.text();
        if (ec) last.set_value();
    });
    server.write(pattern(300000));
    server.close();
    last.get_future().wait();
    CHECK(got == pattern(300000));
}

std::vector<test> callback_tests() {
    return {{"messages come in order, and an end", messages_come_in_order_and_an_end},
            {"a disconnect ends it", a_disconnect_ends_it},
            {"the destructor joins", the_destructor_joins},
            {"the callback may close", the_callback_may_close},
            {"a byte pipe delivers bytes", a_byte_pipe_delivers_bytes}};
}
