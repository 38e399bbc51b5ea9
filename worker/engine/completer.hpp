#pragma once
// Settles what executors report, many at a time.
//
// A batch goes out when it is full, when its first result is 5 ms old, or at once when the executor that reports has
// nothing further to do: then waiting would buy nothing. Results that arrive during a settle form the next batch.
//
// A batch whose answer was lost is settled again until the server accepts it; the fence makes that harmless. Results
// whose job is no longer held are void: another worker has the job, and these are dropped and counted.
//
// Somebody may hold a job's row, for hours perhaps: a cancellation that is not committed, a transaction whose client
// has vanished. Its result is put aside and tried again every second, so that no other waits behind it.
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
    static constexpr std::size_t most_successors = 1000;                      // of a batch
    static constexpr std::size_t most_bytes = std::size_t{16} * 1024 * 1024;  // of its texts
    static constexpr std::chrono::milliseconds longest_wait{5};
    static constexpr std::chrono::milliseconds patience_alone{100};  // with the lock of a row, one by one
    static constexpr std::size_t most_locked = 10;  // met at a time; then perhaps a table is, and no more are tried
    static constexpr std::chrono::milliseconds aside_for{1000};

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
    // What of a batch a settle tells, and of what it is counted and traced; all of the same index.
    struct Results {
        std::span<const storage::Settlement> settlements;
        std::span<Tally* const> tallies;
        std::span<const std::shared_ptr<const JobTrace>> traces;
    };

    struct Batch {
        std::vector<storage::Settlement> settlements;
        std::vector<std::shared_ptr<const Lease>> leases;     // of the same index
        std::vector<Tally*> tallies;                          // likewise
        std::vector<std::shared_ptr<const JobTrace>> traces;  // likewise; null: not traced

        [[nodiscard]] std::size_t size() const noexcept { return settlements.size(); }
        [[nodiscard]] Batch take(std::size_t limit);
        void append(Batch other);
        [[nodiscard]] Results results() const noexcept { return {settlements, tallies, traces}; }
    };

    [[nodiscard]] Batch next_batch(const std::stop_token& stop);
    void settle(Batch batch, const std::stop_token& give_up);
    void settle_apart(Batch batch, const std::stop_token& give_up);
    void put_aside(Batch batch);
    // False when a lock is in the way; nothing was settled then.
    [[nodiscard]] bool settle_alone(const Results& one, const std::stop_token& give_up);
    [[nodiscard]] bool settle_refused(const Results& one, const storage::Error& reason, const std::stop_token& give_up);
    [[nodiscard]] bool send(const Results& results, std::chrono::milliseconds patience, const std::stop_token& give_up);
    void trace_settles(const Results& results, const std::vector<core::JobId>& lost, const Spans::Interval& time);
    void account_for(const Results& results, const std::vector<core::JobId>& lost);

    const std::function<void()> on_scheduled_;
    Stats& stats_;
    ops::Log& log_;
    Spans* const spans_;
    Reconnecting connection_;
    Batch aside_;                 // results whose rows are locked
    Clock::time_point aside_at_;  // when they are tried again

    std::mutex mutex_;  // protects all below
    std::condition_variable_any arrived_;
    std::condition_variable_any drained_;
    Batch pending_;
    Clock::time_point first_at_;  // of pending_
    std::size_t aside_size_ = 0;  // of aside_
    bool urgent_ = false;
    bool waiting_ = false;  // the thread of run() sleeps
};

}  // namespace millrace::engine
