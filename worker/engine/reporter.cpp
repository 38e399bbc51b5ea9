#include "engine/reporter.hpp"

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
    const std::unique_lock lock{mutex_, patience};
    if (!lock.owns_lock() || stop.stop_requested()) return;
    try {
        if (!session_) session_ = sessions_.open("reporter");
        const std::stop_callback hang_up{stop, [this] { session_->hang_up(); }};
        say(ReportStore{*session_});
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
