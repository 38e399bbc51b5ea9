#pragma once
// Payloads from a stream of JSON Lines, in chunks that are enqueued in one transaction each.
//
// Each line that is not empty is one JSON text. A line that is not stops the reading before its chunk is handed out:
// nothing of a chunk is enqueued unless all of it can be.

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace millrace::cli {

// The text names the line and what is wrong with it.
class BadLine : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Why a text is not JSON, nothing when it is.
[[nodiscard]] std::optional<std::string> json_problem(const std::string& text);

class JsonLines {
public:
    static constexpr std::size_t max_chunk_lines = 1000;
    static constexpr std::size_t max_chunk_bytes =
        std::size_t{4} * 1024 * 1024;  // a chunk ends with the line that exceeds it
    static constexpr std::size_t max_line_bytes = std::size_t{64} * 1024 * 1024;  // no queue takes more

    struct Chunk {
        std::vector<std::string> payloads;
        std::vector<std::uint64_t> line_numbers;  // from 1, one for each payload
    };

    explicit JsonLines(std::istream& in) : in_{in} {}

    // Empty at the end of the stream. Throws BadLine.
    [[nodiscard]] Chunk next();

    [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_read_; }

private:
    std::istream& in_;
    std::uint64_t line_number_ = 0;
    std::uint64_t bytes_read_ = 0;
};

}  // namespace millrace::cli
