// Names of queues and kinds, traceparents and errors, on their way into the log. Unit separators (0x1f) stand between
// queue, kind, traceparent and a reason.
//
// Property: whatever they hold, it is one line; as JSON it can be read, and says the same; for people it holds no
// control character. A trace is named when the traceparent has one, and only then.

#include "core/printable.hpp"
#include "engine/attempt_log.hpp"
#include "fuzz/input.hpp"
#include "fuzz/json_reader.hpp"
#include "fuzz/text.hpp"
#include "ops/log.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <regex>
#include <string>

namespace millrace::fuzz {
namespace {

constexpr std::size_t longest_value = 2000;

std::string written(ops::Log::Format format, const core::Job& job, std::string_view reason) {
    char* text = nullptr;
    std::size_t size = 0;
    std::FILE* const out = open_memstream(&text, &size);
    require(out != nullptr, "there is memory");
    {
        ops::Log log{format, out, ops::Level::debug};
        engine::AttemptLog{log, "worker-1"}.write(ops::Level::warning, "attempt failed", job, {{"reason", reason}});
    }
    static_cast<void>(std::fclose(out));
    const std::unique_ptr<char, void (*)(void*)> owner{text, &std::free};
    return {text, size};
}

void require_one_line(const std::string& text) {
    require(text.find('\n') == text.size() - 1, "it is one line", text);
    require(is_utf8(text), "it is UTF-8", text);
}

// Of version-trace-parent-flags; a version that is none is let pass.
std::string trace_in(const std::string& traceparent) {
    static const std::regex form{R"([^]{2}-(?!0{32})([0-9a-f]{32})-[^]*)"};
    std::smatch parts;
    const auto start = traceparent.substr(0, 100);
    return std::regex_match(start, parts, form) ? parts[1].str() : "";
}

}  // namespace

void try_input(std::string_view bytes) {
    auto parts = split(bytes, '\x1f');
    parts.resize(4);
    core::Job job;
    job.queue = parts[0];
    job.kind = parts[1];
    job.traceparent = parts[2];

    const auto json = written(ops::Log::Format::json, job, parts[3]);
    require_one_line(json);
    require(is_json(json), "it is JSON", json);
    require(json_string(json, "queue") == core::printable(parts[0], longest_value), "the queue is the job's", json);
    require(json_string(json, "kind") == core::printable(parts[1], longest_value), "the kind is the job's", json);
    require(json_string(json, "reason") == core::printable(parts[3], longest_value), "the reason is the one given",
            json);
    require(json_string(json, "trace").value_or("") == trace_in(job.traceparent), "the trace is the traceparent's",
            json);

    const auto line = written(ops::Log::Format::human, job, parts[3]);
    require_one_line(line);
    require(is_harmless(std::string_view{line}.substr(0, line.size() - 1)), "a terminal obeys nothing in it", line);
}

}  // namespace millrace::fuzz
