#pragma once
// Carries what a command writes to the database while it runs, so that people can follow it.
//
// A text is written every half second, when there is any, or as soon as it is long enough; it ends with a line unless
// the line itself is longer than a text. A database that is away is asked again, with the very text that it may have
// taken before its answer was lost; what could not be written in time is left for the end of the run (`rest`). When the
// database says that another attempt runs, or none, `void_run` is requested.
//
// Thread rule: `add` on one thread; an own thread with its own session writes, and ends with `rest` or this object.

#include "storage/pipeline_counts.hpp"
#include "storage/pipeline_stores.hpp"
#include "storage/session.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace millrace::handlers::pipeline {

class RunLog {
public:
    // The counts outlive it.
    RunLog(storage::SessionFactory sessions, storage::pipeline::StoreCounts& counts, storage::pipeline::RunKey run,
           std::stop_source void_run);

    void add(std::string_view bytes);

    // Ends the writing. Writes what has not been written yet in the transaction; once.
    void rest(storage::Transaction& transaction);

private:
    void write(const std::stop_token& stop);
    void write_once(storage::Session& session, const std::string& text);
    [[nodiscard]] std::string next_text();

    const storage::SessionFactory sessions_;
    storage::pipeline::StoreCounts& counts_;
    const storage::pipeline::RunKey run_;
    std::stop_source void_run_;

    std::mutex mutex_;  // of the two below
    std::string pending_;
    std::int64_t position_ = 0;
    std::size_t in_doubt_ = 0;  // bytes that were sent, committed or not; the writer's, and after it that of `rest`
    std::condition_variable_any arrived_;

    std::jthread writer_;  // the last: it uses the others
};

}  // namespace millrace::handlers::pipeline
