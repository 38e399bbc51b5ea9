#include "adapters/work_tree.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <exception>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace millrace::adapters {
namespace {

namespace fs = std::filesystem;

constexpr auto lock_suffix = ".lock";

fs::path lock_file_of(fs::path directory) {
    return directory += lock_suffix;
}

// Nobody else wants this file but workers who look whether its owner is gone, and they let go at once.
FileLock lock_of(const fs::path& file) {
    constexpr int most_tries = 1000;
    fs::create_directories(file.parent_path());
    for (int tries = 0; tries < most_tries; ++tries) {
        if (auto lock = FileLock::try_acquire(file)) return *std::move(lock);
        std::this_thread::yield();
    }
    throw std::system_error{EBUSY, std::generic_category(), file.string()};
}

// Before what lies in it is looked at: the iterator opens a directory only when it goes on.
void let_us_write(const fs::path& directory) {
    constexpr auto ours = fs::perm_options::add | fs::perm_options::nofollow;
    fs::permissions(directory, fs::perms::owner_all, ours);
    for (const auto& entry : fs::recursive_directory_iterator{directory})
        if (entry.symlink_status().type() == fs::file_type::directory)
            fs::permissions(entry.path(), fs::perms::owner_all, ours);
}

// Builds leave directories that nobody may write to (caches of modules, for instance), of which nothing can be removed.
void remove_tree(const fs::path& directory) {
    std::error_code refused;
    fs::remove_all(directory, refused);
    if (!refused) return;
    if (refused == std::errc::permission_denied) let_us_write(directory);
    fs::remove_all(directory);
}

// What cannot be removed now is tried again with the next build.
void try_to_remove(const fs::path& directory, const fs::path& lock_file) noexcept try {
    remove_tree(directory);
    fs::remove(lock_file);
} catch (const std::exception&) {  // the lock file stays, and tells of it
}

void remove_abandoned(const fs::path& parent) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{parent, ignored}) {
        if (entry.path().extension() != lock_suffix) continue;
        if (const auto lock = FileLock::try_acquire(entry.path())) {
            auto directory = entry.path();
            try_to_remove(directory.replace_extension(), entry.path());
        }
    }
}

}  // namespace

WorkTree::WorkTree(const fs::path& parent, const std::string& name)
    : directory_{parent / name}, lock_file_{lock_file_of(directory_)}, lock_{lock_of(lock_file_)} {
    remove_abandoned(parent);
    remove_tree(directory_);
}

WorkTree::~WorkTree() {
    try_to_remove(directory_, lock_file_);
}

}  // namespace millrace::adapters
