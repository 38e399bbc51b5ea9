#pragma once
// Remembers which kinds have been complained of, so that a flood of their jobs does not flood the log.
//
// Thread rule: any thread.

#include "core/guarded.hpp"

#include <chrono>
#include <string>
#include <unordered_map>

namespace millrace::engine {

class Complaints {
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::minutes quiet_time{1};
    static constexpr std::size_t most_remembered = 1000;

    // Whether it is time to log about this kind (again).
    [[nodiscard]] bool is_news(const std::string& kind, Time now) {
        return told_.with([&](auto& told) {
            if (told.size() >= most_remembered) told.clear();
            const auto [entry, fresh] = told.try_emplace(kind, now);
            if (!fresh && now - entry->second < quiet_time) return false;
            entry->second = now;
            return true;
        });
    }

private:
    core::Guarded<std::unordered_map<std::string, Time>> told_;
};

}  // namespace millrace::engine
