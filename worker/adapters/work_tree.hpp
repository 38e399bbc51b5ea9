#pragma once
// A directory for one build, gone with this object.
//
// A worker that is killed leaves its directories behind; whoever makes the next one on this host removes those whose
// lock nobody holds any more.
//
// Thread rule: one thread.

#include "adapters/file_lock.hpp"

#include <filesystem>
#include <string>

namespace millrace::adapters {

class WorkTree {
public:
    // `name` is one that no other build bears at the same time. Throws std::system_error (filesystem_error).
    WorkTree(const std::filesystem::path& parent, const std::string& name);
    ~WorkTree();
    WorkTree(const WorkTree&) = delete;
    WorkTree& operator=(const WorkTree&) = delete;

    // Where the files are to go; it does not exist yet.
    [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

private:
    std::filesystem::path directory_;
    std::filesystem::path lock_file_;
    FileLock lock_;
};

}  // namespace millrace::adapters
