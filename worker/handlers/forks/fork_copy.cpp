#include "handlers/forks/fork_copy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace millrace::handlers::forks {

namespace fs = std::filesystem;

std::optional<ForkCopy> ForkCopy::try_open(const CopySettings& settings, const std::string& fork,
                                           const std::stop_token& stop) {
    const auto forks = settings.cache / "forks";
    auto path = forks / (fork + ".git");
    fs::create_directories(path.parent_path());
    fs::permissions(forks, fs::perms::owner_all);  // sources may be private
    auto lock = adapters::FileLock::try_acquire(forks / (fork + ".lock"));
    if (!lock) return std::nullopt;
    adapters::Git git{path, settings.git, stop};
    git.create();
    return ForkCopy{*std::move(lock), std::move(path), std::move(git)};
}

ForkCopy::ForkCopy(adapters::FileLock lock, fs::path path, adapters::Git git)
    : lock_{std::move(lock)}, path_{std::move(path)}, git_{std::move(git)} {}

void ForkCopy::note(const adapters::GitError& error, int attempt, const std::stop_token& stop) {
    const bool may_be_broken = error.cause() == adapters::GitError::Cause::perhaps_the_repository;
    if (may_be_broken && attempt > 1 && !stop.stop_requested()) fs::remove_all(path_);
}

std::string both_changed(const std::vector<std::string>& paths) {
    constexpr std::size_t most_shown = 5;
    const auto shown = std::min(paths.size(), most_shown);
    const std::vector<std::string> first{paths.begin(), paths.begin() + static_cast<std::ptrdiff_t>(shown)};
    const auto more = paths.size() - shown;
    return fmt::format("both changed {}{}", fmt::join(first, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

}  // namespace millrace::handlers::forks
