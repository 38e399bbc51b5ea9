#pragma once
// Settles what executors report, many at a time.
//
// A batch goes out when it is full, when its first result is 5 ms old, or at once when the executor that reports has
// nothing further to do: then waiting would buy nothing. Results that arrive during a settle form the next batch.
//
// A batch whose answer was lost is settled again until the server accepts it; the fence makes that harmless. Results
// whose job is no longer held are void: another worker has the job, and these are dropped and counted.
//
// Thread rule: `submit`, `note_settled` and `await_below` by any thread; `run` by one, which uses the connection.

#include "engine/attempt.hpp"
#include "engine/reconnecting.hpp"
#include "storage/job_store.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <vector>

namespace millrace::engine {

enum class Urgency { can_wait, now };

class Completer {
public:
    static constexpr std::size_t full_batch = 500;
    static constexpr std::size_t most_successors = 1000;  // of a batch
    static constexpr std::chrono::milliseconds longest_wait{5};

    // `on_scheduled` is called after a settle that put jobs off to a later time. `spans` is told of settles of traced
    // attempts; null: nobody is.
    Completer(const storage::SessionFactory& sessions, std::function<void()> on_scheduled, AnswerWatch& answers,
              Stats& stats, ops::Log& log, Spans* spans = nullptr);

    // The lease is released when the settle was answered. `trace` is null unless the attempt is traced.
    void submit(storage::Settlement settlement, std::shared_ptr<const Lease> lease, Tally& tally, Urgency urgency,
                std::shared_ptr<const JobTrace> trace = nullptr);

    // What a handler's own transaction has settled is counted here like the rest.
    void note_settled(const storage::Settlement& settlement, Tally& tally);

    // Blocks while at least this many results wait: the way to slow down claims when settles cannot keep up.
    void await_below(std::size_t results, const std::stop_token& stop);

    // Until `stop` is requested and everything is settled, or `give_up` is.
    void run(const std::stop_token& stop, const std::stop_token& give_up);

private:
    struct Batch {
        std::vector<storage::Settlement> settlements;
        std::vector<std::shared_ptr<const Lease>> leases;     // of the same index
        std::vector<Tally*> tallies;                          // likewise
        std::vector<std::shared_ptr<const JobTrace>> traces;  // likewise; null: not traced

        [[nodiscard]] std::size_t size() const noexcept { return settlements.size(); }
        [[nodiscard]] Batch take(std::size_t limit);
    };

    [[nodiscard]] Batch next_batch(const std::stop_token& stop);
    using Settlements = std::span<const storage::Settlement>;
    using Tallies = std::span<Tally* const>;  // of the settlements of the same index
    using Traces = std::span<const std::shared_ptr<const JobTrace>>;

    void settle(const Batch& batch, const std::stop_token& give_up);
    void settle_refused(const storage::Settlement& settlement, Tallies tally, Traces trace,
                        const storage::Error& reason, const std::stop_token& give_up);
    void send(Settlements settlements, Tallies tallies, Traces traces, const std::stop_token& give_up);
    void trace_settles(Settlements settlements, Traces traces, const std::vector<core::JobId>& lost,
                       const Spans::Interval& time);
    void account_for(Settlements settlements, Tallies tallies, const std::vector<core::JobId>& lost);

    const std::function<void()> on_scheduled_;
    Stats& stats_;
    ops::Log& log_;
    Spans* const spans_;
    Reconnecting connection_;

    std::mutex mutex_;  // protects all below
    std::condition_variable_any arrived_;
    std::condition_variable_any drained_;
    Batch pending_;
    Clock::time_point first_at_;  // of pending_
    bool urgent_ = false;
    bool waiting_ = false;  // the thread of run() sleeps
};

}  // namespace millrace::engine
