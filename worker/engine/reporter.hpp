#pragma once
// For handlers that want to be looked at while they run: progress, and log lines that are kept with the job.
//
// A report is worth no attempt. One that cannot be made at once, because the database is away or refuses it, or another
// report waits for it, is dropped in silence; what is too long is cut. Only a lost lease is told (storage::LeaseLost):
// what the handler does from there on is void.
//
// Thread rule: any thread. One connection, opened when first needed, serves all.

#include "core/job.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <utility>

namespace millrace::engine {

class Reporter {
public:
    static constexpr std::chrono::milliseconds patience{1000};  // with other reports

    explicit Reporter(storage::SessionFactory sessions) : sessions_{std::move(sessions)} {}

    // 0 to 100 percent; what is beyond counts as the nearest of the two. `stop` is the attempt's.
    void progress(const core::Job& job, int percent, std::string_view message, const std::stop_token& stop);
    void log(const core::Job& job, std::string_view text, const std::stop_token& stop);

private:
    template <class Say>
    void report(const std::stop_token& stop, Say say);

    const storage::SessionFactory sessions_;
    std::mutex mutex_;  // protects is_busy_; whoever has set it owns session_
    std::condition_variable_any free_;
    bool is_busy_ = false;
    std::unique_ptr<storage::Session> session_;
};

}  // namespace millrace::engine
