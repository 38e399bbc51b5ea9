#include "support/log_watch.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace millrace::testing {
namespace {

// MILLRACE_TEST_LOG=1 shows what the code under test logs.
ops::Level least_shown() {
    return std::getenv("MILLRACE_TEST_LOG") != nullptr ? ops::Level::debug : static_cast<ops::Level>(99);
}

}  // namespace

LogWatch::LogWatch() : log_{ops::Log::Format::human, stderr, least_shown()} {
    log_.observe(
        [this](ops::Level, std::string_view message, std::span<const ops::Field> fields) { note(message, fields); });
}

bool LogWatch::await(const std::string& message, std::size_t times) {
    std::unique_lock lock{mutex_};
    return written_.wait_for(lock, std::chrono::seconds{60}, [&] { return count_locked(message) >= times; });
}

std::size_t LogWatch::count(const std::string& message) const {
    const std::lock_guard lock{mutex_};
    return count_locked(message);
}

std::string LogWatch::text() const {
    const std::lock_guard lock{mutex_};
    return lines_;
}

void LogWatch::note(std::string_view message, std::span<const ops::Field> fields) {
    const std::lock_guard lock{mutex_};
    messages_.emplace_back(message);
    lines_ += message;
    for (const auto& field : fields) {
        const auto* number = std::get_if<std::int64_t>(&field.value);
        lines_.append(" ").append(field.name).append("=");
        lines_ += number != nullptr ? std::to_string(*number) : std::string{std::get<std::string_view>(field.value)};
    }
    lines_ += '\n';
    written_.notify_all();
}

std::size_t LogWatch::count_locked(const std::string& message) const {
    return static_cast<std::size_t>(std::count(messages_.begin(), messages_.end(), message));
}

}  // namespace millrace::testing
