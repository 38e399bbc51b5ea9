#pragma once
// What became of notifications at the hands of this worker, for metrics: rows of notify.emails, so that a digest counts
// for as many as it holds. What emit itself has skipped, and what ends without a handler, is in notify.emails alone.
//
// They count what was recorded under the job's fence, and say nothing of the commit.
//
// Thread rule: any thread.

#include "engine/histogram.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace::handlers::email {

class NotifyCounts {
public:
    using Counter = std::atomic<std::uint64_t>;

    enum class Failure {
        refused,    // for good, by the mail server
        put_off,    // or lost, up to the last attempt
        not_sound,  // a sender or a subject that no mail can have
        no_words,   // a template that cannot be rendered
    };
    static constexpr std::array<std::string_view, 4> failures{"refused", "put off", "not sound", "template"};
    // As message_of, digest_to and the handlers say it; what they may say one day is the last of them.
    static constexpr std::array<std::string_view, 9> skips{"suppressed", "erased",          "expired",
                                                           "disabled",   "preference",      "default",
                                                           "no address", "nothing to send", "other"};

    void sent(std::uint64_t emails) { sent_ += emails; }
    void skipped(std::string_view reason, std::uint64_t emails) {
        const auto known = std::find(skips.begin(), skips.end() - 1, reason) - skips.begin();
        skipped_.at(static_cast<std::size_t>(known)) += emails;
    }
    void failed(Failure why, std::uint64_t emails) { failed_.at(static_cast<std::size_t>(why)) += emails; }
    void accepted(std::chrono::steady_clock::duration after_the_emit) { delivery_.observe(after_the_emit); }

    [[nodiscard]] const Counter& sent() const noexcept { return sent_; }
    [[nodiscard]] const Counter& skipped(std::size_t reason) const { return skipped_.at(reason); }
    [[nodiscard]] const Counter& failed(std::size_t why) const { return failed_.at(why); }
    [[nodiscard]] const engine::Histogram& delivery() const noexcept { return delivery_; }

private:
    static constexpr std::uint64_t second = 1'000'000;
    static constexpr std::array bounds{second / 10,  second / 4,    second / 2,      second,
                                       second * 5,   second * 15,   second * 60,     second * 300,
                                       second * 900, second * 3600, second * 14'400, second * 86'400};

    Counter sent_{0};
    std::array<Counter, skips.size()> skipped_{};
    std::array<Counter, failures.size()> failed_{};
    engine::Histogram delivery_{bounds};
};

}  // namespace millrace::handlers::email
