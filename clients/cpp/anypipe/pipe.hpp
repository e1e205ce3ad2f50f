// anypipe/pipe.hpp: an end of a pipe, and the client's. Part of anypipe.hpp; include that.
#ifndef ANYPIPE_PIPE_HPP
#define ANYPIPE_PIPE_HPP

namespace anypipe {

namespace detail {

// Owns a handle. The number is atomic so that one thread may close what others wait on; numbers are never used again, so a late
// caller gets invalid_handle and nobody else's pipe.
class owner {
  public:
    owner() noexcept = default;
    explicit owner(anypipe_handle handle) noexcept : handle_(handle) {}
    owner(owner &&other) noexcept : handle_(other.release()) {}
    owner &operator=(owner &&other) noexcept {
        if (this != &other) {
            std::error_code ignored;
            close(ignored);
            handle_ = other.release();
        }
        return *this;
    }
    ~owner() {
        std::error_code ignored;
        close(ignored);
    }

    anypipe_handle get() const noexcept { return handle_; }
    anypipe_handle release() noexcept { return handle_.exchange(0); }
    void close(std::error_code &ec) noexcept {
        const anypipe_handle handle = release();
        set(ec, handle == 0 ? ANYPIPE_OK : anypipe_close(handle));
        out_of_library(); // what the callbacks did is done
    }

  private:
    std::atomic<anypipe_handle> handle_{0};
};

} // namespace detail

// An end of a pipe: what clients and server ends have in common.
class pipe_end {
  public:
    pipe_end() noexcept = default;
    explicit pipe_end(anypipe_handle handle) noexcept : owner_(handle) {} // takes the handle over
    explicit operator bool() const noexcept { return owner_.get() != 0; }
    anypipe_handle handle() const noexcept { return owner_.get(); } // for anypipe.h; stays this object's
    anypipe_handle release() noexcept { return owner_.release(); }  // the caller closes it

    // CloseHandle. Waiting operations fail with errc::aborted. Returns when no callback of on_message runs any more, except
    // from within it, where it returns at once. Closing what is closed is no error.
    void close(std::error_code &ec) noexcept { owner_.close(ec); }
    void close() {
        detail::checked("close", [&](auto &ec) { close(ec); });
    }

    // ReadFile: at least one byte, or in message-read mode at most one message.
    read_result read(buffer into, timeout limit, std::error_code &ec) noexcept {
        read_result result;
        const int error = anypipe_read(handle(), into.data(), into.size(), &result.size, limit.milliseconds());
        result.more = error == ANYPIPE_MORE_DATA;
        detail::set(ec, result.more ? ANYPIPE_OK : error);
        return result;
    }
    read_result read(buffer into, std::error_code &ec) noexcept { return read(into, forever, ec); }
    read_result read(buffer into, timeout limit = forever) {
        return detail::checked("read", [&](auto &ec) { return read(into, limit, ec); });
    }

    // WriteFile: on a message pipe one message. Returns the count, on failure what the other end had read of it.
    std::size_t write(bytes_view data, timeout limit, std::error_code &ec) noexcept {
        std::size_t length = 0;
        detail::set(ec, anypipe_write(handle(), data.data(), data.size(), &length, limit.milliseconds()));
        return length;
    }
    std::size_t write(bytes_view data, std::error_code &ec) noexcept { return write(data, forever, ec); }
    std::size_t write(bytes_view data, timeout limit = forever) {
        return detail::checked("write", [&](auto &ec) { return write(data, limit, ec); });
    }

    // The next whole message, of any size, whatever the read mode. A message over max_message fails with errc::more_data: the form with an
    // error_code still returns its beginning, and the rest stays.
    message read_message(timeout limit, std::error_code &ec) noexcept {
        void *data = nullptr;
        std::size_t length = 0;
        detail::set(ec, anypipe_read_message(handle(), &data, &length, limit.milliseconds()));
        return {data, length};
    }
    message read_message(std::error_code &ec) noexcept { return read_message(forever, ec); }
    message read_message(timeout limit = forever) {
        return detail::checked("read_message", [&](auto &ec) { return read_message(limit, ec); });
    }

