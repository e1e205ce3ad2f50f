// load.cpp: the header in C++17: exceptions and threads beside the library, and a callback that catches what it throws.
#include <anypipe.h>

#include <future>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static void must(int error) {
    if (error != ANYPIPE_OK) throw std::runtime_error(anypipe_error_name(error));
}

static std::string round_trip(const std::string &text) {
    anypipe_handle r, w;
    std::string got(text.size(), '\0');
    std::size_t n;
    must(anypipe_pair(0, &r, &w));
    must(anypipe_write(w, text.data(), text.size(), &n, ANYPIPE_FOREVER));
    must(anypipe_read(r, got.data(), got.size(), &n, ANYPIPE_FOREVER));
    must(anypipe_close(r));
    must(anypipe_close(w));
    return got;
}

static void throwing(void *context, int error, std::size_t length) {
    try {
        must(error);
        throw std::length_error("thrown on a thread of the library");
    } catch (const std::exception &) {
        static_cast<std::promise<std::size_t> *>(context)->set_value(length);
    }
}

int main() {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++)
        threads.emplace_back([] {
            for (int j = 0; j < 100; j++)
                if (round_trip("c++") != "c++") std::terminate();
        });
    for (auto &t : threads) t.join();
    try {
        must(anypipe_close(0));
        return 1;
    } catch (const std::runtime_error &e) {
        if (std::string(e.what()) != "ERROR_INVALID_HANDLE") return 1;
    }
    anypipe_create_options options = ANYPIPE_CREATE_OPTIONS_INIT;
    anypipe_dial_options dial = ANYPIPE_DIAL_OPTIONS_INIT;
    anypipe_handle server, client;
    char buffer[8];
    std::size_t n;
    std::promise<std::size_t> read;
    must(anypipe_create("load c++", &options, &server));
    must(anypipe_dial("load c++", &dial, 0, &client));
    if (anypipe_read_start(server, buffer, sizeof buffer, throwing, &read, nullptr, nullptr) != ANYPIPE_IO_PENDING) return 1;
    must(anypipe_write(client, "four", 4, &n, ANYPIPE_FOREVER));
    if (read.get_future().get() != 4) return 1;
    must(anypipe_close(server));
    must(anypipe_close(client));
    if (anypipe_open_handles() != 0) return 1;
    std::cout << "ok\n";
}
