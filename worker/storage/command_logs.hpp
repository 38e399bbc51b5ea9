#pragma once
// What the commands of the pipeline's builds have written, as people follow it.
//
// All verbs throw ConnectionLost, and Error for what the server refuses.
//
// Thread rule: as the Session.

#include "storage/pipeline_entities.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace millrace::storage::pipeline {

struct LoggedRun {
    BuildKey build;
    BuildStatus status = BuildStatus::accepted;
    std::string reason;
    bool is_log_gone = false;  // it was too old
};

struct LoggedText {
    int attempt = 0;
    LogText text;
};

class CommandLogs {
public:
    explicit CommandLogs(Session& session) : session_{session} {}

    // The builds of this id: one for each pipeline queue that has it, or of this queue alone.
    [[nodiscard]] std::vector<LoggedRun> runs(const std::string& id, const std::optional<std::string>& queue);
    // What comes after the last text that was read, in order; from the beginning without one. Not all at once.
    [[nodiscard]] std::vector<LoggedText> read(const BuildKey& build, const std::optional<LoggedText>& last);

private:
    Session& session_;
};

}  // namespace millrace::storage::pipeline
