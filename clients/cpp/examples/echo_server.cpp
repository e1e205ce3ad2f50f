// echo_server: sends every message back, to as many clients at once as come.   usage: echo_server NAME
#include <anypipe.hpp>

#include <iostream>
#include <thread>

// Echoes until the client closes its end.
static void serve(anypipe::instance client) {
    try {
        std::cout << "client " << client.peer().pid << " came" << std::endl;
        for (;;) client.write_message(client.read_message().view());
    } catch (const std::system_error &e) {
        if (e.code() != std::errc::broken_pipe) std::cerr << e.what() << std::endl;
    }
}

int main(int argc, char **argv) try {
    if (argc != 2) {
        std::cerr << "usage: echo_server NAME\n";
        return 2;
    }
    anypipe::server server(argv[1], anypipe::create_options::messages());
    std::cout << "listening on " << argv[1] << std::endl;
    for (;;) std::thread(serve, server.accept()).detach();
} catch (const std::exception &e) {
    std::cerr << "echo_server: " << e.what() << std::endl;
    return 1;
}
