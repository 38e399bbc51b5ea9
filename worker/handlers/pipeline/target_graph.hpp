#pragma once
// What a build says of its targets: a JSON file, written by a program that is not ours.
//
//     {"targets": [{"name": "//a:lib", "status": "passed", "paths": ["a/"], "duration_ms": 12}]}
//
// `name` and `status` (passed, failed, skipped) are needed, all else is not; keys that are unknown are left alone.
//
// Thread rule: pure.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

namespace millrace::handlers::pipeline {

// The text says which target is wrong, and how.
class BadTargetGraph : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

constexpr std::size_t max_target_graph = std::size_t{16} * 1024 * 1024;  // bytes
constexpr std::size_t max_targets = 100'000;

// JSON text that keeps to the above; throws BadTargetGraph for any other.
[[nodiscard]] std::string checked_target_graph(const std::string& text);

// Of a file; nothing when there is none. Throws BadTargetGraph, also for what is no plain file.
[[nodiscard]] std::optional<std::string> read_target_graph(const std::filesystem::path& file);

}  // namespace millrace::handlers::pipeline
