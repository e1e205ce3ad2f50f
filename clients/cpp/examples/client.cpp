// client: sends each line of its input as a message; a callback on a reading thread prints what comes.   usage: client NAME
#include <anypipe.hpp>

#include <condition_variable>
#include <iostream>
#include <mutex>

int main(int argc, char **argv) try {
    if (argc != 2) {
        std::cerr << "usage: client NAME\n";
        return 2;
    }
    std::mutex mutex; // guards missing and ended
    std::condition_variable changed;
    int missing = 0; // answers
    bool ended = false;

    anypipe::client pipe(argv[1], anypipe::dial_options::messages(), std::chrono::seconds(5));
    pipe.on_message([&](anypipe::bytes_view message, const std::error_code &ec) {
        if (!ec) std::cout << message.text() << std::endl;
        const std::lock_guard lock(mutex);
        if (ec) ended = true; // the last call
        else missing--;
        changed.notify_one();
    });
    for (std::string line; std::getline(std::cin, line);) {
        {
            const std::lock_guard lock(mutex);
            missing++;
        }
        pipe.write_message(line);
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ended || missing == 0; });
    lock.unlock(); // pipe's destructor joins the callback, which takes the lock
    return missing == 0 ? 0 : 1;
} catch (const std::exception &e) {
    std::cerr << "client: " << e.what() << std::endl;
    return 1;
}
