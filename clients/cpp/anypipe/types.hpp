// anypipe/types.hpp: what the operations are given and what they tell. Part of anypipe.hpp; include that.
#ifndef ANYPIPE_TYPES_HPP
#define ANYPIPE_TYPES_HPP

namespace anypipe {

// The type of a pipe, and the read mode of an end.
enum class pipe_type : std::uint32_t { byte = ANYPIPE_BYTE, message = ANYPIPE_MESSAGE };

enum class direction : std::uint32_t { duplex = ANYPIPE_DUPLEX, inbound = ANYPIPE_INBOUND, outbound = ANYPIPE_OUTBOUND };

enum class state : std::uint32_t {
    disconnected = ANYPIPE_DISCONNECTED,
    listening = ANYPIPE_LISTENING,
    connected = ANYPIPE_CONNECTED,
    closing = ANYPIPE_CLOSING
};

inline constexpr std::int64_t unbuffered = ANYPIPE_UNBUFFERED;             // a quota of 0
inline constexpr std::uint32_t unlimited = ANYPIPE_UNLIMITED_INSTANCES;    // as a number of instances

// What a server asks for. As it is: a duplex byte pipe of unlimited instances for this user only. anypipe_create_options tells more.
struct create_options {
    pipe_type type = pipe_type::byte;
    pipe_type read_mode = pipe_type::byte;
    anypipe::direction direction = anypipe::direction::duplex;
    std::uint32_t max_instances = unlimited;
    std::chrono::milliseconds default_timeout{50};
    std::int64_t in_buffer = 65536;  // quota in bytes, client to server; unbuffered is none
    std::int64_t out_buffer = 65536; // server to client
    std::string sddl;                // security descriptor; empty is the owner only
    bool first = false;              // fail with access_denied if the name exists
    bool no_wait = false;            // PIPE_NOWAIT for the server ends
    bool accept_remote = false;      // clients of other machines may come in
    bool no_foreign = false;         // byte type does not also serve plain Unix-socket programs
    std::uint32_t backlog = 8;       // server: instances kept LISTENING
    std::uint64_t max_message = 0;   // longest message taken whole; 0 is no limit

    // A message pipe that is read by messages, which is what most servers of message pipes want.
    static create_options messages() {
        create_options options;
        options.type = options.read_mode = pipe_type::message;
        return options;
    }
};

// What a client asks for. As it is: reading and writing, in byte-read mode.
struct dial_options {
    std::uint32_t access = ANYPIPE_GENERIC_READ | ANYPIPE_GENERIC_WRITE;
    pipe_type read_mode = pipe_type::byte;
    bool no_busy_wait = false;     // pipe_busy at once when no instance is free
    std::string expect_owner;      // SID or user name that must own the pipe; empty is any
    std::uint64_t max_message = 0; // longest message taken whole; 0 is no limit

    static dial_options messages() {
        dial_options options;
        options.read_mode = pipe_type::message;
        return options;
    }
};

// What a read gave: size bytes, and whether the message goes on (ERROR_MORE_DATA; never on byte pipes and in byte-read mode).
struct read_result {
    std::size_t size = 0;
    bool more = false;
};

// What PeekNamedPipe tells.
struct peek_result {
    std::size_t size = 0;        // bytes copied
    std::uint64_t available = 0; // bytes that can be read in all
    std::int64_t left = 0;       // bytes of the first message that were not copied; on byte pipes minus size, as Windows has it
    std::uint64_t messages = 0;  // queued messages; 0 on byte pipes
    std::uint64_t length = 0;    // unread length of the first message; 0 on byte pipes
    anypipe::state state = anypipe::state::connected;
};

// What GetNamedPipeInfo and GetNamedPipeHandleState tell.
struct pipe_info {
    pipe_type type, read_mode;
    anypipe::direction direction;
    anypipe::state state;
    bool no_wait, server, reject_remote;
    std::uint32_t max_instances, instances;
    std::uint64_t in_quota, out_quota, readable, write_quota;
};

// Who is at the other end, as the system vouches for it.
struct peer_info {
    std::int64_t pid, session; // 0 if unknown
    std::int64_t uid, gid;     // -1 where there is none
    std::string sid, user;
    std::vector<std::int64_t> groups; // supplementary Unix groups
};

// A live pipe in a listing.
struct listed_pipe {
    std::string name;
    pipe_type type;
    anypipe::direction direction;
    std::uint32_t max_instances, instances;
    std::chrono::milliseconds default_timeout;
    std::int64_t owner_uid; // -1 where there is none
    std::string sddl, owner;
    std::string path; // of the socket for programs that know only Unix sockets; empty if there is none
};

namespace detail {

// The C form of the options. It points into them.
inline anypipe_create_options c_options(const create_options &o) noexcept {
    anypipe_create_options c = ANYPIPE_CREATE_OPTIONS_INIT;
    c.type = static_cast<std::uint32_t>(o.type);
    c.read_mode = static_cast<std::uint32_t>(o.read_mode);
    c.direction = static_cast<std::uint32_t>(o.direction);
    c.max_instances = o.max_instances;
    c.default_timeout_ms = static_cast<std::uint32_t>(o.default_timeout.count());
    c.in_buffer = o.in_buffer == 0 ? ANYPIPE_UNBUFFERED : o.in_buffer;
    c.out_buffer = o.out_buffer == 0 ? ANYPIPE_UNBUFFERED : o.out_buffer;
    c.sddl = o.sddl.empty() ? nullptr : o.sddl.c_str();
    c.first = o.first;
    c.no_wait = o.no_wait;
    c.accept_remote = o.accept_remote;
    c.no_foreign = o.no_foreign;
    c.backlog = o.backlog;
    c.max_message = o.max_message;
    return c;
}

inline anypipe_dial_options c_options(const dial_options &o) noexcept {
    anypipe_dial_options c = ANYPIPE_DIAL_OPTIONS_INIT;
    c.access = o.access;
    c.read_mode = static_cast<std::uint32_t>(o.read_mode);
    c.no_busy_wait = o.no_busy_wait;
    c.expect_owner = o.expect_owner.empty() ? nullptr : o.expect_owner.c_str();
    c.max_message = o.max_message;
    return c;
}

} // namespace detail

} // namespace anypipe

#endif // ANYPIPE_TYPES_HPP
