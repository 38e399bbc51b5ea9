#pragma once
// Something on this host that one at a time may use, told by a file. The system lets go of it when the process ends,
// however it ends; the file stays, or is removed by whoever has the lock.
//
// Thread rule: one thread holds a lock; the threads of one process exclude one another like processes.

#include <filesystem>
#include <optional>

namespace millrace::adapters {

class FileLock {
public:
    // Nothing when somebody else has it. Makes the file if need be; throws std::system_error when it cannot be opened.
    [[nodiscard]] static std::optional<FileLock> try_acquire(const std::filesystem::path& file);

    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&&) = delete;
    ~FileLock();

private:
    explicit FileLock(int descriptor) : descriptor_{descriptor} {}

    int descriptor_;
};

}  // namespace millrace::adapters
