#pragma once
// A log that tests can wait on.
//
// Thread rule: any thread.

#include "ops/log.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace millrace::testing {

class LogWatch {
public:
    LogWatch();

    [[nodiscard]] ops::Log& log() noexcept { return log_; }

    // Until this message has been logged `times`; false when that takes longer than a minute.
    [[nodiscard]] bool await(const std::string& message, std::size_t times = 1);
    [[nodiscard]] std::size_t count(const std::string& message) const;
    // "message name=value …", for failures and for looking into fields.
    [[nodiscard]] std::string text() const;

private:
    void note(std::string_view message, std::span<const ops::Field> fields);
    [[nodiscard]] std::size_t count_locked(const std::string& message) const;

    mutable std::mutex mutex_;  // protects messages_, lines_
    std::condition_variable written_;
    std::vector<std::string> messages_;
    std::string lines_;
    ops::Log log_;
};

}  // namespace millrace::testing
