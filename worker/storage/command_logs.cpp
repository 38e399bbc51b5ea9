#include "storage/command_logs.hpp"

#include "storage/translation.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

namespace millrace::storage::pipeline {
namespace {

constexpr std::array<std::string_view, 5> status_words{"accepted", "running", "succeeded", "failed", "cancelled"};

BuildStatus status_of(const char* word) {
    const auto* const found = std::find(status_words.begin(), status_words.end(), word);
    if (found == status_words.end()) throw std::runtime_error{std::string{"unknown status of a build: "} + word};
    return static_cast<BuildStatus>(found - status_words.begin());
}

}  // namespace

std::vector<LoggedRun> CommandLogs::runs(const std::string& id, const std::optional<std::string>& queue) {
    std::vector<LoggedRun> runs;
    for (const auto& row : execute(
             session_, "select queue, status, coalesce(reason, ''), is_log_gone from pipeline.command_runs_of($1, $2)",
             id, queue)) {
        runs.push_back({{row[0].c_str(), id}, status_of(row[1].c_str()), row[2].c_str(), row[3].as<bool>()});
    }
    return runs;
}

std::vector<LoggedText> CommandLogs::read(const BuildKey& build, const std::optional<LoggedText>& last) {
    const auto attempt = last ? std::optional{last->attempt} : std::nullopt;
    const auto position = last ? std::optional{last->text.position} : std::nullopt;
    std::vector<LoggedText> texts;
    for (const auto& row :
         execute(session_, "select attempt, start_byte, text from pipeline.read_command_log($1, $2, $3, $4)",
                 build.queue, build.id, attempt, position)) {
        texts.push_back({row[0].as<int>(), {row[1].as<std::int64_t>(), row[2].c_str()}});
    }
    return texts;
}

}  // namespace millrace::storage::pipeline