    // write for message pipes only: errc::bad_pipe on byte pipes, where no boundaries would be kept.
    void write_message(bytes_view data, timeout limit, std::error_code &ec) noexcept {
        detail::set(ec, anypipe_write_message(handle(), data.data(), data.size(), limit.milliseconds()));
    }
    void write_message(bytes_view data, std::error_code &ec) noexcept { write_message(data, forever, ec); }
    void write_message(bytes_view data, timeout limit = forever) {
        detail::checked("write_message", [&](auto &ec) { write_message(data, limit, ec); });
    }

    // PeekNamedPipe: copies from the front without taking anything. Never blocks.
    peek_result peek(buffer into, std::error_code &ec) noexcept {
        anypipe_peeked p{};
        p.size = sizeof p;
        detail::set(ec, anypipe_peek(handle(), into.data(), into.size(), &p));
        return {static_cast<std::size_t>(p.read), p.available, p.left, p.messages, p.length, static_cast<state>(p.state)};
    }
    peek_result peek(buffer into = {}) {
        return detail::checked("peek", [&](auto &ec) { return peek(into, ec); });
    }

    // TransactNamedPipe: sends one message and reads the next one, of any size. It needs a duplex message pipe and message-read
    // mode (errc::bad_pipe), and no unread data (errc::pipe_busy). After a timeout the request stays delivered.
    message transact(bytes_view request, timeout limit, std::error_code &ec) noexcept {
        void *data = nullptr;
        std::size_t length = 0;
        detail::set(ec, anypipe_transact_message(handle(), request.data(), request.size(), &data, &length, limit.milliseconds()));
        return {data, length};
    }
    message transact(bytes_view request, std::error_code &ec) noexcept { return transact(request, forever, ec); }
    message transact(bytes_view request, timeout limit = forever) {
        return detail::checked("transact", [&](auto &ec) { return transact(request, limit, ec); });
    }

    // The same into memory of the caller: if the reply is longer, result.more is set and the next read goes on in it.
    read_result transact(bytes_view request, buffer reply, timeout limit, std::error_code &ec) noexcept {
        read_result result;
        const int error = anypipe_transact(handle(), request.data(), request.size(), reply.data(), reply.size(), &result.size,
                                           limit.milliseconds());
        result.more = error == ANYPIPE_MORE_DATA;
        detail::set(ec, result.more ? ANYPIPE_OK : error);
        return result;
    }
    read_result transact(bytes_view request, buffer reply, timeout limit = forever) {
        return detail::checked("transact", [&](auto &ec) { return transact(request, reply, limit, ec); });
    }

    // FlushFileBuffers: waits until the other end has read everything that this end wrote before.
    void flush(timeout limit, std::error_code &ec) noexcept { detail::set(ec, anypipe_flush(handle(), limit.milliseconds())); }
    void flush(std::error_code &ec) noexcept { flush(forever, ec); }
    void flush(timeout limit = forever) {
        detail::checked("flush", [&](auto &ec) { flush(limit, ec); });
    }

    // Ends this direction: the other end reads what is buffered and then errc::broken_pipe. Does not block.
    void close_write(std::error_code &ec) noexcept { detail::set(ec, anypipe_close_write(handle())); }
    void close_write() {
        detail::checked("close_write", [&](auto &ec) { close_write(ec); });
    }

    // CancelIoEx: all waiting operations of this end fail with errc::aborted; errc::not_found if there was none.
    void cancel(std::error_code &ec) noexcept { detail::set(ec, anypipe_cancel(handle())); }
    void cancel() {
        detail::checked("cancel", [&](auto &ec) { cancel(ec); });
    }

    // SetNamedPipeHandleState: both modes of this end, from the next operation on.
    void set_modes(pipe_type read_mode, bool no_wait, std::error_code &ec) noexcept {
        detail::set(ec, anypipe_set_modes(handle(), static_cast<std::uint32_t>(read_mode), no_wait));
    }
    void set_modes(pipe_type read_mode, bool no_wait = false) {
        detail::checked("set_modes", [&](auto &ec) { set_modes(read_mode, no_wait, ec); });
    }

    // GetNamedPipeInfo and GetNamedPipeHandleState.
    pipe_info info(std::error_code &ec) const noexcept {
        anypipe_info i{};
        i.size = sizeof i;
        detail::set(ec, anypipe_get_info(handle(), &i));
        return {static_cast<pipe_type>(i.type), static_cast<pipe_type>(i.read_mode), static_cast<direction>(i.direction),
                static_cast<state>(i.state), i.no_wait != 0, i.server != 0, i.reject_remote != 0, i.max_instances, i.instances,
                i.in_quota, i.out_quota, i.readable, i.write_quota};
    }
    pipe_info info() const {
        return detail::checked("info", [&](auto &ec) { return info(ec); });
    }

