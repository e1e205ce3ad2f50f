// anypipe/server.hpp: instances, the server that hands them out, and the listing. Part of anypipe.hpp; include that.
#ifndef ANYPIPE_SERVER_HPP
#define ANYPIPE_SERVER_HPP

namespace anypipe {

// An instance: a server end with Win32's life cycle, LISTENING from its creation on. Most servers want class server.
class instance : public pipe_end {
  public:
    using pipe_end::pipe_end;
    instance() noexcept = default;

    // CreateNamedPipe. Errors: access_denied, pipe_busy (the limit), invalid_name, invalid_parameter.
    instance(const std::string &name, const create_options &options, std::error_code &ec) noexcept : pipe_end(create(name, options, ec)) {}
    explicit instance(const std::string &name, const create_options &options = {})
        : pipe_end(detail::checked("create", [&](auto &ec) { return create(name, options, ec); })) {}

    // ConnectNamedPipe: waits for a client; after disconnect() the instance is LISTENING again. Win32's three kinds
    // of success are one here: a client came, was there already (535), or came and went and left what is readable (232).
    void connect(timeout limit, std::error_code &ec) noexcept {
        const int error = anypipe_connect(handle(), limit.milliseconds());
        const bool serves = error == ANYPIPE_PIPE_CONNECTED || error == ANYPIPE_NO_DATA;
        detail::set(ec, serves ? ANYPIPE_OK : error);
    }
    void connect(std::error_code &ec) noexcept { connect(forever, ec); }
    void connect(timeout limit = forever) {
        detail::checked("connect", [&](auto &ec) { connect(limit, ec); });
    }

    // DisconnectNamedPipe: the client's end is dead at once and everything unread, both ways, is gone. Does not block.
    void disconnect(std::error_code &ec) noexcept { detail::set(ec, anypipe_disconnect(handle())); }
    void disconnect() {
        detail::checked("disconnect", [&](auto &ec) { disconnect(ec); });
    }

    // ImpersonateNamedPipeClient ... RevertToSelf: runs action on a thread that has the client's identity and returns when it has
    // returned; what action throws, this throws. On Unix the process must be root (errc::cannot_impersonate).
    void run_as_client(const std::function<void()> &action, std::error_code &ec) {
        action_call call{action, nullptr};
        detail::into_library();
        detail::set(ec, anypipe_run_as_client(handle(), act, &call, nullptr));
        detail::out_of_library();
        if (call.thrown) std::rethrow_exception(call.thrown);
    }
    void run_as_client(const std::function<void()> &action) {
        detail::checked("run_as_client", [&](auto &ec) { run_as_client(action, ec); });
    }

  private:
    struct action_call {
        const std::function<void()> &action;
        std::exception_ptr thrown;
    };
    // No exception may pass through the library, so it travels beside it.
    static int act(void *context) noexcept {
        detail::out_of_library();
        auto *call = static_cast<action_call *>(context);
        try {
            call->action();
        } catch (...) {
            call->thrown = std::current_exception();
        }
        detail::into_library();
        return 0;
    }
    static anypipe_handle create(const std::string &name, const create_options &options, std::error_code &ec) noexcept {
        const anypipe_create_options c = detail::c_options(options);
        anypipe_handle handle = 0;
        detail::set(ec, anypipe_create(name.c_str(), &c, &handle));
        return handle;
    }
};

// A pipe that keeps instances LISTENING, so that no client meets a gap, and hands out each client's server end.
class server {
  public:
    server() noexcept = default;
    server(const std::string &name, const create_options &options, std::error_code &ec) noexcept : owner_(listen(name, options, ec)) {}
    explicit server(const std::string &name, const create_options &options = {})
        : owner_(detail::checked("listen", [&](auto &ec) { return listen(name, options, ec); })) {}
    explicit operator bool() const noexcept { return owner_.get() != 0; }
    anypipe_handle handle() const noexcept { return owner_.get(); } // for anypipe.h; stays this object's

    // Waits for the next client. errc::aborted when the server was closed meanwhile, errc::invalid_handle when before.
    instance accept(timeout limit, std::error_code &ec) noexcept {
        anypipe_handle end = 0;
        detail::set(ec, anypipe_accept(handle(), limit.milliseconds(), &end));
        return instance(end);
    }
    instance accept(std::error_code &ec) noexcept { return accept(forever, ec); }
    instance accept(timeout limit = forever) {
        return detail::checked("accept", [&](auto &ec) { return accept(limit, ec); });
    }

    // Ends waiting accepts. The instances that it gave out stay.
    void close(std::error_code &ec) noexcept { owner_.close(ec); }
    void close() {
        detail::checked("close", [&](auto &ec) { close(ec); });
    }

    // CancelIoEx: waiting accepts fail with errc::aborted, and the server goes on.
    void cancel(std::error_code &ec) noexcept { detail::set(ec, anypipe_cancel(handle())); }
    void cancel() {
        detail::checked("cancel", [&](auto &ec) { cancel(ec); });
    }

  private:
    static anypipe_handle listen(const std::string &name, const create_options &options, std::error_code &ec) noexcept {
        const anypipe_create_options c = detail::c_options(options);
        anypipe_handle handle = 0;
        detail::set(ec, anypipe_listen(name.c_str(), &c, &handle));
        return handle;
    }

    detail::owner owner_;
};

// CreatePipe: an anonymous byte pipe within this process. quota 0 is 4096 bytes.
struct anonymous_pipe {
    pipe_end read_end, write_end;
};

inline anonymous_pipe create_pipe(std::size_t quota, std::error_code &ec) noexcept {
    anypipe_handle read_end = 0, write_end = 0;
    detail::set(ec, anypipe_pair(quota, &read_end, &write_end));
    return {pipe_end(read_end), pipe_end(write_end)};
}
inline anonymous_pipe create_pipe(std::size_t quota = 0) {
    return detail::checked("create_pipe", [&](auto &ec) { return create_pipe(quota, ec); });
}

namespace detail {

struct listing {
    std::vector<listed_pipe> pipes;
    std::exception_ptr thrown;
};

// Copies one pipe of a listing; a failure to allocate ends the listing.
inline int add_listed(void *context, const anypipe_listed *p) noexcept {
    auto *all = static_cast<listing *>(context);
    try {
        all->pipes.push_back({p->name, static_cast<pipe_type>(p->type), static_cast<direction>(p->direction), p->max_instances, p->instances,
                              std::chrono::milliseconds(p->default_timeout_ms), p->owner_uid, p->sddl, p->owner, p->path});
        return 0;
    } catch (...) {
        all->thrown = std::current_exception();
        return 1;
    }
}

} // namespace detail

// The live pipes of this machine that the user may see, ordered by name.
inline std::vector<listed_pipe> list(std::error_code &ec) {
    detail::listing all;
    detail::set(ec, anypipe_list(detail::add_listed, &all));
    if (all.thrown) std::rethrow_exception(all.thrown);
    return std::move(all.pipes);
}
inline std::vector<listed_pipe> list() {
    return detail::checked("list", [&](auto &ec) { return list(ec); });
}

} // namespace anypipe

#endif // ANYPIPE_SERVER_HPP
