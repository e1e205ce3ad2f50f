// anypipe.hpp: Windows named pipes for C++17 and later, on every system. Header-only, over anypipe.h and libanypipe.
//
// Copyright The anypipe Authors. Apache License 2.0.
//
// The rules that hold everywhere:
//
// Errors.   Every operation has two forms, as those of std::filesystem: one throws std::system_error, one takes a std::error_code
//           last, and is noexcept unless it must allocate. Codes are Win32 numbers in pipe_category(); compare them with errc::pipe_busy and so on,
//           or with std::errc where that says the same.
// Owners.   client, instance, pipe_end and server own their handle: move-only, closed by the destructor, which joins the callbacks.
// Threads.  Operations may run on any threads, on the same object too, close() and cancel() included. Only moving and
//           destroying an object need it alone.
// Blocking. What takes a timeout blocks, by default for ever: any std::chrono duration will do; zero doesn't wait.
#ifndef ANYPIPE_HPP
#define ANYPIPE_HPP

#include <anypipe.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

// The thread sanitizer doesn't see how the library, which it did not compile, orders threads. It is told where callbacks come and go.
#if defined(__SANITIZE_THREAD__)
#define ANYPIPE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ANYPIPE_TSAN 1
#endif
#endif
#ifdef ANYPIPE_TSAN
extern "C" void __tsan_acquire(void *address);
extern "C" void __tsan_release(void *address);
#endif

namespace anypipe {

// ---- errors ----------------------------------------------------------------------------------------------------------

// The Win32 numbers that operations fail with; anypipe.h says when.
enum class errc : int {
    invalid_function = ANYPIPE_INVALID_FUNCTION,
    not_exist = ANYPIPE_NOT_EXIST,
    access_denied = ANYPIPE_ACCESS_DENIED,
    invalid_handle = ANYPIPE_INVALID_HANDLE,
    out_of_memory = ANYPIPE_OUT_OF_MEMORY,
    not_supported = ANYPIPE_NOT_SUPPORTED,
    invalid_parameter = ANYPIPE_INVALID_PARAMETER,
    broken_pipe = ANYPIPE_BROKEN_PIPE,
    timeout = ANYPIPE_TIMEOUT,
    invalid_name = ANYPIPE_INVALID_NAME,
    name_too_long = ANYPIPE_NAME_TOO_LONG,
    bad_pipe = ANYPIPE_BAD_PIPE,
    pipe_busy = ANYPIPE_PIPE_BUSY,
    no_data = ANYPIPE_NO_DATA,
    not_connected = ANYPIPE_NOT_CONNECTED,
    more_data = ANYPIPE_MORE_DATA,
    pipe_connected = ANYPIPE_PIPE_CONNECTED,
    pipe_listening = ANYPIPE_PIPE_LISTENING,
    aborted = ANYPIPE_ABORTED,
    io_pending = ANYPIPE_IO_PENDING,
    not_found = ANYPIPE_NOT_FOUND,
    cannot_impersonate = ANYPIPE_CANNOT_IMPERSONATE,
    other = ANYPIPE_OTHER
};

namespace detail {

class category final : public std::error_category {
  public:
    const char *name() const noexcept override { return "anypipe"; }
    std::string message(int error) const override {
        return std::string(anypipe_error_name(error)) + ": " + anypipe_error_text(error);
    }
    // Only what means the same everywhere has a portable condition. 232 is ERROR_NO_DATA, "the pipe is being closed"; the same number on a
    // read with no_wait says that nothing is there.
    std::error_condition default_error_condition(int error) const noexcept override {
        switch (error) {
        case ANYPIPE_INVALID_FUNCTION: return std::errc::function_not_supported;
        case ANYPIPE_NOT_EXIST: return std::errc::no_such_file_or_directory;
        case ANYPIPE_ACCESS_DENIED: return std::errc::permission_denied;
        case ANYPIPE_INVALID_HANDLE: return std::errc::bad_file_descriptor;
        case ANYPIPE_OUT_OF_MEMORY: return std::errc::not_enough_memory;
        case ANYPIPE_NOT_SUPPORTED: return std::errc::not_supported;
        case ANYPIPE_INVALID_PARAMETER:
        case ANYPIPE_INVALID_NAME: return std::errc::invalid_argument;
        case ANYPIPE_BROKEN_PIPE:
        case ANYPIPE_NO_DATA: return std::errc::broken_pipe;
        case ANYPIPE_TIMEOUT: return std::errc::timed_out;
        case ANYPIPE_NAME_TOO_LONG: return std::errc::filename_too_long;
        case ANYPIPE_PIPE_BUSY: return std::errc::device_or_resource_busy;
        case ANYPIPE_NOT_CONNECTED:
        case ANYPIPE_PIPE_LISTENING: return std::errc::not_connected;
        case ANYPIPE_MORE_DATA: return std::errc::message_size;
        case ANYPIPE_PIPE_CONNECTED: return std::errc::already_connected;
        case ANYPIPE_ABORTED: return std::errc::operation_canceled;
        case ANYPIPE_IO_PENDING: return std::errc::operation_in_progress;
        default: return std::error_condition(error, *this);
        }
    }
};

} // namespace detail

inline const std::error_category &pipe_category() noexcept {
    static const detail::category category;
    return category;
}

inline std::error_code make_error_code(errc error) noexcept { return {static_cast<int>(error), pipe_category()}; }

} // namespace anypipe