    // Who is at the other end. Answers after it closed too; errc::not_found if there is no client.
    peer_info peer(std::error_code &ec) const {
        anypipe_peer p{};
        p.size = sizeof p;
        detail::set(ec, anypipe_get_peer(handle(), &p));
        peer_info result{p.pid, p.session, p.uid, p.gid, p.sid, p.user, std::vector<std::int64_t>(p.group_count)};
        std::size_t count = 0;
        if (!result.groups.empty()) detail::set(ec, anypipe_get_peer_groups(handle(), result.groups.data(), result.groups.size(), &count));
        result.groups.resize(count < result.groups.size() ? count : result.groups.size());
        return result;
    }
    peer_info peer() const {
        return detail::checked("peer", [&](auto &ec) { return peer(ec); });
    }

    // Called with each message (message pipes) or each run of bytes (byte pipes), in order, one call at a time; data is valid until it returns. The
    // last call has an error and no data: errc::broken_pipe, errc::not_connected, or errc::aborted after close().
    using callback = std::function<void(bytes_view data, const std::error_code &ec)>;

    // Reads on a thread of the library from now on and calls on_message there, until the pipe ends or is closed; close() and
    // the destructor join it. An exception that leaves the callback ends the program, as with std::thread. One at a time: errc::pipe_busy for a second.
    void on_message(callback on_message, std::error_code &ec) {
        auto context = std::make_unique<callback>(std::move(on_message));
        detail::into_library();
        const int error = anypipe_on_message(handle(), deliver, context.get());
        if (error == ANYPIPE_OK) static_cast<void>(context.release()); // the last call deletes it
        detail::set(ec, error);
    }
    void on_message(callback on_message) {
        detail::checked("on_message", [&](auto &ec) { this->on_message(std::move(on_message), ec); });
    }

  private:
    static void deliver(void *context, const void *data, std::size_t length, int error) noexcept {
        detail::out_of_library();
        auto *on_message = static_cast<callback *>(context);
        std::error_code ec;
        detail::set(ec, error);
        (*on_message)({data, length}, ec);
        if (ec) delete on_message;
        detail::into_library();
    }

    detail::owner owner_;
};

// A client end.
class client : public pipe_end {
  public:
    using pipe_end::pipe_end;
    client() noexcept = default;

    // CreateFile, with WaitNamedPipe while every instance is taken, for at most limit. A name that does not exist fails at once
    // with errc::not_exist; see wait().
    client(const std::string &name, const dial_options &options, timeout limit, std::error_code &ec) noexcept
        : pipe_end(dial(name, options, limit, ec)) {}
    explicit client(const std::string &name, const dial_options &options = {}, timeout limit = forever)
        : pipe_end(detail::checked("open", [&](auto &ec) { return dial(name, options, limit, ec); })) {}

  private:
    static anypipe_handle dial(const std::string &name, const dial_options &options, timeout limit, std::error_code &ec) noexcept {
        const anypipe_dial_options c = detail::c_options(options);
        anypipe_handle handle = 0;
        detail::set(ec, anypipe_dial(name.c_str(), &c, limit.milliseconds(), &handle));
        return handle;
    }
};

// CallNamedPipe: opens a message pipe, waiting while it is busy, sends one message, reads one, closes.
inline message call(const std::string &name, bytes_view request, timeout limit, std::error_code &ec) noexcept {
    void *data = nullptr;
    std::size_t length = 0;
    detail::set(ec, anypipe_call_message(name.c_str(), request.data(), request.size(), &data, &length, limit.milliseconds()));
    return {data, length};
}
inline message call(const std::string &name, bytes_view request, timeout limit = forever) {
    return detail::checked("call", [&](auto &ec) { return call(name, request, limit, ec); });
}

// WaitNamedPipe: returns when an instance is LISTENING; reserves nothing. errc::not_exist at once if there is no such pipe.
inline void wait(const std::string &name, timeout limit, std::error_code &ec) noexcept {
    detail::set(ec, anypipe_wait(name.c_str(), limit.milliseconds()));
}
inline void wait(const std::string &name, timeout limit = forever) {
    detail::checked("wait", [&](auto &ec) { wait(name, limit, ec); });
}

} // namespace anypipe

#endif // ANYPIPE_PIPE_HPP
