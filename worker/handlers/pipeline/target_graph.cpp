#include "handlers/pipeline/target_graph.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace millrace::handlers::pipeline {
namespace {

using nlohmann::json;

constexpr std::size_t max_name = 2000;  // bytes

bool is_text(const json& value) {
    return value.is_string() && value.get_ref<const std::string&>().find('\0') == std::string::npos;
}

// Why this is no target; nothing when it is one.
const char* problem_of(const json& target) {
    if (!target.is_object()) return "is no object";
    const auto name = target.find("name");
    if (name == target.end() || !is_text(*name) || name->get_ref<const std::string&>().empty()) return "has no name";
    if (name->get_ref<const std::string&>().size() > max_name) return "has a name of more than 2000 bytes";
    const auto status = target.find("status");
    if (status == target.end() || (*status != "passed" && *status != "failed" && *status != "skipped")) {
        return "has no status of passed, failed and skipped";
    }
    if (const auto paths = target.find("paths"); paths != target.end()) {
        if (!paths->is_array() || !std::all_of(paths->begin(), paths->end(), is_text))
            return "has paths that are no texts";
    }
    if (const auto duration = target.find("duration_ms"); duration != target.end() && !duration->is_number()) {
        return "has a duration_ms that is no number";
    }
    return nullptr;
}

}  // namespace

std::string checked_target_graph(const std::string& text) {
    const auto graph = json::parse(text, nullptr, false);
    const auto targets = graph.is_object() ? graph.find("targets") : graph.end();
    if (!graph.is_object() || targets == graph.end() || !targets->is_array()) {
        throw BadTargetGraph{R"(is no JSON object like {"targets": [...]})"};
    }
    if (targets->size() > max_targets) throw BadTargetGraph{fmt::format("has more than {} targets", max_targets)};
    std::size_t number = 0;
    for (const auto& target : *targets) {
        ++number;
        if (const auto* problem = problem_of(target)) {
            throw BadTargetGraph{fmt::format("is wrong: target {} {}", number, problem)};
        }
    }
    // Only what is known: PostgreSQL takes no zero byte in a text, and a key may have one.
    json kept = json::array();
    for (const auto& target : *targets) {
        json one = json::object();
        for (const auto* key : {"name", "status", "paths", "duration_ms"})
            if (const auto value = target.find(key); value != target.end()) one[key] = *value;
        kept.push_back(std::move(one));
    }
    return json{{"targets", std::move(kept)}}.dump();
}

std::optional<std::string> read_target_graph(const std::filesystem::path& file) {
    // What a build leaves here may be a pipe, or a link to somewhere else: neither is followed.
    const int opened = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (opened < 0 && errno == ENOENT) return std::nullopt;
    if (opened < 0) throw BadTargetGraph{fmt::format("cannot be read: {}", std::strerror(errno))};
    struct stat status {};
    std::string text;
    if (fstat(opened, &status) == 0 && S_ISREG(status.st_mode)) {
        text.resize(max_target_graph + 1);
        std::size_t filled = 0;
        for (ssize_t amount = 1; amount > 0 && filled < text.size(); filled += static_cast<std::size_t>(amount)) {
            amount = std::max<ssize_t>(read(opened, text.data() + filled, text.size() - filled), 0);
        }
        text.resize(filled);
    }
    close(opened);
    if (text.size() > max_target_graph) throw BadTargetGraph{"is larger than 16 MiB"};
    return checked_target_graph(text);
}

}  // namespace millrace::handlers::pipeline