template <> struct std::is_error_code_enum<anypipe::errc> : std::true_type {};

namespace anypipe {

namespace detail {

inline void set(std::error_code &ec, int error) noexcept {
    if (error == ANYPIPE_OK) ec.clear();
    else ec.assign(error, pipe_category());
}

#ifdef ANYPIPE_TSAN
inline char library; // stands for it
inline void into_library() noexcept { __tsan_release(&library); }
inline void out_of_library() noexcept { __tsan_acquire(&library); }
#else
inline void into_library() noexcept {}
inline void out_of_library() noexcept {}
#endif

// Throws ec, if it is one, with what the library tells about this thread's last failure.
inline void raise(const std::error_code &ec, const char *operation) {
    if (!ec) return;
    std::string what(operation);
    std::array<char, 512> text{};
    if (anypipe_last_detail(text.data(), text.size()) > 0) what += std::string(": ") + text.data();
    throw std::system_error(ec, what);
}

// Makes the throwing form of an operation out of the one with an error_code.
template <class Operation> auto checked(const char *name, Operation &&operation) {
    std::error_code ec;
    if constexpr (std::is_void_v<decltype(operation(ec))>) {
        operation(ec);
        raise(ec, name);
    } else {
        auto result = operation(ec);
        raise(ec, name);
        return result;
    }
}

// What can be sent and received as bytes.
template <class T>
inline constexpr bool is_byte = std::is_same_v<std::remove_cv_t<T>, char> || std::is_same_v<std::remove_cv_t<T>, signed char> ||
                                std::is_same_v<std::remove_cv_t<T>, unsigned char> || std::is_same_v<std::remove_cv_t<T>, std::byte>;

// The element that container.data() points to.
template <class Container> using element = std::remove_pointer_t<decltype(std::declval<Container &>().data())>;

template <class Container, class = void> inline constexpr bool is_readable = false;
template <class Container>
inline constexpr bool is_readable<Container, std::void_t<element<Container>, decltype(std::declval<Container &>().size())>> =
    is_byte<element<Container>>;

template <class Container, class = void> inline constexpr bool is_writable = false;
template <class Container>
inline constexpr bool is_writable<Container, std::enable_if_t<is_readable<Container>>> = !std::is_const_v<element<Container>>;

} // namespace detail

// ---- views -----------------------------------------------------------------------------------------------------------

// Bytes of somebody else, to be sent: made of a string literal, std::string, std::string_view, std::vector, std::array, std::span, or a pointer
// and a size. It must not outlive what it was made of.
class bytes_view {
  public:
    constexpr bytes_view() noexcept = default;
    constexpr bytes_view(const void *data, std::size_t size) noexcept : data_(data), size_(size) {}
    constexpr bytes_view(const char *text) noexcept : bytes_view(text, text ? std::string_view(text).size() : 0) {}
    template <class Container, class = std::enable_if_t<detail::is_readable<const Container>>>
    constexpr bytes_view(const Container &container) noexcept : bytes_view(container.data(), container.size()) {}

