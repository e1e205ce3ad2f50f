// Views, timeouts and codes: what needs no pipe.
#include "test.hpp"

#include <array>
#include <cstring>
#if __cplusplus > 201703L
#include <span>
#endif

using namespace anypipe;

static_assert(!std::is_copy_constructible_v<client> && std::is_nothrow_move_constructible_v<client>);
static_assert(!std::is_copy_constructible_v<message> && std::is_nothrow_move_assignable_v<message>);
static_assert(!std::is_constructible_v<bytes_view, std::vector<int>>, "only bytes are bytes");
static_assert(!std::is_constructible_v<buffer, const std::string &>, "what is const can't be read into");
static_assert(!std::is_constructible_v<buffer, std::string_view>);
static_assert(std::is_constructible_v<buffer, std::vector<unsigned char> &>);
static_assert(forever.milliseconds() == -1 && default_wait.milliseconds() == -2);

static void views_of_everything() {
    const std::string text = "abc";
    const std::vector<unsigned char> vector{'a', 'b', 'c'};
    const std::array<std::byte, 3> array{std::byte{'a'}, std::byte{'b'}, std::byte{'c'}};
    for (const bytes_view view : {bytes_view("abc"), bytes_view(text), bytes_view(std::string_view(text)), bytes_view(vector), bytes_view(array),
                                  bytes_view(text.data(), 3)})
        CHECK_EQUAL(view.text(), "abc");
    CHECK(bytes_view().empty() && bytes_view("").empty() && bytes_view({}).empty());
#if __cplusplus > 201703L
    CHECK_EQUAL(bytes_view(std::span<const std::byte>(array)).text(), "abc");
#endif
}

static void buffers_of_everything() {
    std::string text(3, ' ');
    std::vector<char> vector(3);
    std::array<std::byte, 3> array{};
    unsigned char plain[3];
    for (const buffer into : {buffer(text), buffer(vector), buffer(array), buffer(plain), buffer(text.data(), 3)}) {
        CHECK_EQUAL(into.size(), std::size_t{3});
        std::memcpy(into.data(), "xyz", 3);
    }
    CHECK_EQUAL(text, "xyz");
    CHECK_EQUAL(plain[2], 'z');
#if __cplusplus > 201703L
    CHECK(buffer(std::span<std::byte>(array)).data() == array.data());
#endif
}

static void timeouts_of_any_duration() {
    using namespace std::chrono_literals;
    CHECK_EQUAL(timeout(2s).milliseconds(), 2000);
    CHECK_EQUAL(timeout(1us).milliseconds(), 1);
    CHECK_EQUAL(timeout(0s).milliseconds(), 0);
    CHECK_EQUAL(timeout(-5min).milliseconds(), 0);
    CHECK_EQUAL(timeout(std::chrono::duration<double>(0.25)).milliseconds(), 250);
    CHECK(timeout(std::chrono::hours::max()).milliseconds() > 0);
}

static void codes_and_conditions() {
    const std::error_code busy = errc::pipe_busy;
    CHECK_EQUAL(busy.value(), 231);
    CHECK(busy == std::errc::device_or_resource_busy && busy != std::errc::timed_out);
    CHECK_EQUAL(std::string(busy.category().name()), "anypipe");
    CHECK(busy.message().find("ERROR_PIPE_BUSY: ") == 0);
    CHECK(make_error_code(errc::not_exist) == std::errc::no_such_file_or_directory);
    CHECK(make_error_code(errc::timeout) == std::errc::timed_out);
    CHECK(make_error_code(errc::broken_pipe) == std::errc::broken_pipe);
    CHECK(make_error_code(errc::no_data) == std::errc::broken_pipe);
    CHECK(make_error_code(errc::aborted) == std::errc::operation_canceled);
    CHECK(make_error_code(errc::cannot_impersonate) != std::errc::permission_denied);
    CHECK(make_error_code(errc::access_denied) == std::errc::permission_denied);
}

std::vector<test> view_tests() {
    return {{"views of everything", views_of_everything},
            {"buffers of everything", buffers_of_everything},
            {"timeouts of any duration", timeouts_of_any_duration},
            {"codes and conditions", codes_and_conditions}};
}
