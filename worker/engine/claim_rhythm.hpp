#pragma once
// When to claim again: the wake-up protocol, as a state machine without clock, thread or database.
//
// Producers notify only while the queue's flag is up, because a notification costs the whole database a lock at commit.
// So a claimer that found nothing raises the flag, claims once more (a job may have come in between), and only then
// sleeps until it is notified. A producer that read the flag just before it was raised and commits after that second
// claim notifies nobody; therefore the first sleeps are short, 5 ms and doubling up to the poll interval.
//
// A queue that was busy a moment ago is likely to be busy again in a moment: there the claimer looks a few times, 2 ms
// apart, before it makes producers pay. And a flag that is up comes down only when claims have brought jobs for a while
// without a miss, or in a rush, when they have brought jobs very often: producers that wait for each other's
// notifications are so slow that each of their jobs finds a claimer asleep, see docs/decisions/0010. Each time that
// turns out to have been too soon, the next attempt waits twice as long. In a rush the looks take longer, too.
//
// Another worker may lower the flag while this one sleeps. All sleepers are told, and raise it anew before they sleep
// on: the one that lowered it may be busy for hours. Should they not hear of it, they raise it with every sixth poll.
//
// Thread rule: one thread at a time.

#include "engine/settings.hpp"

#include <chrono>
#include <cstddef>
#include <optional>

namespace millrace::engine {

class ClaimRhythm {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Milliseconds = std::chrono::milliseconds;

    static constexpr Milliseconds lately{250};  // this is what "busy" means
    static constexpr int rush = 50;             // claims with jobs within that time: too many to be woken for each
    static constexpr Milliseconds quick_pause{2};
    static constexpr int quick_looks = 3;
    static constexpr int rush_looks = 4;  // 2, 4, 8 and 16 ms apart
    static constexpr Milliseconds first_sleep{5};
    static constexpr Milliseconds lower_pause{1000};  // between two lowerings, at least
    static constexpr Milliseconds longest_lower_pause{30'000};
    static constexpr int polls_per_raise = 6;

    enum class Next {
        claim,  // at once
        sleep,  // until notified, for `duration` at most; then claim
        raise,  // the flag; then claim
        lower,  // the flag; then claim
    };
    struct Step {
        Next next;
        Milliseconds duration{0};
    };

    ClaimRhythm(Milliseconds poll_interval, Listening listening) : poll_{poll_interval}, listening_{listening} {}

    // What follows a claim that brought this many jobs.
    [[nodiscard]] Step after_claim(Time now, std::size_t jobs);

    // The flag was lowered, or a connection lost: nothing that was believed about the flag holds.
    void forget();

private:
    [[nodiscard]] Step after_jobs(Time now);
    [[nodiscard]] Step after_nothing(Time now);
    [[nodiscard]] Step sleep();

    const Milliseconds poll_;
    const Listening listening_;

    std::optional<Time> last_jobs_;
    std::optional<Time> streak_began_;  // since when no claim was empty
    Time count_began_{};
    int counted_ = 0;         // claims with jobs since then
    bool is_rushed_ = false;  // the flag was lowered because of a rush
    int looks_ = 0;
    bool flag_is_up_ = false;      // as far as we know
    bool ready_to_sleep_ = false;  // the flag was raised and a claim after it was empty
    Milliseconds sleep_ = first_sleep;
    int polls_ = 0;
    std::optional<Time> lowered_at_;
    Milliseconds lower_pause_ = lower_pause;
};

}  // namespace millrace::engine
