#include "engine/reporter.hpp"

#include "core/finally.hpp"
#include "core/printable.hpp"
#include "storage/error.hpp"
#include "storage/report_store.hpp"

#include <algorithm>
#include <string>

namespace millrace::engine {

using storage::ReportStore;

// An attempt that is asked to stop does not wait for an answer either; its session is not used again.
template <class Say>
void Reporter::report(const std::stop_token& stop, Say say) {
    std::unique_lock lock{mutex_};
    if (!free_.wait_for(lock, stop, patience, [this] { return !is_busy_; }) || stop.stop_requested()) return;
    is_busy_ = true;
    lock.unlock();
    const core::Finally done{[&] {
        lock.lock();
        is_busy_ = false;
        free_.notify_one();
    }};
    try {
        if (!session_) session_ = sessions_.open("reporter");
        const std::stop_callback hang_up{stop, [this] { session_->hang_up(); }};
        say(ReportStore{*session_});
    } catch (const storage::LeaseLost&) {
        throw;
    } catch (const storage::Error&) {  // a full disk, a deadlock, a time limit: the session is well
        return;
    } catch (const storage::ConnectionLost&) {
        session_.reset();
    }
    if (stop.stop_requested()) session_.reset();
}

void Reporter::progress(const core::Job& job, int percent, std::string_view message, const std::stop_token& stop) {
    const auto cut = core::printable(message, ReportStore::longest_message);
    report(stop, [&](ReportStore store) { store.set_progress(job, std::clamp(percent, 0, 100), cut); });
}

void Reporter::log(const core::Job& job, std::string_view text, const std::stop_token& stop) {
    const auto cut = core::printable(text, ReportStore::longest_line);
    if (cut.empty()) return;
    report(stop, [&](ReportStore store) { store.log_line(job, cut); });
}

}  // namespace millrace::engine
