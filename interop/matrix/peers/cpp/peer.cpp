// The peer of the matrix in C++, on the classes of clients/cpp. interop/matrix/README.md says what a peer does.
#include <anypipe.hpp>

#include <charconv>
#include <cstdio>
#include <iostream>
#include <list>
#include <stdexcept>
#include <thread>

namespace {

using anypipe::pipe_type;

constexpr int flood_messages = 1000;
constexpr std::size_t longest = std::size_t{64} << 20; // a length from the other end beyond this is nonsense

void say(const std::string &line) { std::cout << line << std::endl; }

// One end, speaking messages on both types.
class channel {
  public:
    channel(anypipe::pipe_end &end, pipe_type type) : end_(end), type_(type) {}

    void send(std::string_view data) {
        if (type_ == pipe_type::message) return end_.write_message(data);
        std::string framed(4, '\0');
        for (int i = 0; i < 4; i++) framed[i] = static_cast<char>(data.size() >> 8 * i);
        end_.write(framed.append(data));
    }
    std::string receive() {
        if (type_ == pipe_type::message) return end_.read_message().str();
        std::size_t size = 0;
        const std::string length = read_exactly(4);
        for (int i = 0; i < 4; i++) size |= std::size_t{static_cast<unsigned char>(length[i])} << 8 * i;
        if (size > longest) throw std::runtime_error("a message of " + std::to_string(size) + " bytes");
        return read_exactly(size);
    }

  private:
    std::string read_exactly(std::size_t size) {
        std::string data(size, '\0');
        for (std::size_t got = 0; got < size;) got += end_.read({data.data() + got, size - got}).size;
        return data;
    }

    anypipe::pipe_end &end_;
    const pipe_type type_;
};

// FNV-1a with 64 bits over messages, of each its length and its bytes.
class hash {
  public:
    void add(std::string_view message) {
        for (int i = 0; i < 4; i++) add_byte(static_cast<unsigned char>(message.size() >> 8 * i));
        for (const char c : message) add_byte(static_cast<unsigned char>(c));
    }
    std::string hex() const {
        char text[17];
        std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value_));
        return text;
    }

  private:
    void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
    std::uint64_t value_ = 0xcbf29ce484222325;
};

// shift is 0 for what the client sends, 128 for the server.
std::string flood_message(int i, int shift) {
    std::string message(i * 37 % 2000, '\0');
    for (std::size_t j = 0; j < message.size(); j++) message[j] = static_cast<char>(i + j + shift);
    return message;
}

std::string flood_hash(int shift) {
    hash expected;
    for (int i = 0; i < flood_messages; i++) expected.add(flood_message(i, shift));
    return expected.hex();
}

// Sends and receives at once. Returns the hash of what came.
std::string flood(channel &with, int shift) {
    std::exception_ptr sending_failed;
    std::thread sending([&] {
        try {
            for (int i = 0; i < flood_messages; i++) with.send(flood_message(i, shift));
        } catch (...) {
            sending_failed = std::current_exception();
        }
    });
    hash received;
    std::exception_ptr receiving_failed;
    try {
        for (int i = 0; i < flood_messages; i++) received.add(with.receive());
    } catch (...) {
        receiving_failed = std::current_exception();
    }
    sending.join(); // the other end reads or is gone, so this ends
    if (receiving_failed) std::rethrow_exception(receiving_failed);
    if (sending_failed) std::rethrow_exception(sending_failed);
    return received.hex();
}

// ---- server ----------------------------------------------------------------------------------------------------------

void serve_client(anypipe::instance &end, pipe_type type) {
    channel client(end, type);
    for (;;) {
        const std::string message = client.receive();
        if (message == "BYE") return;
        if (message == "FLOOD") client.send("HASH " + flood(client, 128));
        else client.send(message);
    }
}

// Serves client after client until the instance is closed. Whatever a client does ends its connection only.
void serve_clients(anypipe::instance &end, pipe_type type) {
    for (;;) {
        std::error_code ec;
        end.connect(ec);
        if (ec == anypipe::errc::aborted || ec == anypipe::errc::invalid_handle) return;
        if (!ec) {
            try {
                serve_client(end, type);
            } catch (const std::exception &) {
            }
        }
        end.disconnect(ec);
    }
}