    const std::byte *data() const noexcept { return static_cast<const std::byte *>(data_); }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    const std::byte *begin() const noexcept { return data(); }
    const std::byte *end() const noexcept { return data() + size_; }
    std::byte operator[](std::size_t i) const noexcept { return data()[i]; }
    std::string_view text() const noexcept { return {static_cast<const char *>(data_), size_}; }

  private:
    const void *data_ = nullptr;
    std::size_t size_ = 0;
};

// Memory of somebody else, to be read into: made of a std::string, std::vector, std::array, std::span, an array, or a pointer and a size.
class buffer {
  public:
    constexpr buffer() noexcept = default;
    constexpr buffer(void *data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <class T, std::size_t N, class = std::enable_if_t<detail::is_byte<T> && !std::is_const_v<T>>>
    constexpr buffer(T (&array)[N]) noexcept : buffer(array, N) {}
    template <class Container, class = std::enable_if_t<detail::is_writable<std::remove_reference_t<Container>>>>
    constexpr buffer(Container &&container) noexcept : buffer(container.data(), container.size()) {}

    constexpr void *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }

  private:
    void *data_ = nullptr;
    std::size_t size_ = 0;
};

// A whole message, owned. Move-only; memory of the library, so that it is not copied.
class message {
  public:
    message() noexcept = default;
    message(void *owned, std::size_t size) noexcept : data_(owned), size_(size) {}

    bytes_view view() const noexcept { return {data_.get(), size_}; }
    const std::byte *data() const noexcept { return view().data(); }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    const std::byte *begin() const noexcept { return view().begin(); }
    const std::byte *end() const noexcept { return view().end(); }
    std::string_view text() const noexcept { return view().text(); }
    std::string str() const { return std::string(text()); }

  private:
    struct release {
        void operator()(void *memory) const noexcept { anypipe_free(memory); }
    };
    std::unique_ptr<void, release> data_;
    std::size_t size_ = 0;
};

// How long an operation may wait. Fractions of a millisecond are rounded up; what is negative has passed already.
class timeout {
  public:
    template <class Rep, class Period>
    constexpr timeout(std::chrono::duration<Rep, Period> duration) noexcept : milliseconds_(clamp(duration)) {}

    enum class special : std::int64_t { forever = ANYPIPE_FOREVER, default_wait = ANYPIPE_DEFAULT_WAIT };
    constexpr timeout(special number) noexcept : milliseconds_(static_cast<std::int64_t>(number)) {}
    constexpr std::int64_t milliseconds() const noexcept { return milliseconds_; }

  private:
    template <class Duration> static constexpr std::int64_t clamp(Duration duration) noexcept {
        constexpr std::int64_t longest = INT64_C(1) << 40; // 34 years: hours::max() in milliseconds would overflow
        if (std::chrono::duration<double, std::milli>(duration).count() >= static_cast<double>(longest)) return longest;
        return duration <= Duration::zero() ? 0 : std::chrono::ceil<std::chrono::milliseconds>(duration).count();
    }
    std::int64_t milliseconds_;
};

inline constexpr timeout forever = timeout::special::forever;
inline constexpr timeout default_wait = timeout::special::default_wait; // of call and wait: what the pipe's creator chose

} // namespace anypipe

#include "anypipe/types.hpp"
#include "anypipe/pipe.hpp"
#include "anypipe/server.hpp"

#endif // ANYPIPE_HPP
