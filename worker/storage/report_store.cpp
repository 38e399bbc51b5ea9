#include "storage/report_store.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {

void ReportStore::set_progress(const core::Job& job, int percent, const std::string& message) {
    execute(session_, "select millrace.set_progress($1, $2, $3, nullif($4, ''))", job.fence.value, job.id.value,
            percent, message);
}

void ReportStore::log_line(const core::Job& job, const std::string& text) {
    execute(session_, "select millrace.log_line($1, $2, $3)", job.fence.value, job.id.value, text);
}

}  // namespace millrace::storage