int serve(const std::string &name, pipe_type type, int max) {
    anypipe::create_options options;
    options.type = options.read_mode = type;
    options.max_instances = static_cast<std::uint32_t>(max);
    std::list<anypipe::instance> instances;
    for (int i = 0; i < max; i++) instances.emplace_back(name, options);
    std::vector<std::thread> serving;
    for (auto &end : instances) serving.emplace_back([&end, type] { serve_clients(end, type); });
    say("ready");
    while (std::cin.get() != EOF) {
    }
    for (auto &end : instances) end.close();
    for (auto &thread : serving) thread.join();
    return 0;
}

// ---- clients ---------------------------------------------------------------------------------------------------------

anypipe::client open(const std::string &name, pipe_type type) {
    anypipe::dial_options options;
    options.read_mode = type;
    return anypipe::client(name, options);
}

// Prints how reading ended; what comes before the end is ignored.
void say_end(channel &server) {
    try {
        for (;;) server.receive();
    } catch (const std::system_error &e) {
        say("error " + std::to_string(e.code().value()));
    }
}

void check(bool right, const std::string &wrong) {
    if (!right) throw std::runtime_error(wrong);
}

int client(const std::string &name, pipe_type type) {
    anypipe::client end = open(name, type);
    channel server(end, type);
    for (const std::size_t size : {1, 64, 1000, 65537, 0, 1048576}) {
        std::string message(size, '\0');
        for (std::size_t j = 0; j < size; j++) message[j] = static_cast<char>((size + j) % 251);
        server.send(message);
        check(server.receive() == message, "the echo of " + std::to_string(size) + " bytes is different");
    }
    say("echo ok");
    server.send("FLOOD");
    check(flood(server, 0) == flood_hash(128), "the server's flood has another hash");
    check(server.receive() == "HASH " + flood_hash(0), "the server's answer has another hash");
    say("flood ok");
    server.send("BYE");
    say_end(server);
    say("done");
    return 0;
}

int hold(const std::string &name, pipe_type type) {
    anypipe::client end = open(name, type);
    channel server(end, type);
    server.send("hold");
    check(server.receive() == "hold", "the echo is different");
    say("connected");
    say_end(server);
    return 0;
}

int say_result(const std::error_code &ec) {
    say(ec ? "error " + std::to_string(ec.value()) : "ok");
    return 0;
}

int open_only(const std::string &name) {
    anypipe::dial_options options;
    options.no_busy_wait = true;
    std::error_code ec;
    const anypipe::client end(name, options, anypipe::forever, ec);
    return say_result(ec);
}

int wait_only(const std::string &name, int milliseconds) {
    std::error_code ec;
    anypipe::wait(name, std::chrono::milliseconds(milliseconds), ec);
    return say_result(ec);
}

int usage() {
    std::cerr << "usage: peer serve NAME byte|message MAX | client NAME byte|message | hold NAME byte|message | open NAME | wait NAME MS\n";
    return 2;
}

bool parse_type(const std::string &text, pipe_type &type) {
    type = text == "message" ? pipe_type::message : pipe_type::byte;
    return text == "byte" || text == "message";
}

bool parse_number(const std::string &text, int &number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && number >= 0;
}

int run(const std::vector<std::string> &args) {
    pipe_type type;
    int number = 0;
    if (args.size() == 4 && args[0] == "serve" && parse_type(args[2], type) && parse_number(args[3], number)) return serve(args[1], type, number);
    if (args.size() == 3 && args[0] == "client" && parse_type(args[2], type)) return client(args[1], type);
    if (args.size() == 3 && args[0] == "hold" && parse_type(args[2], type)) return hold(args[1], type);
    if (args.size() == 2 && args[0] == "open") return open_only(args[1]);
    if (args.size() == 3 && args[0] == "wait" && parse_number(args[2], number)) return wait_only(args[1], number);
    return usage();
}

} // namespace

int main(int argc, char **argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception &e) {
        say(e.what());
        return 1;
    }
}
