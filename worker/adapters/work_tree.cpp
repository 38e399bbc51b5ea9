#include "adapters/work_tree.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

namespace millrace::adapters {
namespace {

namespace fs = std::filesystem;

constexpr auto lock_suffix = ".lock";

fs::path lock_file_of(fs::path directory) {
    return directory += lock_suffix;
}

FileLock lock_of(const fs::path& file) {
    fs::create_directories(file.parent_path());
    auto lock = FileLock::try_acquire(file);
    if (!lock) throw std::system_error{EBUSY, std::generic_category(), file.string()};
    return *std::move(lock);
}

// What cannot be removed now is tried again with the next build.
void remove_abandoned(const fs::path& parent) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{parent, ignored}) {
        if (entry.path().extension() != lock_suffix) continue;
        if (const auto lock = FileLock::try_acquire(entry.path())) {
            auto directory = entry.path();
            fs::remove_all(directory.replace_extension(), ignored);
            if (!ignored) fs::remove(entry.path(), ignored);
        }
    }
}

}  // namespace

WorkTree::WorkTree(const fs::path& parent, const std::string& name)
    : directory_{parent / name}, lock_file_{lock_file_of(directory_)}, lock_{lock_of(lock_file_)} {
    remove_abandoned(parent);
    fs::remove_all(directory_);
}

WorkTree::~WorkTree() {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
    if (!ignored) fs::remove(lock_file_, ignored);
}

}  // namespace millrace::adapters
