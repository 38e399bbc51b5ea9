#pragma once
// The terminal as one picture that is drawn again and again: no cursor, no line that wraps, keys as they are pressed;
// and everything as it was before when the object is destroyed.
//
// Thread rule: made before any other thread, which inherits the blocked signals; then one thread draws and waits.

#include "cli/console.hpp"

#include <termios.h>

#include <chrono>
#include <optional>
#include <string_view>

namespace millrace::cli {

class LiveTerminal {
public:
    enum class Event { none, quit };

    // Draws on standard output, and hears standard input when that is a terminal, too.
    LiveTerminal();
    ~LiveTerminal();
    LiveTerminal(const LiveTerminal&) = delete;
    LiveTerminal& operator=(const LiveTerminal&) = delete;

    // Quit is the key q, SIGINT, SIGTERM and SIGHUP. None is all else that is worth another picture: `stir`, another
    // size of the terminal, and that it has been so long.
    [[nodiscard]] Event wait(std::chrono::milliseconds longest);

    // Ends the wait. Any thread.
    void stir() noexcept;

    [[nodiscard]] static std::size_t height();

    // Lines, each with its line feed.
    void draw(std::string_view lines);

    // Makes the terminal as it was before; once is enough.
    void leave() noexcept;

private:
    [[nodiscard]] bool is_quit_typed();

    int signals_ = -1;                 // signalfd
    int stirred_ = -1;                 // eventfd
    std::optional<termios> original_;  // nothing: nobody types
    bool has_left_ = false;
};

}  // namespace millrace::cli
