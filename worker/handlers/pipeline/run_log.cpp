#include "handlers/pipeline/run_log.hpp"

#include "core/printable.hpp"
#include "storage/pipeline_tables.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <utility>

namespace millrace::handlers::pipeline {
namespace {

constexpr std::size_t max_text = std::size_t{64} * 1024;        // bytes as they came
constexpr std::chrono::milliseconds rhythm{500};                // between two texts, when there is little
constexpr std::chrono::seconds between_sessions{2};             // when the database is away
constexpr std::size_t max_printable = std::size_t{256} * 1024;  // more than max_text bytes can become

}  // namespace

RunLog::RunLog(storage::SessionFactory sessions, storage::pipeline::StoreCounts& counts, storage::pipeline::RunKey run,
               std::stop_source void_run)
    : sessions_{std::move(sessions)},
      counts_{counts},
      run_{std::move(run)},
      void_run_{std::move(void_run)},
      writer_{[this](const std::stop_token& stop) { write(stop); }} {}

void RunLog::add(std::string_view bytes) {
    const std::lock_guard lock{mutex_};
    pending_.append(bytes);
    if (pending_.size() >= max_text) arrived_.notify_one();
}

void RunLog::rest(storage::Transaction& transaction) {
    writer_.request_stop();
    if (writer_.joinable()) writer_.join();
    storage::pipeline::Tables tables{transaction, counts_};
    auto& runs = tables.stores().command_runs;
    for (auto left = std::string_view{pending_}; !left.empty();) {
        const auto part = left.substr(0, in_doubt_ > 0 ? in_doubt_ : max_text);
        runs.append_log(run_, {position_, core::printable(part, max_printable)});
        position_ += static_cast<std::int64_t>(part.size());
        left.remove_prefix(part.size());
        in_doubt_ = 0;
    }
    pending_.clear();
}

// Up to the last line's end; empty when there is none yet and the line is still shorter than a text may be. What is in
// doubt comes again as it was: where a text begins the server keeps the first that it gets, and no longer one.
std::string RunLog::next_text() {
    const std::lock_guard lock{mutex_};
    if (in_doubt_ > 0) return pending_.substr(0, in_doubt_);
    const auto text = std::string_view{pending_}.substr(0, max_text);
    const auto end = text.rfind('\n');
    if (end != text.npos) return std::string{text.substr(0, end + 1)};
    return std::string{text.size() == max_text ? text : std::string_view{}};
}

void RunLog::write(const std::stop_token& stop) {
    std::unique_ptr<storage::Session> session;
    while (!stop.stop_requested()) {
        std::chrono::milliseconds wait = rhythm;
        try {
            for (auto text = next_text(); !text.empty() && !stop.stop_requested(); text = next_text()) {
                if (!session) session = sessions_.open("pipeline log");
                write_once(*session, text);
            }
        } catch (const std::exception&) {  // a database that stays away is the end of the run's to complain of
            session.reset();
            wait = between_sessions;
        }
        std::unique_lock lock{mutex_};
        arrived_.wait_for(lock, stop, wait, [this, wait] { return wait == rhythm && pending_.size() >= max_text; });
    }
}

void RunLog::write_once(storage::Session& session, const std::string& text) {
    in_doubt_ = text.size();
    storage::Transaction transaction{session};
    storage::pipeline::Tables tables{transaction, counts_};
    const bool is_ours =
        tables.stores().command_runs.append_log(run_, {position_, core::printable(text, max_printable)});
    transaction.commit();
    if (!is_ours) void_run_.request_stop();
    // Only now: what was not committed is sent again, which the server knows by its position.
    const std::lock_guard lock{mutex_};
    pending_.erase(0, text.size());
    position_ += static_cast<std::int64_t>(text.size());
    in_doubt_ = 0;
}

}  // namespace millrace::handlers::pipeline
