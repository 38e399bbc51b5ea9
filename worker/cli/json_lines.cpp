#include "cli/json_lines.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <istream>

namespace millrace::cli {

namespace {

// nlohmann's text without its number: "[json.exception.parse_error.101] parse error at line 1, column 9: …".
std::string reason_of(const nlohmann::json::exception& error) {
    const std::string text{error.what()};
    const auto end = text.find("] ");
    return end == std::string::npos ? text : text.substr(end + 2);
}

}  // namespace

std::optional<std::string> json_problem(const std::string& text) {
    if (nlohmann::json::accept(text)) return std::nullopt;
    try {
        const auto parsed = nlohmann::json::parse(text);  // only for what it has to say
        static_cast<void>(parsed);
    } catch (const nlohmann::json::exception& error) {
        return reason_of(error);
    }
    return std::nullopt;
}

JsonLines::Chunk JsonLines::next() {
    Chunk chunk;
    std::size_t chunk_bytes = 0;
    std::string line;
    while (chunk.payloads.size() < max_chunk_lines && chunk_bytes < max_chunk_bytes && std::getline(in_, line)) {
        ++line_number_;
        bytes_read_ += line.size() + 1;
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        if (line.size() > max_line_bytes) {
            throw BadLine{fmt::format("line {}: longer than {} bytes", line_number_, max_line_bytes)};
        }
        if (const auto problem = json_problem(line)) {
            throw BadLine{fmt::format("line {}: not JSON: {}", line_number_, *problem)};
        }
        chunk_bytes += line.size();
        chunk.payloads.push_back(std::move(line));
        chunk.line_numbers.push_back(line_number_);
    }
    return chunk;
}

}  // namespace millrace::cli
