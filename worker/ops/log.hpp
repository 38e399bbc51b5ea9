#pragma once
// One line per event: a JSON object for machines, or a sentence for a person at a terminal.
//
// The message is a fixed sentence; what varies goes into fields, so that lines can be counted and searched. Payloads
// and secrets are never fields.
//
// Thread rule: any thread. A line is written whole.

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace millrace::ops {

enum class Level { debug, info, warning, error };

struct Field {
    std::string_view name;
    std::variant<std::int64_t, std::string_view> value;
};

class Log {
public:
    enum class Format { json, human };

    // Called with every line before it is written, by the thread that writes it. Tests wait on events with it.
    using Observer = std::function<void(Level, std::string_view message, std::span<const Field>)>;

    Log(Format format, std::FILE* out, Level least = Level::info);  // `out` is not owned
    Log(Log& whole, std::string database);  // writes there, and each line says of which database it is
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void write(Level level, std::string_view message, std::span<const Field> fields);
    void write(Level level, std::string_view message, std::initializer_list<Field> fields = {}) {
        write(level, message, std::span{fields.begin(), fields.size()});
    }

    void observe(Observer observer);  // before the first line

    [[nodiscard]] Level least() const noexcept { return whole_ == nullptr ? least_.load() : whole_->least(); }
    void set_least(Level least) noexcept { least_ = least; }

private:
    Log* const whole_ = nullptr;
    const std::string database_;
    const Format format_;
    std::FILE* const out_;
    std::atomic<Level> least_;
    Observer observer_;
    std::mutex mutex_;  // protects out_
};

}  // namespace millrace::ops
